"""A worker: it grows the units it is given and owns nothing.

The idea: a worker has the plan, the connections to the models and an event loop of its own, which
is what costs a processor; all that must last is asked of the process that owns the run, over
the channel that the units come on. A reply is in the run's journal before a node sees it, as in
a run of one process. So a worker can die at any moment: there is nothing on its disk to lose,
to merge or to clean up, and whoever takes its units finds every finished call in the journal.

A message is a tuple, its kind first. A worker knows nothing of sockets or clusters: ``hear``
takes a message, ``said`` gives those that wait to be sent. ``engine.shard_process`` makes it a
process of this machine, ``engine.on_ray`` an actor of a cluster.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from engine import quiet
from engine.connect import Answerer, connect, journals
from engine.core import EngineError
from engine.entries import Unit, encode
from engine.growth import Growth, Trouble, packed, unpacked
from engine.job import Job
from engine.models.chat import Count, Reply, Request, Scores, Texts, Vector
from engine.models.journal import Brake, Journal, Said
from engine.wiring import plan, wire

Message = tuple[Any, ...]
GATHER_S = 0.005
"""Seconds in which messages gather before they travel: a tenth of what a commit may take, and it
spares both sides most of what a message costs."""
COUNTS_S = 0.5
"""Seconds between two reports of what the models have done."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker has to know before its first unit."""

    job: Job
    """Its models are those that the run's process has found: nothing is searched for twice."""
    blank: bool
    """Whether the run's journal was empty when the worker was called: then nothing is looked up."""
    afar: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Models that only the run's process reaches -> who answers there: identity, one sentence."""


class Clerk:
    """The run's journal, as a worker sees it; a ``Book``."""

    def __init__(self, outbox: Outbox, *, blank: bool) -> None:
        self._outbox, self._blank = outbox, blank
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0

    def recall(self, key: str) -> Coroutine[Any, Any, Said | None] | None:
        """Look a call up."""
        return None if self._blank else self.ask("recall", key)

    async def keep(self, said: Said) -> None:
        """Make a call durable; returns when it is.

        Raises:
            LedgerError: it cannot be written.
        """
        await self.ask("keep", said)

    async def ask(self, what: str, *about: object) -> Any:
        """Ask the run's process for something, and wait for its answer."""
        self._number += 1
        number = self._number
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiter
        self._outbox.say((what, number, *about))
        try:
            return await waiter
        finally:
            del self._waiting[number]

    def answered(self, number: int, found: object, trouble: Trouble | None) -> None:
        """Wake who asked."""
        waiter = self._waiting.get(number)
        if waiter is None or waiter.done():
            return
        if trouble:
            waiter.set_exception(unpacked(trouble))
        else:
            waiter.set_result(found)


class Afar:
    """A ``Model`` that the run's process asks: a server it started, or limits that all share."""

    def __init__(self, clerk: Clerk, name: str) -> None:
        self._clerk, self._name = clerk, name

    async def chat(self, request: Request) -> Reply:
        """Answer; see ``Chat``."""
        return cast(Reply, await self._clerk.ask("model", self._name, "chat", request))

    async def score(self, request: Request) -> Scores:
        """Score; see ``Model``."""
        return cast(Scores, await self._clerk.ask("model", self._name, "score", request))

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Embed; see ``Model``."""
        found = await self._clerk.ask("model", self._name, "embed", request)
        return cast(tuple[Vector, ...], found)

    async def count(self, request: Request) -> Count:
        """Count; see ``Model``."""
        return cast(Count, await self._clerk.ask("model", self._name, "count", request))


class Outbox:
    """Messages that wait to be sent; those of one moment travel together."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._some = asyncio.Event()

    def say(self, message: Message) -> None:
        """Put a message in line."""
        self._messages.append(message)
        self._some.set()

    async def take(self) -> list[Message]:
        """All that waits, soon after there is any."""
        await self._some.wait()
        await asyncio.sleep(GATHER_S)
        self._some.clear()
        taken, self._messages = self._messages, []
        return taken


class Worker:
    """Grows units; lives in one event loop."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._outbox = Outbox()
        self._clerk = Clerk(self._outbox, blank=orders.blank)
        self._brake = Brake()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._answerers: Mapping[str, Answerer] = {}
        self.said = self._outbox.take

    async def open(self) -> None:
        """Wire the job and connect; what is wrong with either is said, not raised."""
        quiet.hush()
        try:
            wiring = wire(self._orders.job, growing=True)
            self._answerers = await self._connect(wiring.models_used())
        except EngineError as error:
            self._outbox.say(("broken", packed(error)))
            return
        chats = journals(self._answerers, self._clerk, self._brake)
        self._growth = Growth(plan(wiring, chats))
        self._start(self._report(chats))
        self._outbox.say(("ready",))

    async def _connect(self, names: Sequence[str]) -> dict[str, Answerer]:
        job, afar = self._orders.job, self._orders.afar
        found = await connect(job, [name for name in names if name not in afar], rehearse=False)
        for name, (identity, why) in afar.items():
            chat, part = Afar(self._clerk, name), job.file.models[name]
            found[name] = Answerer(chat, identity, why, part)
        return found

    def hear(self, message: Message) -> None:
        """Act on a message: ``grow`` a unit, the clerk's ``answer``, or ``stop``."""
        kind, *rest = message
        if kind == "grow":
            self._start(self._grow(*rest))
        elif kind == "answer":
            self._clerk.answered(*rest)
        elif kind == "stop":
            self._brake.on = True

    async def close(self) -> None:
        """Close the connections."""
        for answerer in self._answerers.values():
            await answerer.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _grow(self, number: int, unit: Unit) -> None:
        """Grow a unit and say what became of it; a part's error is a message like any other."""
        growing = asyncio.ensure_future(self._grown(unit))
        await asyncio.wait([growing])
        error = growing.exception()
        if error is None:
            self._outbox.say(("grown", number, *growing.result()))
        elif isinstance(error, Exception):
            self._outbox.say(("failed", number, packed(error)))
        else:
            raise error

    async def _grown(self, unit: Unit) -> tuple[list[tuple[Any, ...]], dict[str, list[int]]]:
        tally: dict[str, list[int]] = {}
        leaves = await self._growth.leaves(unit, tally)
        return [encode(leaf) for leaf in leaves], tally

    async def _report(self, chats: Mapping[str, Journal]) -> None:
        while True:
            counts = {name: chat.counts for name, chat in chats.items()}
            self._outbox.say(("counts", counts))
            await asyncio.sleep(COUNTS_S)
