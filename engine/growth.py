"""How a unit grows: one record through everything that streams in its stage.

It knows the plan and nothing else: no ledger, no round, no limit. So the same lines run in the
process that owns the run and in a worker on another machine.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from engine.core import (
    Deferred,
    Drop,
    EngineError,
    JobError,
    LedgerError,
    ModelError,
    Outcome,
    Record,
    ReplyError,
    Stopped,
)
from engine.entries import Encoded, Leaf, Unit
from engine.plan import Plan

Grow = Callable[[Unit, dict[str, list[int]]], Awaitable[Sequence[Leaf | Encoded]]]
"""A unit and a tally to fill -> all that the unit became."""


class Elsewhere(EngineError):
    """A part failed in another process."""

    def __init__(self, short: str, told: str) -> None:
        """Repeat an error: ``short`` is its repr, ``told`` what the ledger keeps of it."""
        super().__init__(short)
        self.told = told

    def __repr__(self) -> str:
        return str(self)


class Growth:
    """Grows units of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    async def leaves(self, unit: Unit, tally: dict[str, list[int]]) -> list[Leaf]:
        """All that a unit becomes; counts in ``tally`` what each step did.

        Raises:
            Stopped: the run is winding down, and an answer was missing.
            ModelError: no server answered.
            ValueError: a part gave two records one id.
        """
        entries = self._plan.after[unit.entry] if unit.stage == 0 else (unit.entry,)
        leaves = await self._pass_on(unit.stage, unit.entry, entries, unit.record, tally)
        places = Counter(
            (leaf.dst, record_of(leaf.outcome).id) for leaf in leaves if leaf.dst is not None
        )
        if twice := [place for place, n in places.items() if n > 1]:
            raise ValueError(f"two records with one id {twice[0][1]}: a part must use child()")
        return leaves

    async def _pass_on(
        self, stage: int, src: str, to: tuple[str, ...], record: Record, tally: dict[str, list[int]]
    ) -> list[Leaf]:
        """All leaves below a record that is on its way from ``src`` to the steps ``to``."""
        steps = self._plan.stages[stage].steps
        ways = [self._through(stage, name, record, tally) for name in to if name in steps]
        waits = [Leaf(src, name, record) for name in to if name not in steps]
        return waits + await _side_by_side(ways)

    async def _through(
        self, stage: int, name: str, record: Record, tally: dict[str, list[int]]
    ) -> list[Leaf]:
        """Put a record through a step, and what comes out through those behind it."""
        outcomes = await self._plan.stages[stage].steps[name](record)
        counts = tally.setdefault(name, [0, 0, 0])
        counts[0] += 1
        counts[1] += sum(isinstance(o, Record) for o in outcomes)
        counts[2] += sum(isinstance(o, Drop) for o in outcomes)
        ways = [self._outcome(stage, name, outcome, tally) for outcome in outcomes]
        return await _side_by_side(ways)

    async def _outcome(
        self, stage: int, name: str, outcome: Outcome, tally: dict[str, list[int]]
    ) -> list[Leaf]:
        if isinstance(outcome, Drop):
            return [Leaf(name, None, outcome)]
        return await self._pass_on(stage, name, self._plan.after[name], outcome, tally)


async def _side_by_side(ways: list[Any]) -> list[Leaf]:
    """The leaves of several ways, in the order of the ways; a single one needs no task."""
    if len(ways) == 1:
        return list(await ways[0])
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_or_later(way)) for way in ways]
    except BaseExceptionGroup as group:
        raise first(group) from group
    leaves: list[Leaf] = []
    for task in running:
        found = task.result()
        if isinstance(found, Deferred | Stopped):
            raise found
        leaves += found
    return leaves


async def _or_later(way: Awaitable[list[Leaf]]) -> list[Leaf] | Deferred | Stopped:
    """What a way comes to; one that has to wait must not keep others from asking.

    Nor must one that was stopped take the calls of the others with it: they are on their way.
    """
    try:
        return await way
    except (Deferred, Stopped) as later:
        return later


def record_of(outcome: Outcome) -> Record:
    """The record of an outcome, dropped or not."""
    return outcome.record if isinstance(outcome, Drop) else outcome


def first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that a group of tasks failed with; a tree of groups has one cause worth telling."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def told(error: Exception) -> str:
    """What the ledger keeps of an error: one line for what was foreseen, all of it for a bug."""
    if isinstance(error, Elsewhere):
        return error.told
    if isinstance(error, ModelError):
        return f"{type(error).__name__}: {error}"
    whole = traceback.TracebackException.from_exception(error)
    notes = whole.__notes__ or []  # LangGraph says which node it was; the error has the last word
    whole.__notes__ = []
    return "".join([*(f"{note}\n" for note in notes), *whole.format()])


_FORESEEN = (JobError, LedgerError, ModelError, ReplyError, Stopped)

Trouble = tuple[str, str, str]
"""An error on its way between processes: which foreseen one, its words, what the ledger keeps."""


def packed(error: Exception) -> Trouble:
    """An error as something that another process can raise."""
    for kind in _FORESEEN:
        if isinstance(error, kind):
            return kind.__name__, str(error), told(error)
    return "", repr(error), told(error)


def unpacked(trouble: Trouble) -> EngineError:
    """The error that another process packed."""
    name, words, kept = trouble
    for kind in _FORESEEN:
        if kind.__name__ == name:
            return kind(words)
    return Elsewhere(words, kept)
