from __future__ import annotations

import pytest

from engine.core import Drop, Record
from engine.filters.repetition import FILTER
from tests.conftest import seed
from tests.filters.samples import GOOD


@pytest.mark.parametrize("language", GOOD)
async def test_a_passage_told_twice_is_dropped_in_every_script(bind, language):
    step, _ = bind(FILTER)
    instruction, response = GOOD[language]
    told = " ".join(response.split("\n"))
    [drop] = await step(seed(instruction, language, f"{told} {told} {told}"))
    assert isinstance(drop, Drop) and drop.reason == "repeated_ngrams", drop


@pytest.mark.parametrize(
    "text, language",
    [
        ("We tried the the the the the the the the the the the", "en"),
        ("好的好的好的好的好的好的好的好的好的好的", "zh"),
        ("ครับครับครับครับครับครับครับครับครับครับ", "th"),
        ("नमस्ते " * 12, "hi"),
        ("😂" * 40, "en"),
        ("What?" + "!" * 60, "en"),
        ("ja, " * 20, "de"),
    ],
)
async def test_one_unit_over_and_over_is_dropped(bind, text, language):
    step, _ = bind(FILTER)
    [drop] = await step(seed("Say something kind.", language, text))
    assert isinstance(drop, Drop) and drop.reason == "repeated_unit"


@pytest.mark.parametrize("item", ["Visit the old harbour at dusk", "Besuche den alten Hafen"])
async def test_a_list_whose_items_are_the_same_is_dropped(bind, item):
    step, _ = bind(FILTER)
    others = ["Swim across the bay", "Read a long novel", "Bake bread for friends"]
    lines = [line for n, other in enumerate(others) for line in (f"- {item}", f"- {other} {n}")]
    [drop] = await step(seed("Ten ideas, please.", "en", "\n".join([*lines, f"- {item}"])))
    assert isinstance(drop, Drop) and drop.reason == "repeated_lines"


async def test_rules_and_leaders_are_not_repetition(bind):
    step, _ = bind(FILTER)
    text = f"Title\n{'=' * 60}\nName {'.' * 60} 3\nSign here: {'_' * 80}\n{'─' * 70}"
    [record] = await step(seed("Make a form.", "en", text))
    assert isinstance(record, Record)


async def test_an_instruction_is_checked_where_the_job_says_so(bind):
    record = seed("Count the words. " + "tick tock " * 40, "en")
    step, _ = bind(FILTER)
    assert isinstance((await step(record))[0], Record)
    step, _ = bind(FILTER, sides=("instruction",))
    assert (await step(record))[0].reason == "repeated_unit"


async def test_a_share_of_one_switches_a_measure_off(bind):
    record = seed("Say it.", "en", "ha " * 30)
    step, _ = bind(FILTER, max_unit_share=1, max_repeated_ngrams=1)
    assert isinstance((await step(record))[0], Record)
