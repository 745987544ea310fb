from __future__ import annotations

import pytest

from engine.core import Drop, Record
from engine.filters.pivot_form import FILTER
from engine.text.pivots import Row, composed, headings
from tests.conftest import Bind, seed

LANGUAGES = ("de", "zh-Hans", "ar", "hi", "th", "sw", "ko")
BLOCKS = Row("Why?", "Air scatters blue light.", "…")


def written(language: str) -> str:
    heads = headings("en", language)
    assert heads
    return composed(BLOCKS, heads)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_last_block_is_the_response(language: str, bind: Bind) -> None:
    step, _ = bind(FILTER)
    [record] = await step(seed("?", language, written(language)))
    assert isinstance(record, Record) and record.last("assistant") == "…"
    assert record.facts["pivot_response"] == BLOCKS.pivot_response
    assert record.facts["pivot_code"] == "ok"


async def test_blocks_may_stay(bind: Bind) -> None:
    step, _ = bind(FILTER, keep_blocks=True)
    [record] = await step(seed("?", "sw", written("sw")))
    assert isinstance(record, Record) and record.last("assistant") == written("sw")


async def test_each_outcome_is_counted_by_its_name(bind: Bind) -> None:
    step, _ = bind(FILTER)
    lost = written("sw").partition("Jibu kwa Kiswahili")[0]
    [drop] = await step(seed("?", "sw", lost))
    assert isinstance(drop, Drop) and drop.reason == "pivot_not_found"
    [drop] = await step(seed("?", "sw", "Hewa."))
    assert isinstance(drop, Drop) and drop.reason == "monolingual"
    [drop] = await step(seed("?", "xx", "Hewa."))
    assert isinstance(drop, Drop) and drop.reason == "no_headings"
    keep, _ = bind(FILTER, monolingual="keep")
    [record] = await keep(seed("?", "sw", "Hewa."))
    assert isinstance(record, Record) and record.facts["pivot_code"] == "monolingual"
    [record] = await keep(seed("?", "sw"))
    assert isinstance(record, Record), "a record without a response has nothing to cut"


async def test_the_pivot_is_the_records_own_or_the_jobs(bind: Bind) -> None:
    heads = headings("fr", "sw")
    text = composed(BLOCKS, heads or ("", "", ""))
    step, _ = bind(FILTER)
    [record] = await step(seed("?", "sw", text, pivot="fr"))
    assert isinstance(record, Record) and record.facts["pivot_instruction"] == "Why?"
    step, _ = bind(FILTER, pivot="fr")
    [record] = await step(seed("?", "sw", text))
    assert isinstance(record, Record) and record.facts["pivot_instruction"] == "Why?"
