"""What must hold for every filter of one record."""

from __future__ import annotations

import pytest

from engine.core import Drop, Record
from engine.filters import (
    copied,
    format,
    hidden_unicode,
    injection,
    language,
    length,
    pii,
    refusal,
    repetition,
    secrets,
)
from tests.conftest import seed
from tests.filters.samples import GOOD, HOSTILE, MEGABYTE, STYLES

FILTERS = {
    module.__name__.rpartition(".")[2]: module.FILTER
    for module in (
        *(copied, format, hidden_unicode, injection, language, length, pii),
        *(refusal, repetition, secrets),
    )
}
each_filter = pytest.mark.parametrize("kind", FILTERS.values(), ids=FILTERS)


@each_filter
@pytest.mark.parametrize("language", GOOD)
async def test_good_records_pass_in_every_script(bind, kind, language):
    step, _ = bind(kind)
    instruction, response = GOOD[language]
    [record] = await step(seed(instruction, language, response))
    assert isinstance(record, Record), record


@each_filter
@pytest.mark.parametrize("style", STYLES)
async def test_a_style_of_its_own_is_no_defect(bind, kind, style):
    step, _ = bind(kind)
    [record] = await step(seed("Please answer this in your own way.", "en", STYLES[style]))
    assert isinstance(record, Record), record


@each_filter
async def test_a_record_may_have_one_side_or_none(bind, kind):
    step, _ = bind(kind)
    instruction, response = GOOD["en"]
    for record in (
        Record("bare", "en"),
        seed(instruction, "en"),
        seed("", "en", response),
        Record("odd", "xx-unknown", facts={"input": None, "instruction": 3}),
    ):
        [outcome] = await step(record)
        assert not isinstance(outcome, Drop), outcome


@each_filter
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_no_text_breaks_a_filter(bind, kind, text):
    step, _ = bind(kind)
    for record in (seed(text, "en", text), seed(text, "th"), seed("", "zh", text)):
        assert len(await step(record)) == 1


@each_filter
@pytest.mark.parametrize("text", MEGABYTE.values(), ids=MEGABYTE)
@pytest.mark.slow
async def test_a_megabyte_is_checked_to_the_end(bind, kind, text):
    step, _ = bind(kind)
    assert len(await step(seed("Please answer this now.", "en", text))) == 1
