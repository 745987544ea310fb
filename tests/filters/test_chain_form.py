from __future__ import annotations

from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.filters.chain_form import FILTER
from tests.conftest import Bind, seed

TWO = "Task 1 output/Task 2 input:\na\n\nTask 2 output:\nb"


def told(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Drop) else outcome.last("assistant")


@pytest.mark.parametrize(
    ("instruction", "response", "expected"),
    [
        ("sum up and then count", "Task1 output/Task2 input: a\nTask2 output: b", TWO),
        ("sum up and then count", "Task 1 output/Task 2 input: a\nTask 2 output: b", TWO),
        ("sum up and then count", TWO, TWO),
        ("sum up, count", TWO, "wrong_stage_count"),
        ("sum up and then count and then sort", TWO, "wrong_stage_count"),
        ("sum up and then count", "a and b", "wrong_stage_count"),
        ("sum up and then count", "Task 1 output:\nTask 2 output: b", "empty_stage"),
        ("", "", "wrong_stage_count"),
    ],
)
async def test_either_form_is_read_and_one_is_written(
    instruction: str, response: str, expected: str, bind: Bind
) -> None:
    step, _ = bind(FILTER)
    assert told((await step(seed(instruction, "en", response)))[0]) == expected


async def test_a_row_without_the_joiner_passes_where_the_job_says_so(bind: Bind) -> None:
    step, _ = bind(FILTER, count_joiners=False)
    [record] = await step(seed("sum up, count", "en", TWO))
    assert isinstance(record, Record) and record.facts["stages"] == ["a", "b"]
    assert told((await step(seed("x", "en", "Task 1 output: a")))[0]) == "wrong_stage_count"


@pytest.mark.parametrize("facts", [{"joined": "kürze und anschließend zähle", "instruction": "x"}])
async def test_the_joined_instruction_counts_where_one_sentence_was_made(
    facts: dict[str, Any], bind: Bind
) -> None:
    step, _ = bind(FILTER)
    said = "Ausgabe von Aufgabe 1: a\nAusgabe von Aufgabe 2: b"
    [record] = await step(seed("Kürze es gezählt.", "de", said, **facts))
    assert told(record).startswith("Ausgabe von Aufgabe 1/Eingabe von Aufgabe 2:\na")
    assert told((await step(seed("x", "yo", said)))[0]) == "unworded_language"
