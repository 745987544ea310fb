from __future__ import annotations

import json

import pytest

from engine.core import JobError
from engine.text.partners import FACT, alone, carried, origin, partner
from tests.conftest import seed


@pytest.mark.parametrize("text", ["Sag etwas.", "说点什么", "", "long " * 20_000])
def test_a_record_comes_back_as_it_was_carried_through_json(text: str) -> None:
    other = seed(text, "zh", "ja", topic="x", scores={"mean": 1})
    record = seed("a", **{FACT: json.loads(json.dumps(carried(other)))})
    assert partner(record) == other
    assert partner(alone(record)) is None and alone(record).facts == {}


def test_a_fact_that_holds_no_record_is_told_with_what_it_holds() -> None:
    with pytest.raises(JobError, match=r"seed: .*no record: \['id'\]"):
        partner(seed("a", **{FACT: {"id": "x"}}))


def test_two_licences_bind_both_and_one_stays_one() -> None:
    a, b = seed("a", source="s", licence="MIT"), seed("b", source="s", licence="CC0-1.0")
    assert origin([a, b]) == {"source": "s", "licence": "CC0-1.0 AND MIT"}
    assert origin([a, a]) == {"source": "s", "licence": "MIT"}
    assert origin([seed("c")]) == {}
