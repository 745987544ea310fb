"""The two sides of a conversation, as a check asks for them."""

from __future__ import annotations

from typing import Literal

from engine.core import Record

Side = Literal["instruction", "response"]


def turns(record: Record, side: Side) -> list[str]:
    """What the user (``instruction``) or the assistant (``response``) said, in order."""
    role = "user" if side == "instruction" else "assistant"
    return [message.content for message in record.messages if message.role == role]
