from __future__ import annotations

import pytest

from engine.core import Drop, Message, Record
from engine.filters.length import FILTER
from tests.conftest import seed


@pytest.mark.parametrize(
    "record, params, reason",
    [
        (seed("Hi", "en"), {}, "instruction_too_short"),
        (seed("说", "zh"), {}, "instruction_too_short"),
        (seed("word " * 11, "en"), {"max_instruction": 10}, "instruction_too_long"),
        (seed("字" * 17, "zh"), {"max_instruction": 10}, "instruction_too_long"),
        (seed("ก" * 45, "th"), {"max_instruction": 10}, "instruction_too_long"),
        (seed("Name it.", "en", "Two words"), {"min_response": 3}, "response_too_short"),
        (seed("说出来", "zh", "两个"), {"min_response": 3}, "response_too_short"),
        (seed("Name it.", "en", "word " * 6), {"max_response": 5}, "response_too_long"),
    ],
)
async def test_a_side_out_of_bounds_is_dropped_for_its_own_reason(bind, record, params, reason):
    step, _ = bind(FILTER, **params)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == reason


async def test_a_response_that_is_there_but_blank_is_too_short(bind):
    step, _ = bind(FILTER)
    turns = (Message("user", "Name a river."), Message("assistant", "  \n"))
    [drop] = await step(Record("r", "en", turns))
    assert drop.reason == "response_too_short"


@pytest.mark.parametrize(
    "text, language",
    [("word " * 10, "en"), ("字" * 15, "zh"), ("ก" * 40, "th"), ("か" * 33, "ja")],
)
async def test_one_bound_means_the_same_length_in_every_script(bind, text, language):
    step, _ = bind(FILTER, min_instruction=10, max_instruction=10)
    [record] = await step(seed(text, language))
    assert isinstance(record, Record)


async def test_a_bound_that_is_null_is_not_checked(bind):
    step, _ = bind(FILTER, min_instruction=None, max_response=None)
    [record] = await step(seed("Go", "en", "word " * 50_000))
    assert isinstance(record, Record)
