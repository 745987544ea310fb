"""Reference answers pass, and none that was changed does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.core import Drop, Message, Record
from engine.generators.long_needles import GENERATOR
from engine.text.needle_tasks import TASKS
from engine.text.needle_words import listed
from engine.verifiers.needles import VERIFIER
from tests.conftest import Bind, seed
from tests.generators.test_long_needles import pile, tokens

DUE = {"kind": "numbers", "expected": ["1234567"], "none": ["none"]}


def reply(record: Record, text: str) -> Record:
    return replace(record, messages=(record.messages[0], Message("assistant", text)))


def wrong(record: Record) -> dict[str, str]:
    """Answers that differ from the right one, and why they are wrong."""
    due, none = record.facts["needles"], record.facts["needles"]["none"][0]
    expected = due["expected"]
    if due["kind"] == "none":
        return {"1234567": "not_none", "?": "not_none"}
    if due["kind"] == "common":
        return {", ".join(expected[1:]): "missing_words", none: "missing_words"}
    changed = str(int(expected[0]) ^ 1)
    return {
        ", ".join([changed, *expected[1:]]): "wrong_values",
        ", ".join([*expected, "7777777"]): "wrong_values",
        ", ".join(expected[1:]) or "?": "wrong_values",
        f"{none}: {', '.join(expected)}": "said_none",
        none: "said_none",
    }


@pytest.mark.parametrize("language", ["en", "de", "zh", "ar", "hi", "th", "sw"])
async def test_references_pass_and_changed_ones_do_not(bind: Bind, language: str) -> None:
    ask: dict[str, Any] = {"tasks": TASKS, "budgets": [4000], "min_fill": 0}
    rows = await bind(GENERATOR, {"count": tokens}, **ask)[0](pile(language))
    check, chat = bind(VERIFIER)
    assert len(rows) == len(TASKS)
    for row in rows:
        assert isinstance(row, Record), row
        [kept] = await check(row)
        assert isinstance(kept, Record) and kept.messages == row.messages
        for text, why in wrong(row).items():
            [drop] = await check(reply(row, text))
            assert isinstance(drop, Drop) and drop.reason == why, (text, row.facts["needles"])
    assert not chat.asked and language in listed()


async def test_a_model_may_answer_in_its_own_way(bind: Bind) -> None:
    check, _ = bind(VERIFIER)
    [kept] = await check(seed("?", response="The code is **1234567**.", needles=DUE))
    assert isinstance(kept, Record)
    [drop] = await check(seed("?", response="x" * 10**6, needles=DUE))
    assert isinstance(drop, Drop) and len(drop.detail) < 300


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (seed("?", response="1234567"), "no_needles"),
        (seed("?", response="1234567", needles={**DUE, "kind": "guess"}), "no_needles"),
        (seed("?", response="1234567", needles={**DUE, "none": []}), "no_needles"),
        (seed("?", needles=DUE), "no_response"),
        (seed("?", response=" ", needles=DUE), "no_response"),
        (seed(needles=DUE), "no_response"),
    ],
)
async def test_what_cannot_be_checked_never_passes(bind: Bind, record: Record, reason: str) -> None:
    [drop] = await bind(VERIFIER)[0](record)
    assert isinstance(drop, Drop) and drop.reason == reason
