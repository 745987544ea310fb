"""A record that wants an answer: what its user asked last, while nobody has answered."""

from __future__ import annotations

from engine.core import Record


def unanswered(record: Record) -> tuple[str, str]:
    """What is asked, and ``""``; or ``""`` and why there is nothing to answer, as a slug."""
    turns = record.messages
    asked = turns[-1].content.strip() if turns and turns[-1].role == "user" else ""
    if asked:
        return asked, ""
    return "", "answered_already" if record.last("assistant") else "no_instruction"
