from __future__ import annotations

import numpy as np
import pytest

from engine.core import Record
from engine.filters.embed import FILTER
from engine.text import hashed
from engine.text.embedding import FACT, embedded
from tests.conftest import seed

TEXTS = [
    "spring poem",
    "Frühlingsgedicht",
    "春天的诗",
    "قصيدة الربيع",
    "वसंत की कविता",
    "บทกวี",
    "shairi",
]


def vector_of(record: Record) -> np.ndarray:
    (blocks,) = embedded([record])
    return next(blocks)[0].vector


@pytest.mark.parametrize("text", [*TEXTS, "x" * 1_000_000, "half \ud83d", "\u200fnul\0"])
async def test_a_record_gets_the_vector_of_its_instruction_and_whose_it_is(bind, text):
    step, _ = bind(FILTER)
    (record,) = await step(seed(text, response="anything"))
    assert record.facts[FACT]["model"] == hashed.NAME
    assert record.facts[FACT]["field"] == "instruction"
    assert vector_of(record) == pytest.approx(hashed.vector(text), abs=1e-3)
    assert record.verdicts[0].evidence == f"512 numbers of {hashed.NAME}"


async def test_the_response_or_both_may_be_embedded(bind):
    record = seed("Frage", response="الجواب")
    for field, text in (("response", "الجواب"), ("both", "Frage\nالجواب")):
        step, _ = bind(FILTER, field=field)
        (found,) = await step(record)
        assert vector_of(found) == pytest.approx(hashed.vector(text), abs=1e-3)


@pytest.mark.parametrize("text", ["", " \n"])
async def test_a_record_without_a_text_is_passed_over(bind, text):
    (record,) = await bind(FILTER)[0](seed(text))
    assert record.verdicts[0].verdict == "skipped" and FACT not in record.facts
