from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.task_centric_parts import GENERATOR
from tests.conftest import SHARED, Bind, needs_shared, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "task_centric_parts").glob("*.txt"))
ASKED = "Schreibe dem Team freundlich in 80 Wörtern, dass das Büro am Freitag zu ist."
PROMPT = "task_centric_parts/decompose"
PLAIN = json.dumps(
    {
        "tasks": [
            {
                "task": "E-Mail",
                "query": "Sag, dass zu ist.",
                "constraints": [{"kind": "number", "text": "80 Wörter"}],
            }
        ]
    }
)


def told(outcome: Any) -> str:
    if isinstance(outcome, Drop):
        return outcome.reason
    listed = (f"{each['kind']} {each['text']}" for each in outcome.facts["constraints"])
    return f"{outcome.facts['task']}: {'; '.join(listed)}"


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.removesuffix("\n")


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_parts_as_models_write_them_stand_or_drop_by_rule(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    step, _ = bind(GENERATOR, {PROMPT: reply})
    outcomes = await step(seed(ASKED, language=path.stem.split("_")[0]))
    assert " | ".join(map(told, outcomes)) == expected


async def test_task_and_query_are_left_as_the_message_and_constraints_are_not(bind: Bind) -> None:
    step, _ = bind(GENERATOR, {PROMPT: PLAIN})
    [record] = await step(seed(ASKED, response="Liebes Team, ..."))
    assert isinstance(record, Record)
    assert [m.content for m in record.messages] == ["E-Mail\nSag, dass zu ist."]
    assert record.facts["seed_instruction"] == ASKED
    assert record.facts["query"] == "Sag, dass zu ist."


async def test_the_input_is_shown_apart_and_kept(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {PROMPT: PLAIN})
    given = seed(f"{ASKED}\n\nOrt: Bonn", instruction=ASKED, input="Ort: Bonn")
    [record] = await step(given)
    assert isinstance(record, Record) and record.facts["input"] == "Ort: Bonn"
    assert chat.asked[0].inputs["instruction"] == ASKED
    assert "INPUT_BEGIN\nOrt: Bonn" in chat.asked[0].messages[-1].content


async def test_an_empty_instruction_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR)
    [drop] = await step(seed("  "))
    assert isinstance(drop, Drop) and drop.reason == "no_instruction" and not chat.asked


@needs_shared
async def test_all_human_seed_tasks_can_be_taken_apart(bind: Bind) -> None:
    lines = (SHARED / "self_instruct_seed_tasks.jsonl").read_text("utf-8").splitlines()
    step, chat = bind(GENERATOR, {PROMPT: PLAIN})
    for line in lines:
        [record] = await step(seed(json.loads(line)["instruction"], language="en"))
        assert isinstance(record, Record)
    assert len(chat.asked) == 175
