from __future__ import annotations

import pytest

from engine.core import Message, Record
from engine.text.questions import unanswered
from tests.conftest import seed

WHY = Message("user", "And why?")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (seed(" จะเก็บข้าวอย่างไร \n", "th"), ("จะเก็บข้าวอย่างไร", "")),
        (seed("Why?", "en", "So."), ("", "answered_already")),
        (seed(" \n", "sw"), ("", "no_instruction")),
        (Record("bare", "ar"), ("", "no_instruction")),
        (seed("x" * 1_000_000, "en"), ("x" * 1_000_000, "")),
        (Record("more", "en", (*seed("Tea?", "en", "Yes.").messages, WHY)), ("", "several_turns")),
        (Record("rules", "de", (Message("system", "Reime."), WHY)), ("", "several_turns")),
    ],
)
def test_only_a_question_nobody_answered_is_one(record: Record, said: tuple[str, str]) -> None:
    assert unanswered(record) == said
