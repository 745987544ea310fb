from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.chain_tasks import GENERATOR
from engine.models.chat import Reply
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "chain_tasks").glob("*.txt"))
LONG = "You are given a letter, and you are to read it with care. " * 5
SUMMARISE = "chain_tasks/summarise"


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


def told(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Drop) else str(outcome.facts["task"])


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_summaries_as_models_write_them_are_tasks_or_drop_by_rule(
    path: Path, bind: Bind
) -> None:
    reply, expected = written(path)
    step, chat = bind(GENERATOR, {SUMMARISE: reply})
    [outcome] = await step(seed(LONG, path.stem.split("_")[0], "an output of four words"))
    assert told(outcome) == expected
    assert len(chat.asked) == (2 if isinstance(outcome, Drop) else 1), "two attempts at most"


async def test_a_short_definition_stays_and_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR)
    [record] = await step(
        seed("whole", response="ein Satz von Gewicht", instruction="Kürze den Text.", input="x")
    )
    assert isinstance(record, Record) and not chat.asked
    assert record.facts["task"] == record.facts["definition"] == "Kürze den Text."
    assert record.facts["leads"] and record.facts["follows"]


async def test_the_second_summary_may_be_the_good_one(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {SUMMARISE: ["kürze und anschließend lobe", "kürze den Brief"]})
    [record] = await step(seed(LONG, "de", "ein Satz von Gewicht"))
    assert told(record) == "kürze den Brief" and [r.take for r in chat.asked] == [0, 1]
    assert chat.asked[0].inputs["avoid"] == "und anschließend"


async def test_a_summary_cut_by_the_limit_is_none(bind: Bind) -> None:
    step, _ = bind(GENERATOR, {SUMMARISE: Reply("kürze den", "fake", truncated=True)})
    assert told((await step(seed(LONG)))[0]) == "cut_summary"


@pytest.mark.parametrize(
    ("language", "output", "facts", "leads"),
    [
        ("en", "polite", {}, False),
        ("en", "one two three", {}, False),
        ("en", "one two three four", {}, True),
        ("en", "one two three four", {"is_classification": True}, False),
        ("zh", "产品", {}, False),
        ("zh", "这盏灯坏了，请换一盏新的", {}, True),
        ("sw", "", {}, False),
    ],
)
async def test_a_task_with_a_label_like_output_cannot_be_first(
    language: str, output: str, facts: dict[str, Any], leads: bool, bind: Bind
) -> None:
    step, _ = bind(GENERATOR)
    [record] = await step(seed("do it", language, output, **facts))
    assert isinstance(record, Record)
    assert (record.facts["leads"], record.facts["follows"]) == (leads, False)


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [("", "de", "no_definition"), ("Ṣe é.", "yo", "unworded_language")],
)
async def test_what_cannot_be_in_a_chain_costs_no_call(
    text: str, language: str, reason: str, bind: Bind
) -> None:
    step, chat = bind(GENERATOR)
    assert told((await step(seed(text, language)))[0]) == reason and not chat.asked
