"""Models that do not fit together take turns on what they share.

The idea: a model's calls wait at a gate before its pool. While it has its turn the gate is open;
when it has nothing left to say and others wait, it gives its devices up and the next one takes
them: the one whose calls are deepest in the job, among equals the one with most of them. Seeds in
flight are bounded, so sooner or later all of them wait for somebody else; that makes the batches
by itself, and the phases too, since a pass lets nothing through before all is there.

So that it does not thrash: nothing changes before a lull, since whoever has just got an answer
asks again at once; and a turn that still has a few calls, while many wait elsewhere, is cut short
only after it has lasted ten times what changing costs. Calls that are on their way are always
waited for, so a change costs time and never a call.

It knows neither servers nor devices: what fits is a question it is given the answer to.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from engine.models.chat import Chat, Count, Reply, Request, Scores, Texts, Vector, able

T = TypeVar("T")

LULL_S = (0.1, 1.0)
"""Shortest and longest time without a call after which a turn may be over. The journal commits
within 0.05 s, and only then does a seed go on; beyond that, a twentieth of what changing costs."""
LEAST = 10
"""Turns that are cut short have lasted so many times what changing costs."""
FEW = 0.25
"""Calls on their way, as a share of those that wait for the next, that may cut a turn short."""


class Tenant(Protocol):
    """A model that has its devices, or has given them up."""

    async def wake(self) -> None:
        """Take the devices; returns when calls can be answered, or never will be."""
        ...

    async def rest(self) -> None:
        """Give the devices up; no call is on its way."""
        ...


Fits = Callable[[Collection[str]], bool]
"""Whether these models fit together."""


@dataclass(slots=True)
class _Part:
    tenant: Tenant
    awake: bool = False
    leaving: bool = False
    """Its gate is closed, since another is to come."""
    inside: int = 0
    """Calls on their way."""
    waiting: dict[int, tuple[int, asyncio.Future[None]]] = field(default_factory=dict)
    """Arrival -> depth, and what opens."""
    since: float = 0.0
    """When its turn began."""
    last: float = 0.0
    """When it last had a call."""

    def urgency(self) -> tuple[int, int, int]:
        """Deepest first, then most, then who came first."""
        deepest = max(depth for depth, _ in self.waiting.values())
        return deepest, len(self.waiting), -next(iter(self.waiting))


class Turns:
    """Whose turn it is among a job's models.

    Args:
        names: those who take turns.
        fits: whether some of them fit together; one alone always does.
        clock: seconds, from anywhere.
        sleep: waits for seconds of that clock.
    """

    def __init__(
        self,
        names: Collection[str],
        fits: Fits,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.names = frozenset(names)
        self._parts: dict[str, _Part] = {}
        self._fits, self._clock, self._sleep = fits, clock, sleep
        self._arrivals = itertools.count()
        self._cost_s = 0.0  # of the last change
        self._left = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    def enter(self, name: str, tenant: Tenant) -> None:
        """Who this is; it does not have its devices yet."""
        self._parts[name] = _Part(tenant)

    def told(self) -> dict[str, str]:
        """Model -> how many of its calls wait for its turn, where some do."""
        waiting = {name: len(part.waiting) for name, part in self._parts.items()}
        return {name: f"{n} calls wait for its turn" for name, n in waiting.items() if n}

    async def through(self, name: str, depth: int, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call when it is this model's turn."""
        part = self._parts[name]
        if part.awake and not part.leaving:
            part.inside += 1
        else:
            await self._wait(part, depth)
        try:
            return await call()
        finally:
            part.inside -= 1
            part.last = self._clock()
            if not part.inside:
                self._left.set()

    async def close(self) -> None:
        """No more turns are given."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])

    async def _wait(self, part: _Part, depth: int) -> None:
        """Until the gate is open; the call counts as inside from that moment on."""
        arrival, opened = next(self._arrivals), asyncio.get_running_loop().create_future()
        part.waiting[arrival] = depth, opened
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.ensure_future(self._keep())
            self._keeping.add_done_callback(self._over)
        try:
            await opened
        except asyncio.CancelledError:
            if part.waiting.pop(arrival, None) is None and not opened.cancelled():
                part.inside -= 1  # it opened in the same moment
                self._left.set()
            raise

    def _over(self, keeping: asyncio.Task[None]) -> None:
        """Whoever waits learns why nobody gives turns any more."""
        bug = None if keeping.cancelled() else keeping.exception()
        if keeping.cancelled() or bug:
            for part in self._parts.values():
                for _, opened in part.waiting.values():
                    if not opened.done():
                        opened.set_exception(bug) if bug else opened.cancel()
                part.waiting.clear()

    # -- giving turns ------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Give turns as long as anybody waits for one."""
        while any(part.waiting for part in self._parts.values()):
            await self._sleep(self._lull_s)
            for name in self._asleep():
                leaving = self._in_the_way(name)
                if all(self._may_leave(self._parts[other], name) for other in leaving):
                    await self._give(name, leaving)
                    break

    @property
    def _lull_s(self) -> float:
        shortest, longest = LULL_S
        return min(longest, max(shortest, self._cost_s / 20))

    def _asleep(self) -> list[str]:
        """Those whose calls wait, the most urgent first."""
        names = [name for name, part in self._parts.items() if part.waiting and not part.awake]
        return sorted(names, key=lambda name: self._parts[name].urgency(), reverse=True)

    def _in_the_way(self, name: str) -> list[str]:
        """Those that have to leave for it: the idlest, and no more than necessary."""
        awake = [other for other, part in self._parts.items() if part.awake]
        awake.sort(key=lambda other: (self._parts[other].inside, self._parts[other].last))
        leaving: list[str] = []
        for other in awake:
            if self._fits({name, *awake} - {*leaving}):
                break
            leaving.append(other)
        for other in reversed(leaving):
            stays = {*leaving} - {other}
            if self._fits({name, *awake} - stays):
                leaving.remove(other)
        return leaving

    def _may_leave(self, part: _Part, coming: str) -> bool:
        now = self._clock()
        if not part.inside:
            return now - part.last >= self._lull_s
        few = part.inside < FEW * len(self._parts[coming].waiting)
        return few and now - part.since >= LEAST * self._cost_s

    async def _give(self, name: str, leaving: list[str]) -> None:
        """Let those who leave finish, and open the gate for the one who comes."""
        away = [self._parts[other] for other in leaving]
        for part in away:
            part.leaving = True
        while any(part.inside for part in away):
            self._left.clear()
            await self._left.wait()
        began = self._clock()
        await asyncio.gather(*(part.tenant.rest() for part in away))
        for part in away:
            part.awake = part.leaving = False
        part = self._parts[name]
        await part.tenant.wake()
        part.awake, part.since = True, self._clock()
        part.last = part.since
        self._cost_s = part.since - began
        for _, opened in part.waiting.values():
            if not opened.done():
                opened.set_result(None)
                part.inside += 1
        part.waiting.clear()


class InTurn:
    """A ``Model``: what stands behind the gate of one model."""

    def __init__(self, turns: Turns, name: str, chat: Chat) -> None:
        self._turns, self._name, self._chat = turns, name, chat

    async def chat(self, request: Request) -> Reply:
        """Answer when it is its turn; see ``Chat``."""
        ask = self._chat.chat
        return await self._turns.through(self._name, request.depth, lambda: ask(request))

    async def score(self, request: Request) -> Scores:
        """Score when it is its turn; see ``Model``."""
        ask = able(self._chat, "score").score
        return await self._turns.through(self._name, request.depth, lambda: ask(request))

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Embed when it is its turn; see ``Model``."""
        ask = able(self._chat, "embed").embed
        return await self._turns.through(self._name, request.depth, lambda: ask(request))

    async def count(self, request: Request) -> Count:
        """Count when it is its turn; see ``Model``."""
        ask = able(self._chat, "count tokens").count
        return await self._turns.through(self._name, request.depth, lambda: ask(request))
