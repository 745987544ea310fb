"""Time that passes at once: an event loop whose sleeps are jumps, and a model server in it."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.core import Message, ModelError
from engine.models.admission import Throttle
from engine.models.chat import Reply, Request
from engine.models.metrics import Load
from engine.models.pool import Pool

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: the time that it should have waited has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everybody waits, and nothing will ever happen")
        self.passed += timeout
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = _Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.passed


def now() -> float:
    return asyncio.get_running_loop().time()


def at_once(work: Callable[[], Awaitable[T]]) -> T:
    """Run it in a loop of its own in which no second really passes."""

    async def whole() -> T:
        return await work()

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(whole())


async def keep_asking(pool: Pool, many: int, seconds: float) -> int:
    """So many callers ask again and again; how many calls failed."""
    end, failures = now() + seconds, 0

    async def one() -> None:
        nonlocal failures
        while now() < end:
            try:
                await pool.chat(Request((Message("user", "x"),)))
            except ModelError:
                failures += 1

    tasks = [asyncio.create_task(one()) for _ in range(many)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return failures


@dataclass
class Server:
    """S slots and a queue, as continuous batching has them; a ``Chat``.

    A reply holds its slot for a prompt and a time per token, and has a length drawn from a
    lognormal distribution, as the harness in shared/bench has.
    """

    slots: int
    prompt_s: float = 0.05
    token_s: float = 0.01
    strain: float = 0.0
    """Share by which a token gets slower for each one that runs beside it."""
    noise: float = 0.0
    """Standard deviation of a call's duration, as a share."""
    spread: float = 0.8
    """Of the lognormal lengths; 0 for replies that are all as long."""
    draws: random.Random = field(default_factory=lambda: random.Random(7))
    running: int = 0
    queue: deque[asyncio.Future[None]] = field(default_factory=deque)
    busy_s: float = 0.0
    """Slot seconds used."""
    since: float = 0.0
    done: int = 0
    peak: int = 0
    """Most calls here at the same time since somebody set it to 0."""
    longest_queue: int = 0
    tells: bool = False

    async def chat(self, request: Request) -> Reply:
        tokens = max(1, round(self.draws.lognormvariate(5.3, self.spread)))
        await self._slot()
        try:
            took = self.prompt_s + tokens * self.token_s * (1 + self.strain * self.running)
            await asyncio.sleep(took * max(0.2, self.draws.gauss(1.0, self.noise)))
            self.done += 1
            return Reply("ok", "sim", 10, tokens)
        finally:
            self._run(-1)
            if self.queue:
                self._run(1)
                self.queue.popleft().set_result(None)

    async def _slot(self) -> None:
        if self.running < self.slots:
            self._run(1)
        else:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.queue.append(turn)
            self.longest_queue = max(self.longest_queue, len(self.queue))
            self.peak = max(self.peak, self.running + len(self.queue))
            await turn
        self.peak = max(self.peak, self.running + len(self.queue))

    def _run(self, more: int) -> None:
        self.busy_s += self.running * (now() - self.since)
        self.running, self.since = self.running + more, now()

    # -- as a meter ------------------------------------------------------------------------------

    hopeless = False

    async def read(self) -> Load | None:
        return Load(self.running, len(self.queue)) if self.tells else None

    async def close(self) -> None:
        return None


class Refusal(Exception):
    """What a try brings in place of a reply."""

    def __init__(self, status: int, after_s: float | None = None) -> None:
        super().__init__(str(status))
        self.status, self.after_s = status, after_s


@dataclass
class Client:
    """Tries as ``OpenAIChat`` does: waits that double, feedback, a turn for each further try."""

    server: Server
    throttle: Throttle
    ails: Callable[[], Refusal | None] = lambda: None
    """What is wrong with the server now."""
    tries: list[tuple[float, int, int]] = field(default_factory=list)
    """Of each try: when it came to the server, which how many others had, and had answered."""
    here: int = 0
    jitter: random.Random = field(default_factory=lambda: random.Random(3))

    async def chat(self, request: Request) -> Reply:
        self.throttle.sent()
        try:
            return await self._try(request)
        except Refusal as refusal:
            error = refusal
        for wait in (1.0, 2.0, 4.0, 8.0, 16.0):
            await asyncio.sleep((error.after_s or wait) + self.jitter.random())
            try:
                await self.throttle.turn()
                return await self._try(request)
            except Refusal as refusal:
                error = refusal
        raise ModelError(str(error))

    async def _try(self, request: Request) -> Reply:
        self.tries.append((now(), self.here, self.server.done))
        self.here += 1
        try:
            if not (refusal := self.ails()):
                reply = await self.server.chat(request)
                refusal = self.ails()  # what happens to the server happens to its calls
            if refusal:
                await asyncio.sleep(0.01)
                pushed_back = refusal.status in (429, 503)
                self.throttle.failed(refusal, pushed_back=pushed_back, after_s=refusal.after_s)
                raise refusal
        finally:
            self.here -= 1
            self.throttle.back()
        return reply


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def throttle(most: int = 1000, clock: Clock | None = None) -> Throttle:
    return Throttle(most, clock or Clock())


def raised(to: int, clock: Clock | None = None) -> Throttle:
    """One whose level has been found by metrics, and is the highest allowed."""
    made = throttle(to, clock)
    while made.level < to:
        made.measured(Load(made.level, 0, 0.0, 5), made.level, True)
    return made
