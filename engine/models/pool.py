"""Several servers of one model as a single ``Chat``: who may ask now, and whom.

The idea: one admission queue for all replicas, in which the deepest request goes first. A seed
that is half-way through its steps is finished before a new one starts, so that memory holds few
half-made records and the tail of a run is short; among equals, who came first goes first. The
least busy replica gets the call. How many calls each replica gets finds its own level; see
``admission`` for how, and ``rates`` for limits by the minute.

It knows nothing of HTTP and makes no second try: an error is the caller's, and all the pool
learns from it is to prefer another replica. Only what a dead replica let fall is asked of
another that is alive.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.core import ModelError
from engine.models.admission import Throttle
from engine.models.chat import Chat, Count, Reply, Request, Scores, Texts, Vector, able
from engine.models.metrics import Meter
from engine.models.rates import Rates

T = TypeVar("T")
QUICK_S, STEADY_S = 0.1, 1.5
"""Seconds between two readings of a server's load: while the level rises, and when it is found."""


@dataclass(slots=True, eq=False)
class _Replica:
    chat: Chat
    throttle: Throttle
    meter: Meter | None
    busy: int = 0
    failed: bool = False
    """Its latest finished call brought an error."""
    watch: asyncio.Task[None] | None = None


class Pool:
    """Replicas behind one name, each with as many calls in flight as it makes use of.

    Args:
        replicas: at least one.
        max_concurrent: calls in flight per replica that are never exceeded.
        throttles: one for each replica, where its client gives them feedback.
        meters: one for each replica, where it may tell its load.
        rates: limits by the minute, of all replicas together.
        clock: seconds, from anywhere.
        sleep: waits for seconds of that clock.
    """

    def __init__(
        self,
        replicas: Sequence[Chat],
        max_concurrent: int,
        *,
        throttles: Sequence[Throttle] = (),
        meters: Sequence[Meter] = (),
        rates: Rates | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not replicas or max_concurrent < 1:
            raise ValueError("a pool needs a replica and room for one call")
        throttles = throttles or [Throttle(max_concurrent, clock, sleep) for _ in replicas]
        told: Sequence[Meter | None] = meters or [None] * len(replicas)
        parts = zip(replicas, throttles, told, strict=True)
        self._replicas = [_Replica(*of_one) for of_one in parts]
        self._rates, self._clock, self._sleep = rates, clock, sleep
        self._queue: list[tuple[int, int, asyncio.Future[_Replica], float]] = []
        self._arrivals = itertools.count()
        self._alarm: tuple[float, asyncio.Task[None]] | None = None
        for throttle in throttles:
            throttle.changed = self._drain
            if rates:
                throttle.retried = lambda: rates.take(0.0)

    @property
    def busy(self) -> tuple[int, ...]:
        """Calls in flight, by replica."""
        return tuple(replica.busy for replica in self._replicas)

    @property
    def level(self) -> int:
        """Calls that the replicas get at a time, all together, as it stands now."""
        return sum(replica.throttle.level for replica in self._replicas)

    @property
    def waiting(self) -> int:
        """Requests that have no slot yet."""
        return sum(not ticket.done() for _, _, ticket, _ in self._queue)

    async def chat(self, request: Request) -> Reply:
        """Answer, once there is room; see ``Chat``."""
        tokens = self._rates.estimate(request) if self._rates else 0.0
        return await self._through(request.depth, lambda replica: replica.chat(request), tokens)

    async def score(self, request: Request) -> Scores:
        """Score, once there is room; see ``Model``."""
        return await self._through(request.depth, lambda c: able(c, "score").score(request))

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Embed, once there is room; see ``Model``."""
        return await self._through(request.depth, lambda c: able(c, "embed").embed(request))

    async def count(self, request: Request) -> Count:
        """Count, once there is room; see ``Model``."""
        return await self._through(request.depth, lambda c: able(c, "count tokens").count(request))

    async def _through(
        self, depth: int, call: Callable[[Chat], Awaitable[T]], tokens: float = 0.0
    ) -> T:
        """Make the call on a replica, once there is room for one so deep.

        ``tokens`` is what it is thought to cost.
        """
        while True:
            replica = await self._admit(depth, tokens)
            try:
                return await self._ask(replica, call, tokens)
            except ModelError:
                others = (r.throttle.away for r in self._replicas if r is not replica)
                if not replica.throttle.away or all(others):
                    raise  # else one that is alive gets what a dead one let fall

    async def _ask(
        self, replica: _Replica, call: Callable[[Chat], Awaitable[T]], tokens: float
    ) -> T:
        """Make the call; gives its slot back."""
        began, busy = self._clock(), replica.busy
        try:
            answer = await call(replica.chat)
            replica.failed = False
            self._answered(replica, answer, began, busy, tokens)
        except ModelError:
            replica.failed = True
            raise
        finally:
            self._leave(replica)
        return answer

    def _answered(
        self, replica: _Replica, answer: object, began: float, busy: int, tokens: float
    ) -> None:
        throttle, written, spent = replica.throttle, 1.0, 0
        if isinstance(answer, Reply):
            written = answer.tokens_out / len(answer.texts)  # samples are written side by side
            spent = answer.tokens_in + answer.tokens_out
        elif isinstance(answer, Scores):
            spent = answer.tokens_in
        elif isinstance(answer, tuple):
            spent = sum(vector.tokens_in for vector in answer)
        full = bool(self._queue) and replica.busy >= throttle.level
        throttle.answered(began, busy, written, full)
        if self._rates:
            self._rates.settle(tokens, spent, written)

    async def _admit(self, depth: int, tokens: float) -> _Replica:
        """A replica with a slot taken on it; every slot taken here goes through ``_leave``."""
        if not self._queue and (chosen := self._choose()):
            self._take(chosen, tokens)
            return chosen
        ticket: asyncio.Future[_Replica] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (-depth, next(self._arrivals), ticket, tokens))
        self._drain()
        try:
            return await ticket
        except asyncio.CancelledError:
            if not ticket.cancelled():  # the slot came in the same moment as the end
                self._leave(ticket.result())
            raise

    def _choose(self) -> _Replica | None:
        """The replica for the next call, if it may go now."""
        if self._rates and self._rates.wait_s() > 0:
            return None
        best: _Replica | None = None
        for replica in self._replicas:
            # One that failed is used again when the others are full: were it dead, it would
            # look idle and draw all calls; were it back, it gets the first it can help with.
            if replica.throttle.room(replica.busy) and (
                best is None or (replica.failed, replica.busy) < (best.failed, best.busy)
            ):
                best = replica
        return best

    def _take(self, replica: _Replica, tokens: float) -> None:
        replica.busy += 1
        if self._rates:
            self._rates.take(tokens)
        if replica.meter and (replica.watch is None or replica.watch.done()):
            replica.watch = asyncio.get_running_loop().create_task(self._watch(replica))

    def _leave(self, replica: _Replica) -> None:
        replica.busy -= 1
        self._drain()

    def _drain(self) -> None:
        """Give what room there is to the deepest who wait."""
        while self._queue:
            ticket, tokens = self._queue[0][2:]
            if not ticket.done():
                replica = self._choose()
                if replica is None:
                    self._wake_later()
                    return
                self._take(replica, tokens)
                ticket.set_result(replica)
            heapq.heappop(self._queue)

    def _wake_later(self) -> None:
        """See to it that the queue is looked at when time alone makes room."""
        now = self._clock()
        moments = [r.throttle.paused_until for r in self._replicas if r.throttle.paused_until > now]
        if self._rates and (wait_s := self._rates.wait_s()) > 0:
            moments.append(now + wait_s)
        if not moments:
            return  # a call that ends will do it
        at = min(moments)
        if self._alarm and not self._alarm[1].done():
            if self._alarm[0] <= at:
                return
            self._alarm[1].cancel()
        self._alarm = (at, asyncio.get_running_loop().create_task(self._wake(at - now)))

    async def _wake(self, after_s: float) -> None:
        await self._sleep(after_s)
        self._alarm = None
        self._drain()

    async def _watch(self, replica: _Replica) -> None:
        """Read the server's load as long as there are calls; it ends with the last."""
        meter, pause_s = replica.meter, QUICK_S
        assert meter is not None
        try:
            while replica.busy or self._queue:
                load = await meter.read()
                if meter.hopeless:
                    replica.meter = None
                    return
                grew = False
                if load is not None:
                    full = bool(self._queue) and replica.busy >= replica.throttle.level
                    grew = replica.throttle.measured(load, replica.busy, full)
                pause_s = QUICK_S if grew else min(STEADY_S, pause_s * 1.5)
                await self._sleep(pause_s)
        finally:
            await meter.close()
