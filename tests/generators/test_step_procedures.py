from __future__ import annotations

from pathlib import Path

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.step_procedures import GENERATOR
from engine.models.chat import Reply
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "step_procedures").glob("*.txt"))
NAME = "step_procedures/write"
ANSWERS = {"en": "a plumber is needed, quickly", "zh": "马上叫水管工"}


def task(language: str = "en") -> Record:
    return seed(
        language=language,
        definition="Say what the message asks for.",
        examples=[{"input": "e-in", "output": "e-out", "explanation": ""}],
        instances=[{"input": "SECRET", "output": ANSWERS.get(language, "ein Klempner")}] * 3,
    )


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def told(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Drop) else "\n".join(outcome.facts["steps"])


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_lists_as_models_write_them_are_steps_or_drop_by_rule(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    step, chat = bind(GENERATOR, {NAME: reply})
    [outcome] = await step(task(path.stem.split("_")[0]))
    assert told(outcome) == expected
    assert len(chat.asked) == (2 if isinstance(outcome, Drop) else 1)


async def test_a_task_is_asked_for_once_and_no_instance_is_shown(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {NAME: "1. Lies.\n2. Antworte."}, max_steps=1)
    [record] = await step(task())
    assert isinstance(record, Record) and record.facts["steps"] == ["Lies."]
    assert len(chat.asked) == 1 and chat.asked[0].sampling["temperature"] == 0
    shown = "".join(message.content for message in chat.asked[0].messages)
    assert "e-in" in shown and "SECRET" not in shown and ANSWERS["en"] not in shown


async def test_the_second_list_is_asked_for_with_what_was_wrong(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {NAME: ["no list", "1. Lies."]})
    assert told((await step(task()))[0]) == "Lies."
    assert [r.inputs["again"] for r in chat.asked] == ["", "no_steps"]


async def test_the_last_step_of_a_cut_list_is_left_out(bind: Bind) -> None:
    step, _ = bind(GENERATOR, {NAME: Reply("1. Lies.\n2. Antw", "fake", truncated=True)})
    assert told((await step(task()))[0]) == "Lies."


async def test_what_is_no_task_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR)
    assert told((await step(seed("x")))[0]) == "no_task" and not chat.asked
