"""Run a plan: one seed, one task, one commit; rounds until the target is met.

A unit (a seed, or a record that a pass let through) is grown by one task through everything
that streams in its stage, and handed to the ledger in one piece when its last leaf is done.
``in_flight`` units grow at a time; the model pools hold back the calls inside them. So memory
is bounded, a crash loses no finished call (the journal has them), and resuming is skipping the
units that the ledger already has.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from engine import rounds, seeding
from engine.budget import SAVE_S, Budget
from engine.core import (
    Deferred,
    Drop,
    EngineError,
    Hop,
    JobError,
    LedgerError,
    Record,
    Stopped,
)
from engine.entries import Leaf, Unit
from engine.growth import Grow, Growth, first, record_of, told
from engine.kit import stamped
from engine.ledger import Ledger
from engine.models.journal import Brake
from engine.plan import SINK, Plan, Stage
from engine.rounds import End

log = logging.getLogger(__name__)

LAST = 2**62
"""Beyond every position."""
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
    closing: bool = False
    """Whether a budget is nearly used up: no new seeds, those that grow are finished."""
    settled: tuple[int, int] = (0, 0)
    """Seeds and accepted records of the rounds that are done."""
    planned: int = 0
    """Seeds in this round; 0 where it takes all there are."""

    def count(self, tally: Mapping[str, Sequence[int]]) -> None:
        """Add what one unit or pass did."""
        for step, counts in tally.items():
            mine = self.steps.setdefault(step, [0, 0, 0])
            for i, n in enumerate(counts):
                mine[i] += n


class Runner:
    """One start of a run; ``go`` returns when it has ended, for whatever reason."""

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        brake: Brake | None = None,
        grow: Grow | None = None,
        *,
        sweeping: bool = False,
    ) -> None:
        """Run ``plan`` on ``ledger``.

        Args:
            plan: what to run.
            ledger: where it is kept.
            brake: the one that the plan's journals know.
            grow: who grows a unit; this process by itself where left out.
            sweeping: whether answers come between the starts, and a unit may be deferred.
        """
        self._plan, self._ledger = plan, ledger
        self._grown = grow or Growth(plan).leaves
        self._brake = brake or Brake()
        self._why = End.INTERRUPTED
        streams = [not stage.settle for stage in plan.stages]
        self._budget = Budget(plan.limits, ledger, lambda: self._brake.spent, streams)
        self._growing: set[asyncio.Task[None]] = set()
        self._finished = self._failed = self._deferred = 0
        self._sweeping = sweeping
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
        loop = asyncio.get_running_loop()
        budget = why is End.BUDGET
        grace_s = self._budget.grace_s(loop.time()) if budget else self._plan.limits.grace_s
        loop.call_later(grace_s, self.stop)

    async def go(self) -> End:
        """Run until the target is met, the seeds are spent, or something stops it.

        Raises:
            JobError: the job's input changed or cannot be read.
            LedgerError: the disk is full, or the ledger damaged.
        """
        clock = asyncio.get_running_loop().time
        self._budget.begin(clock())
        minding = asyncio.ensure_future(self._mind(clock))
        try:
            end = await self._rounds()
        except Deferred:
            end = End.WAITING
        except Stopped:
            end = self._why
        except _TooManyErrors:
            end = End.ERRORS
        finally:
            minding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await minding
        self._budget.save(clock())
        return end

    async def _mind(self, clock: Callable[[], float]) -> None:
        """Stop the run when a budget is over."""
        while True:
            if self._budget.over(clock()) and not self._brake.on:
                self.stop(End.BUDGET)
            self._budget.save(clock(), SAVE_S)
            await asyncio.sleep(self._budget.tick_s)

    def _may_start(self, unit: Unit) -> bool:
        """Whether one more unit may start."""
        now = asyncio.get_running_loop().time()
        self.progress.closing = self._budget.closes(unit.stage, now, unit.pos)
        return not (self.progress.closing or self._brake.on)

    # -- rounds ------------------------------------------------------------------------------

    async def _rounds(self) -> End:
        barren, round = 0, 0
        while True:
            past = self._ledger.rounds()
            if round == len(past):
                self.progress.accepted = accepted = self._ledger.waiting(SINK)
                if ending := rounds.ending(self._plan, past, accepted, barren):
                    return ending
                await self._ledger.begin_round(round, self._next(past, accepted))
                past = self._ledger.rounds()
            feeds, done = past[round]
            before = self._ledger.accepted_before(round)
            takes = [sum(int(f["count"]) for f in taken.values()) for taken, _ in past]
            self.progress.settled = sum(takes[:round]), before
            self.progress.planned = max(0, takes[round])
            if not done:
                await self._one_round(round, feeds)
            after = self._ledger.accepted_before(round + 1)
            if not any(taken.get("closed") for taken in feeds.values()):
                barren = barren + 1 if after == before else 0
            round += 1

    def _next(self, past: rounds.Past, accepted: int) -> dict[str, Any]:
        """What the next round takes; where languages have quotas, by language."""
        mix, ledger = self._plan.mix, self._ledger
        if not mix:
            return rounds.feeds(self._plan, past, accepted)
        came, _, _ = ledger.tallies().get(mix.step, (0, 0, 0))
        feeds = rounds.feeds(self._plan, past, accepted, came)
        size = sum(taken["count"] for taken in feeds.values())
        have, before = ledger.accepted_languages(), seeding.taken_before(past)
        most = seeding.bounds(mix.quotas, have, ledger.ways(), before, size)
        return seeding.by_language(self._plan.feeds, feeds, past, most)

    async def _one_round(self, round: int, feeds: dict[str, Any]) -> None:
        self.progress.round = round
        if self._plan.between:
            self.progress.stage = "training" if round else ""
            await self._plan.between(round, partial(self._kept, round), lambda: self._brake.on)
        for index, stage in enumerate(self._plan.stages):
            self.progress.stage = stage.name or " + ".join(stage.steps)
            with self._budget.stage(index, asyncio.get_running_loop().time) as through:
                if stage.settle:
                    await asyncio.to_thread(self._settle, round, index, stage)
                elif index:
                    await self._stream(round, index, self._arrivals(round, index))
                elif closed := await self._stream(round, index, self._seeds(round, feeds)):
                    await self._close_round(round, feeds, closed)
                if self._brake.on:
                    raise Stopped
                through(sum(int(taken["count"]) for taken in feeds.values()))
        self.progress.accepted = self._ledger.waiting(SINK)
        await self._ledger.end_round(round, feeds)
        self._budget.settle(asyncio.get_running_loop().time())

    async def _close_round(self, round: int, feeds: dict[str, Any], seeds: int) -> None:
        """End a round with its first ``seeds``, so that they go on through what lies behind."""
        asked = {name: {**taken, "spent": False} for name, taken in feeds.items()}
        count = Counter(unit.entry for unit in islice(self._seeds(round, asked), seeds))
        for name, taken in asked.items():
            feeds[name] = {**taken, "count": count[name], "closed": True}
        self.progress.planned = seeds
        await self._ledger.narrow_round(round, feeds)

    # -- units -------------------------------------------------------------------------------

    def _seeds(self, round: int, feeds: dict[str, Any]) -> Iterator[Unit]:
        """This round's seeds; notes in ``feeds`` what was there."""
        return seeding.units(self._plan.feeds, round, feeds, partial(self._kept, round))

    def _kept(self, round: int, step: str) -> Iterator[Record]:
        return self._ledger.kept(step, self._plan.after[step][0], round)

    def _arrivals(self, round: int, index: int) -> Iterator[Unit]:
        steps = list(self._plan.stages[index].steps)
        for pos, (at, record) in enumerate(self._ledger.arrived(steps, round)):
            yield Unit(round, index, pos, record, at)

    async def _stream(self, round: int, index: int, units: Iterator[Unit]) -> int:
        """Grow every unit that is not done yet; after how many seeds the round closes, else 0."""
        slots = asyncio.Semaphore(self._plan.limits.in_flight)
        self._finished = self._failed = self._deferred = 0
        cut = -1
        try:
            async with asyncio.TaskGroup() as tasks:
                for unit in self._unfinished(round, index, units):
                    await slots.acquire()
                    if not self._may_start(unit):
                        cut = unit.pos
                        break
                    task = tasks.create_task(self._grow(unit, slots))
                    self._growing.add(task)
                    task.add_done_callback(self._growing.discard)
        except BaseExceptionGroup as group:
            raise first(group) from group
        closes = self._closes_at(round, index, cut)
        if cut >= 0 and not closes and not self._brake.on:  # all that had started is through
            self.stop(End.BUDGET)
        if not self._brake.on:  # what a stop cut short says nothing about the job
            self._check_error_rate(1)
            if self._deferred:
                raise Deferred
        return 0 if self._brake.on else closes

    def _closes_at(self, round: int, index: int, cut: int) -> int:
        """After how many seeds a round can end that was cut there; 0 where it cannot.

        Not where nothing waits for its end, where replies are still to come, or where seeds
        behind the cut have been done already, by an earlier start that was killed.
        """
        if index or cut < 1 or len(self._plan.stages) == 1 or self._deferred:
            return 0
        return 0 if self._ledger.finished(round, 0, cut, LAST) else cut

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
                elif self._sweeping:  # few finish in one start: they are judged with all before
                    self._finished += 1
                    self._failed += status == "failed"

    async def _grow(self, unit: Unit, slots: asyncio.Semaphore) -> None:
        self.progress.growing += 1
        try:
            with self._budget.growing(unit.stage, asyncio.get_running_loop().time):
                await self._finish(unit)
        except Deferred as later:
            self._deferred += 1
            self._finished += 1  # so that those that fail early are judged with all others
            if later.full and not self._brake.on:
                self.stop(End.WAITING)
        except (Stopped, asyncio.CancelledError):
            if not self._brake.on:
                raise
        finally:
            self.progress.growing -= 1
            slots.release()

    async def _finish(self, unit: Unit) -> None:
        tally: dict[str, list[int]] = {}
        try:
            leaves = await self._grown(unit, tally)
            await self._ledger.commit(unit, leaves, tally)
        except (Stopped, JobError, LedgerError):
            raise
        except Exception as error:  # noqa: BLE001 - the one boundary between the engine and a part
            await self._ledger.fail(unit, told(error))
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
        if self._budget.over(asyncio.get_running_loop().time()) and not self._brake.on:
            self.stop(End.BUDGET)

    def _check_error_rate(self, enough: int) -> None:
        if self._finished >= enough and self._failed > (
            self._plan.limits.max_error_rate * self._finished
        ):
            raise _TooManyErrors

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
            outcome, verdict = stage.rule(outcome)
            outcome = stamped(outcome, Hop(stage.name, record_of(outcome).id, verdict=verdict))
            if isinstance(outcome, Drop):
                counts[2] += 1
                yield Leaf(stage.name, None, outcome)
            else:
                counts[1] += 1
                yield from (Leaf(stage.name, dst, outcome) for dst in after)
        if counts[0] != counts[1] + counts[2]:
            raise ValueError(f"pass {stage.name} was given {counts[0]} records, answered {counts}")
