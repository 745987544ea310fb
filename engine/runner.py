"""Run a plan: one seed, one task, one commit; rounds until the target is met.

A unit (a seed, or a record that a pass let through) is grown by one task through everything
that streams in its stage, and handed to the ledger in one piece when its last leaf is done.
``in_flight`` units grow at a time; the model pools hold back the calls inside them. So memory
is bounded, a crash loses no finished call (the journal has them), and resuming is skipping the
units that the ledger already has.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from engine import rounds
from engine.core import (
    Drop,
    EngineError,
    Hop,
    JobError,
    LedgerError,
    ModelError,
    Outcome,
    Record,
    Stopped,
)
from engine.entries import Leaf, Unit
from engine.kit import stamped
from engine.ledger import Ledger
from engine.models.journal import Brake
from engine.plan import SINK, Feed, Plan, Stage
from engine.rounds import End

log = logging.getLogger(__name__)

LOOKUP = 512
"""Units whose state is asked of the ledger in one query."""
ENOUGH_TO_JUDGE = 50
"""Finished units before the error rate can stop the run in mid-stage."""


class _TooManyErrors(EngineError):
    pass


@dataclass(slots=True)
class Progress:
    """Where a run stands; read by the progress view while it changes."""

    round: int = 0
    stage: str = ""
    accepted: int = 0
    seeds: int = 0
    failed: int = 0
    growing: int = 0
    steps: dict[str, list[int]] = field(default_factory=dict)
    """Step -> [entered, kept, dropped], over all rounds and earlier starts."""
    last_error: str = ""
    stopping: bool = False
    """Whether it winds down: no new calls, those on their way are waited for."""

    def count(self, tally: Mapping[str, Sequence[int]]) -> None:
        """Add what one unit or pass did."""
        for step, counts in tally.items():
            mine = self.steps.setdefault(step, [0, 0, 0])
            for i, n in enumerate(counts):
                mine[i] += n


class Runner:
    """One start of a run; ``go`` returns when it has ended, for whatever reason."""

    def __init__(self, plan: Plan, ledger: Ledger, brake: Brake | None = None) -> None:
        """Run ``plan`` on ``ledger``; ``brake`` is the one that the plan's journals know."""
        self._plan, self._ledger = plan, ledger
        self._brake = brake or Brake()
        self._why = End.INTERRUPTED
        self._growing: set[asyncio.Task[None]] = set()
        self._finished = self._failed = 0
        done, failed = ledger.seeds()
        self.progress = Progress(
            accepted=ledger.waiting(SINK),
            seeds=done,
            failed=failed,
            steps={step: list(counts) for step, counts in ledger.tallies().items()},
        )

    def stop(self, why: End = End.INTERRUPTED) -> None:
        """Wind down: nothing new is started, calls on their way are waited for and kept.

        A second call stops waiting.
        """
        if self._brake.on:
            for task in self._growing:
                task.cancel()
            return
        self._brake.on, self._why, self.progress.stopping = True, why, True
        asyncio.get_running_loop().call_later(self._plan.limits.grace_s, self.stop)

    async def go(self) -> End:
        """Run until the target is met, the seeds are spent, or something stops it.

        Raises:
            JobError: the job's input changed or cannot be read.
            LedgerError: the disk is full, or the ledger damaged.
        """
        if self._plan.limits.deadline_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._plan.limits.deadline_s, self.stop, End.BUDGET)
        try:
            return await self._rounds()
        except Stopped:
            return self._why
        except _TooManyErrors:
            return End.ERRORS

    # -- rounds ------------------------------------------------------------------------------

    async def _rounds(self) -> End:
        barren, round = 0, 0
        while True:
            past = self._ledger.rounds()
            if round == len(past):
                self.progress.accepted = accepted = self._ledger.waiting(SINK)
                if ending := rounds.ending(self._plan, past, accepted, barren):
                    return ending
                await self._ledger.begin_round(round, rounds.feeds(self._plan, past, accepted))
                past = self._ledger.rounds()
            feeds, done = past[round]
            before = self._ledger.accepted_before(round)
            if not done:
                await self._one_round(round, feeds)
            after = self._ledger.accepted_before(round + 1)
            barren = barren + 1 if after == before else 0
            round += 1

    async def _one_round(self, round: int, feeds: dict[str, Any]) -> None:
        self.progress.round = round
        for index, stage in enumerate(self._plan.stages):
            self.progress.stage = stage.name or " + ".join(stage.steps)
            if stage.settle:
                await asyncio.to_thread(self._settle, round, index, stage)
            else:
                units = self._seeds(round, feeds) if index == 0 else self._arrivals(round, index)
                await self._stream(round, index, units)
            if self._brake.on:
                raise Stopped
        self.progress.accepted = self._ledger.waiting(SINK)
        await self._ledger.end_round(round, feeds)

    # -- units -------------------------------------------------------------------------------

    def _seeds(self, round: int, feeds: dict[str, Any]) -> Iterator[Unit]:
        """This round's seeds, the sources taking turns; notes in ``feeds`` what was there."""
        streams = {f.name: self._draw(f, round, feeds) for f in self._plan.feeds if f.name in feeds}
        pos = 0
        while streams:
            for name in list(streams):
                record = next(streams[name], None)
                if record is None:
                    del streams[name]
                    continue
                yield Unit(round, 0, pos, record, name)
                pos += 1

    def _draw(self, feed: Feed, round: int, feeds: dict[str, Any]) -> Iterator[Record]:
        want = feeds[feed.name]
        skip = 0 if feed.endless else want["start"]
        stop = None if want["count"] < 0 else skip + want["count"]
        kept = partial(self._kept, round)
        number = 0
        for record in islice(feed.read(round, want["start"], kept), skip, stop):
            number += 1
            yield record
        if want["count"] < 0 or number < want["count"]:
            want.update(count=number, spent=True)

    def _kept(self, round: int, step: str) -> Iterator[Record]:
        return self._ledger.kept(step, self._plan.after[step][0], round)

    def _arrivals(self, round: int, index: int) -> Iterator[Unit]:
        steps = list(self._plan.stages[index].steps)
        for pos, (at, record) in enumerate(self._ledger.arrived(steps, round)):
            yield Unit(round, index, pos, record, at)

    async def _stream(self, round: int, index: int, units: Iterator[Unit]) -> None:
        """Grow every unit that is not done yet."""
        slots = asyncio.Semaphore(self._plan.limits.in_flight)
        self._finished = self._failed = 0
        try:
            async with asyncio.TaskGroup() as tasks:
                for unit in self._unfinished(round, index, units):
                    await slots.acquire()
                    if self._brake.on:
                        break
                    task = tasks.create_task(self._grow(unit, slots))
                    self._growing.add(task)
                    task.add_done_callback(self._growing.discard)
        except BaseExceptionGroup as group:
            raise _first(group) from group
        if not self._brake.on:  # what a stop cut short says nothing about the job
            self._check_error_rate(1)

    def _unfinished(self, round: int, index: int, units: Iterator[Unit]) -> Iterator[Unit]:
        while batch := list(islice(units, LOOKUP)):
            there = self._ledger.finished(round, index, batch[0].pos, batch[-1].pos)
            for unit in batch:
                id_, status = there.get(unit.pos, ("", ""))
                if id_ and id_ != unit.record.id:
                    raise JobError(
                        f"the input has changed since this run began: seed {unit.pos} of round "
                        f"{round} was {id_} and is now {unit.record.id}; use --fresh or another -o"
                    )
                if status not in ("done", "failed"):
                    yield unit

    async def _grow(self, unit: Unit, slots: asyncio.Semaphore) -> None:
        self.progress.growing += 1
        try:
            await self._finish(unit)
        except (Stopped, asyncio.CancelledError):
            if not self._brake.on:
                raise
        finally:
            self.progress.growing -= 1
            slots.release()

    async def _finish(self, unit: Unit) -> None:
        tally: dict[str, list[int]] = {}
        try:
            leaves = await self._leaves(unit, tally)
            await self._ledger.commit(unit, leaves, tally)
        except (Stopped, JobError, LedgerError):
            raise
        except Exception as error:  # noqa: BLE001 - the one boundary between the engine and a part
            await self._ledger.fail(unit, _told(error))
            log.warning("seed %s failed: %r", unit.record.id, error)
            self._failed += 1
            self.progress.failed += unit.stage == 0
            self.progress.last_error = repr(error)
        else:
            self.progress.count(tally)
            self.progress.seeds += unit.stage == 0
            self.progress.accepted += sum(leaf.dst == SINK for leaf in leaves)
        self._finished += 1
        self._check_error_rate(ENOUGH_TO_JUDGE)
        if 0 < self._plan.limits.max_tokens <= self._brake.spent and not self._brake.on:
            self.stop(End.BUDGET)

    def _check_error_rate(self, enough: int) -> None:
        if self._finished >= enough and self._failed > (
            self._plan.limits.max_error_rate * self._finished
        ):
            raise _TooManyErrors

    async def _leaves(self, unit: Unit, tally: dict[str, list[int]]) -> list[Leaf]:
        entries = self._plan.after[unit.entry] if unit.stage == 0 else (unit.entry,)
        leaves = await self._pass_on(unit.stage, unit.entry, entries, unit.record, tally)
        places = Counter(
            (leaf.dst, _record(leaf.outcome).id) for leaf in leaves if leaf.dst is not None
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

    # -- passes ------------------------------------------------------------------------------

    def _settle(self, round: int, index: int, stage: Stage) -> None:
        """Run a pass over this round, once; in a thread of its own, with its own connection."""
        if self._ledger.settled(round, index):
            return
        assert stage.settle
        book = self._ledger.reader()
        try:
            counts = [0, 0, 0]
            leaves = self._settled(book, round, stage, counts)
            self._ledger.settle(round, index, leaves, {stage.name: counts})
            self.progress.count({stage.name: counts})
        finally:
            book.close()

    def _settled(self, book: Ledger, round: int, stage: Stage, counts: list[int]) -> Iterator[Leaf]:
        assert stage.settle
        after = self._plan.after[stage.name]

        def fresh() -> Iterator[Record]:
            for _, record in book.arrived([stage.name], round):
                counts[0] += 1
                yield record

        for outcome in stage.settle(fresh(), book.kept(stage.name, after[0], round)):
            outcome = stamped(outcome, Hop(stage.name, _record(outcome).id))
            if isinstance(outcome, Drop):
                counts[2] += 1
                yield Leaf(stage.name, None, outcome)
            else:
                counts[1] += 1
                yield from (Leaf(stage.name, dst, outcome) for dst in after)
        if counts[0] != counts[1] + counts[2]:
            raise ValueError(f"pass {stage.name} was given {counts[0]} records, answered {counts}")


async def _side_by_side(ways: list[Any]) -> list[Leaf]:
    """The leaves of several ways, in the order of the ways; a single one needs no task."""
    if len(ways) == 1:
        return list(await ways[0])
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(way) for way in ways]
    except BaseExceptionGroup as group:
        raise _first(group) from group
    return [leaf for task in running for leaf in task.result()]


def _record(outcome: Outcome) -> Record:
    return outcome.record if isinstance(outcome, Drop) else outcome


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that a group of tasks failed with; a tree of groups has one cause worth telling."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _told(error: Exception) -> str:
    """What the ledger keeps of an error: one line for what was foreseen, all of it for a bug."""
    if isinstance(error, ModelError):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error))
