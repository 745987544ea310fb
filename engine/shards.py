"""A run on several processors: its units are cut by id, and workers grow them.

The process that owns the run keeps all that decides and all that lasts: rounds, passes, the
ledger, the journal. What costs a processor (rendering, graphs, HTTP, reading replies) is done
by ``run.shards`` workers; a seed's shard is its id modulo their number. Units come back as
columns and are committed here, one transaction a unit, so passes see all shards in id order and
the dataset is byte for byte that of one process: whatever the number, changed between two
starts or not, and whoever is killed.

Why one ledger and not one a shard: a worker without a disk cannot lose, repeat or merge
anything, units can change hands when the number of shards changes, and the same worker runs on
a machine that shares no disk with this one (``engine.on_ray``). The price is a message a call,
0.05 ms here where a call costs a worker a whole millisecond.

A worker that dies is called again and given its units anew; the journal has its calls.

What cannot be divided is not: servers that the engine started, limits by the minute, and a
``max_concurrent`` smaller than the number of workers stay with this process, which asks such
models for all of them. Of any other model each worker has its share of ``max_concurrent`` and
asks for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, cast

from engine.connect import Answerer
from engine.core import EngineError, JobError, LedgerError, Stopped, stable_id
from engine.entries import Encoded, Unit
from engine.growth import Grow, first, packed, unpacked
from engine.job import Job, ModelPart
from engine.ledger import Ledger
from engine.models.chat import able
from engine.models.journal import Brake, Counts, Said
from engine.shard_worker import Message, Orders, Outbox

log = logging.getLogger(__name__)

DEATHS = 5
"""A worker that dies so often in a row without finishing a unit will not do better."""
LOOK_S = 0.05
"""Seconds between two looks at the brake."""
_REFUSED = (LedgerError, ValueError, TypeError, OverflowError)
"""What the ledger raises for a row that it cannot write."""


class Lost(EngineError):
    """A worker is gone; says how."""


class Link(Protocol):
    """A worker, as the run's process reaches it."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Send; raises ``Lost``."""
        ...

    async def receive(self) -> Sequence[Message]:
        """The next messages from it; raises ``Lost``."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class Agency(Protocol):
    """Where workers come from."""

    async def hire(self, number: int, orders: Orders) -> Link:
        """A worker for a shard; raises ``Lost`` where it did not come to life."""
        ...

    def close(self) -> None:
        """No more workers are wanted."""
        ...


class Shop:
    """What all workers of a run share: its ledger, its brake, its models and what they did."""

    def __init__(
        self,
        job: Job,
        ledger: Ledger,
        brake: Brake,
        counts: Mapping[str, Counts],
        kept_here: Mapping[str, Answerer],
    ) -> None:
        self.ledger, self.brake, self.kept_here = ledger, brake, kept_here
        self._job, self._counts = job, counts
        self._reported: dict[object, Mapping[str, Counts]] = {}

    def orders(self) -> Orders:
        """For a worker that begins now."""
        afar = {name: (a.identity, a.why) for name, a in self.kept_here.items()}
        return Orders(self._job, blank=next(self.ledger.calls(), None) is None, afar=afar)

    async def ask(self, name: str, how: str, question: object) -> object:
        """Ask a model that only this process has."""
        chat = self.kept_here[name].chat
        return await getattr(chat if how == "chat" else able(chat, how), how)(question)

    def report(self, who: object, counts: Mapping[str, Counts]) -> None:
        """Add up what all workers of this start have done, dead ones included."""
        self._reported[who] = counts
        for name, total in self._counts.items():
            of_all = [each[name] for each in self._reported.values()]
            total.calls = sum(c.calls for c in of_all)
            total.recalled = sum(c.recalled for c in of_all)
            total.tokens_in = sum(c.tokens_in for c in of_all)
            total.tokens_out = sum(c.tokens_out for c in of_all)
            total.waiting = sum(c.waiting for c in of_all)

    def gone(self, who: object) -> None:
        """A dead worker waits for no call."""
        if last := self._reported.get(who):
            self.report(who, {name: replace(c, waiting=0) for name, c in last.items()})


class Seat:
    """One shard: the worker that grows its units, and another one when that dies."""

    def __init__(self, number: int, agency: Agency, shop: Shop) -> None:
        self._number, self._agency, self._shop = number, agency, shop
        self._outbox = Outbox()
        self._pending: dict[int, tuple[Unit, asyncio.Future[Any]]] = {}
        self._given = self._finished = 0
        self._over: BaseException | None = None
        self._keeping: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[Any]] = set()
        self._work = asyncio.ensure_future(self._filled())
        self._work.add_done_callback(self._end)

    async def grow(self, unit: Unit) -> tuple[list[tuple[Any, ...]], dict[str, list[int]]]:
        """The columns of all that a unit became, and its tally.

        Raises:
            EngineError: what its part raised; or there is no worker any more, and why.
        """
        if self._over:
            raise self._over
        self._given += 1
        number, future = self._given, asyncio.get_running_loop().create_future()
        self._pending[number] = unit, future
        self._outbox.say(("grow", number, unit))
        try:
            return cast(tuple[list[tuple[Any, ...]], dict[str, list[int]]], await future)
        finally:
            del self._pending[number]

    def stop(self) -> None:
        """Let the worker make no new call."""
        self._outbox.say(("stop",))

    async def close(self) -> None:
        """End the worker."""
        self._work.cancel()
        await asyncio.wait([self._work, *self._keeping])

    # -- the worker ----------------------------------------------------------------------------

    async def _filled(self) -> None:
        """Call a worker, and the next one when it is lost; ends only by raising."""
        deaths = 0
        while True:
            self._outbox = Outbox()  # letters to a dead worker are void
            for number, (unit, _) in self._pending.items():
                self._outbox.say(("grow", number, unit))
            before = self._finished
            try:
                await self._employ(self._outbox)
            except Lost as lost:
                deaths = 1 if self._finished > before else deaths + 1
                self._mourn(lost, deaths)

    async def _employ(self, outbox: Outbox) -> None:
        """Hire a worker and talk with it until it is lost."""
        link = await self._agency.hire(self._number, self._shop.orders())
        try:
            await self._talk(link, outbox)
        finally:
            self._shop.gone(link)
            for asking in self._asking:  # nobody is there any more who waits for it
                asking.cancel()
            await link.close()

    def _mourn(self, lost: Lost, deaths: int) -> None:
        log.warning("the worker of shard %d is gone: %s", self._number, lost)
        if self._shop.brake.on:
            raise Stopped("no new worker: the run is winding down")
        if deaths >= DEATHS:
            raise JobError(
                f"the worker of shard {self._number} died {deaths} times in a row without "
                f"finishing a seed; a smaller run.shards or run.in_flight needs less memory: {lost}"
            )

    async def _talk(self, link: Link, outbox: Outbox) -> None:
        async def speak() -> None:
            while True:
                await link.send(await outbox.take())

        async def listen() -> None:
            while True:
                self._hear(await link.receive(), link, outbox)

        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(speak())
                both.create_task(listen())
        except BaseExceptionGroup as group:
            raise first(group) from group

    def _end(self, work: asyncio.Future[None]) -> None:
        """Whoever waits for a unit learns why there is no worker any more."""
        error = None if work.cancelled() else work.exception()
        self._over = error or Stopped("the workers have gone home")
        for _, future in self._pending.values():
            if not future.done():
                future.set_exception(self._over)

    # -- what it says --------------------------------------------------------------------------

    def _hear(self, messages: Sequence[Message], link: Link, outbox: Outbox) -> None:
        keep: list[tuple[int, Said]] = []
        recall: list[tuple[int, str]] = []
        for kind, *rest in messages:
            if kind == "keep":
                keep.append((rest[0], rest[1]))
            elif kind == "recall":
                recall.append((rest[0], rest[1]))
            elif kind == "model":
                self._ask(outbox, *rest)
            elif kind == "counts":
                self._shop.report(link, rest[0])
            elif kind == "broken":
                raise unpacked(rest[0])
            elif kind in ("grown", "failed"):
                self._finish(kind, *rest)
        if recall:
            self._recall(recall, outbox)
        if keep:
            task = asyncio.ensure_future(self._keep(keep, outbox))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    def _finish(self, kind: str, number: int, *became: Any) -> None:
        self._finished += 1
        _, future = self._pending.get(number, (None, None))
        if future is None or future.done():  # cancelled here in the meantime
            return
        if kind == "failed":
            future.set_exception(unpacked(became[0]))
        else:
            future.set_result(became)

    def _ask(self, outbox: Outbox, number: int, *about: Any) -> None:
        task = asyncio.ensure_future(self._shop.ask(*about))
        self._asking.add(task)
        task.add_done_callback(partial(self._answer, number, outbox))

    def _answer(self, number: int, outbox: Outbox, asked: asyncio.Task[Any]) -> None:
        self._asking.discard(asked)
        if asked.cancelled():
            return
        error = asked.exception()
        if isinstance(error, Exception):
            outbox.say(("answer", number, None, packed(error)))
        elif error is None:
            outbox.say(("answer", number, asked.result(), None))

    def _recall(self, asked: list[tuple[int, str]], outbox: Outbox) -> None:
        found = {said.key: said for said in self._shop.ledger.calls([key for _, key in asked])}
        for number, key in asked:
            outbox.say(("answer", number, found.get(key), None))

    async def _keep(self, asked: list[tuple[int, Said]], outbox: Outbox) -> None:
        """Write calls down together; one that cannot be written must not take the others along."""
        try:
            await self._shop.ledger.keep(*(said for _, said in asked))
        except _REFUSED as error:
            if len(asked) > 1:
                await asyncio.gather(*(self._keep([one], outbox) for one in asked))
            else:
                outbox.say(("answer", asked[0][0], None, packed(error)))
            return
        for number, said in asked:
            self._shop.brake.spent += said.tokens_in + said.tokens_out
            outbox.say(("answer", number, None, None))


@contextlib.asynccontextmanager
async def workers(
    agency: Agency | None,
    job: Job,
    answerers: Mapping[str, Answerer],
    ledger: Ledger,
    brake: Brake,
    counts: Mapping[str, Counts],
) -> AsyncIterator[Grow | None]:
    """``run.shards`` workers, and who gives them units to grow; they end with the block.

    Args:
        agency: where they come from; none: nobody is called.
        job: the job.
        answerers: who answers for its models, as the run's process has found them.
        ledger: the run's.
        brake: the run's.
        counts: model -> where to add up what the workers' models do.
    """
    if agency is None:
        yield None
        return
    number = job.file.run.shards
    job, kept_here = _divided(job, answerers, number)
    shop = Shop(job, ledger, brake, counts, kept_here)
    seats = [Seat(k, agency, shop) for k in range(number)]

    async def grow(unit: Unit, tally: dict[str, list[int]]) -> list[Encoded]:
        rows, counted = await seats[int(stable_id(unit.record.id), 16) % number].grow(unit)
        tally.update(counted)
        return [Encoded(row) for row in rows]

    looking = asyncio.ensure_future(_pass_on_the_brake(brake, seats))
    try:
        yield grow
    finally:
        looking.cancel()
        await asyncio.gather(*(seat.close() for seat in seats))
        agency.close()


async def _pass_on_the_brake(brake: Brake, seats: Sequence[Seat]) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        if brake.on:
            break
    for seat in seats:
        seat.stop()


def _divided(
    job: Job, answerers: Mapping[str, Answerer], number: int
) -> tuple[Job, dict[str, Answerer]]:
    """The job for one worker, with every model where it was found; and who must be asked here."""
    models, kept_here = dict(job.file.models), {}
    for name, answerer in answerers.items():
        part = answerer.elsewhere
        if part is None or part.max_concurrent < number or _metered(part):
            kept_here[name] = answerer
        else:
            share = part.max_concurrent // number
            models[name] = part.model_copy(update={"max_concurrent": share})
    run = job.file.run.model_copy(update={"deadline": None})  # the run's process minds it
    file = job.file.model_copy(update={"models": models, "run": run})
    return Job(file, job.sheet, job.base.resolve(), {}), kept_here


def _metered(part: ModelPart) -> bool:
    """Whether the model has limits by the minute."""
    return bool(part.requests_per_minute or part.tokens_per_minute)
