"""A record that wants an answer: its user has asked one thing, and nobody has answered.

A question behind other turns is none here: whoever answers or judges it is shown it alone, and a
"why?" without what came before it, or without the system's rules, is another question.
"""

from __future__ import annotations

from engine.core import Record


def unanswered(record: Record) -> tuple[str, str]:
    """What is asked, and ``""``; or ``""`` and why there is nothing to answer, as a slug."""
    turns = record.messages
    asked = turns[-1].content.strip() if turns and turns[-1].role == "user" else ""
    if asked:
        return (asked, "") if len(turns) == 1 else ("", "several_turns")
    return "", "answered_already" if record.last("assistant") else "no_instruction"
