"""Several writers answer one question in turn, and every answer keeps its writer's name.

Each sits in a seat of its own, as judges do (``engine.judging``): one model in two seats is asked
twice and answers twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from engine.judging import seated
from engine.kit import Kit

P = TypeVar("P", bound=BaseModel)
WRITERS = ("writer", "writer_2", "writer_3")
"""The roles that write, in their order."""


class Answer(NamedTuple):
    """What somebody answered."""

    text: str
    role: str
    model: str


async def answered(
    kit: Kit[P],
    writers: int,
    wanted: range,
    sample: Callable[[Kit[P], int], Awaitable[list[str]]],
) -> list[Answer]:
    """The answers with these numbers, number n by the writer whose turn it is.

    ``sample`` asks, as the role ``writer`` of the kit that it is given, for so many answers.
    """
    turns = Counter(WRITERS[number % writers] for number in wanted)

    async def by(role: str, count: int) -> list[Answer]:
        texts, calls = await seated(kit, role, partial(_sampled, sample, count), WRITERS[0])
        return [Answer(text, role, calls[0].model) for text in texts]

    found = await asyncio.gather(*(by(*each) for each in sorted(turns.items())))
    return [answer for answers in found for answer in answers]


async def _sampled(
    sample: Callable[[Kit[P], int], Awaitable[list[str]]], count: int, kit: Kit[P]
) -> list[str]:
    return await sample(kit, count)
