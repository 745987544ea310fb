"""What judges have in common: the exchange they look at, their seats, and items that try them.

A panel is one question put to several models, each in a seat of its own. Anchors are exchanges of
which it is known what a judge must say; they are asked with the same random numbers whatever the
record, so that the journal answers them from the second record on: they cost their calls once a
job, and every record is told what came of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from engine.core import Call, Message, Record, ReplyError, stable_id
from engine.kit import Kit

P = TypeVar("P", bound=BaseModel)
T = TypeVar("T")

JUDGE = "judge"
"""The role of a judge's prompt; the others of a panel sit in ``judge_2``, ``judge_3``."""


class Anchor(BaseModel, extra="forbid", frozen=True):
    """An instruction with a response that is known to be good and one that is known to be bad."""

    instruction: str = Field(min_length=1)
    """What was asked."""
    good: str = Field(min_length=1)
    """A response that a judge must prefer."""
    bad: str = Field(min_length=1)
    """A response to the same that it must not."""
    language: str = "en"
    """BCP-47 tag of all three."""

    def record(self, response: str) -> Record:
        """The instruction with this response, as what a judge looks at."""
        turns = (Message("user", self.instruction), Message("assistant", response))
        return Record("anchor", self.language, turns)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The last instruction of a conversation, what came before it, and its response."""

    history: list[dict[str, str]]
    instruction: str
    response: str


def exchange(record: Record, response: str | None = None) -> Exchange | None:
    """What there is to judge; ``None`` where instruction or response is missing or blank.

    ``response`` is judged in place of the record's own, which need not be there then.
    """
    asked = [at for at, message in enumerate(record.messages) if message.role == "user"]
    said = record.last("assistant") if response is None else response
    if not asked or not record.messages[asked[-1]].content.strip() or not said.strip():
        return None
    before = [{"role": m.role, "content": m.content} for m in record.messages[: asked[-1]]]
    return Exchange(before, record.messages[asked[-1]].content, said)


def fence(kit: Kit[Any]) -> str:
    """A mark around what is judged that its author cannot know, 12 hex digits."""
    return f"{kit.random('fence').getrandbits(48):012x}"


async def seated(
    kit: Kit[P], role: str, hear: Callable[[Kit[P]], Awaitable[T]], plays: str = JUDGE
) -> tuple[T, tuple[Call, ...]]:
    """What ``hear`` makes of a kit whose judge is the model of ``role``; and the calls it took.

    Whoever sits on another panel says which role of its prompts ``role`` ``plays``.

    The calls stand in the record's lineage under that role; each seat has random numbers of its
    own, so that one model in two seats is asked twice.
    """
    models = {**kit._models, plays: kit._model(role)}
    seat = replace(kit, _models=models, _seed=stable_id(kit._seed, role), _calls=[])
    try:
        heard = await hear(seat)
    finally:
        calls = tuple(replace(call, role=role) for call in seat._calls)
        kit._calls.extend(calls)
    return heard, calls


async def mistaken(
    kit: Kit[P], anchors: Sequence[Anchor], prefers: Callable[[Kit[P], Anchor], Awaitable[bool]]
) -> str:
    """Which anchors the judge gets wrong, for people to read; empty where it gets all right.

    ``prefers`` says whether the good response of an anchor beats the bad one.
    """
    found = await asyncio.gather(*(_right(kit, anchor, prefers) for anchor in anchors))
    wrong = [a.instruction[:80] for a, right in zip(anchors, found, strict=True) if not right]
    return (
        f"the judge got {len(wrong)} of {len(anchors)} anchors wrong: {wrong[0]}" if wrong else ""
    )


async def _right(
    kit: Kit[P], anchor: Anchor, prefers: Callable[[Kit[P], Anchor], Awaitable[bool]]
) -> bool:
    same = replace(kit, record=anchor.record(anchor.good), _seed=stable_id("anchors"), _calls=[])
    try:
        return await prefers(same, anchor)
    except ReplyError:  # a judge that cannot say which is better has not said it
        return False
    finally:
        kit._calls.extend(same._calls)
