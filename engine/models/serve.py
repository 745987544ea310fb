"""vLLM as a supervised process: started, watched, started again, and ended with everything it made.

A server starts when the first question comes that the journal cannot answer, and then all
servers of the job do, but for those that take turns (``turns``): each of them starts with its
first turn. Calls wait until theirs has answered a real generation. When one dies, the
calls it held are asked again: of another replica if one is up, else of the same one once it is
back. So a death costs time and never a record.

Servers that may share a GPU load one after the other: vLLM measures free memory while it loads,
and refuses to go on when a neighbour takes some meanwhile. What makes sure that no server
outlives the engine is in ``guard``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from engine.core import ModelError
from engine.models.chat import Chat, Count, Reply, Request, Scores, Texts, Vector, able
from engine.models.metrics import Load, MetricsPage
from engine.models.openai_chat import OpenAIChat
from engine.models.server import DEATHS, Died, Server, Spec
from engine.models.turns import InTurn, Turns

T = TypeVar("T")


class Fleet:
    """All servers of a job: who loads when, and news of any of them for whoever waits."""

    def __init__(self, turns: Turns | None = None) -> None:
        """Servers to be; ``turns`` are taken by those that do not fit together."""
        self.servers: list[Server] = []
        self._news = asyncio.Event()
        self._loading: dict[str, asyncio.Lock] = {}
        self._turns = turns or Turns([], lambda names: True)

    def add(self, spec: Spec) -> Server:
        """One more server; it starts with the others."""
        server = Server(spec, self.tell, self.turn)
        self.servers.append(server)
        return server

    def takes_turns(self, name: str) -> bool:
        """Whether this model does."""
        return name in self._turns.names

    def in_turn(self, name: str, chat: Chat, servers: Sequence[Server]) -> Chat:
        """The model's chat; where it takes turns, behind a gate that opens with its turn."""
        if not self.takes_turns(name):
            return chat
        self._turns.enter(name, Tenants(self, servers))
        return InTurn(self._turns, name, chat)

    def begin(self) -> None:
        """Start all that are not started and do not have to wait for their turn."""
        for server in self.servers:
            if not server.spec.takes_turns:
                server.begin()

    def states(self) -> dict[str, str]:
        """Server -> what it is doing, for those that are not up and were, or are to be."""
        told = {s.spec.name: s.state for s in self.servers if s.state}
        return told | self._turns.told()

    @property
    def failed(self) -> str:
        """Why a server could not be started at all; empty where none failed so."""
        return next((s.failure for s in self.servers if s.failure and not s.lives), "")

    def tell(self) -> None:
        """Wake everybody who waits for news."""
        self._news.set()
        self._news = asyncio.Event()

    async def news(self) -> None:
        """Wait until a server came up, died or was given up."""
        await self._news.wait()

    @contextlib.asynccontextmanager
    async def turn(self, devices: Sequence[str]) -> AsyncIterator[None]:
        """Load alone among those that may share a device."""
        apart = all(s.spec.serving.devices for s in self.servers)
        async with contextlib.AsyncExitStack() as held:
            for device in sorted(devices) if apart else ["any"]:
                lock = self._loading.setdefault(device, asyncio.Lock())
                await held.enter_async_context(lock)
            yield

    async def close(self) -> None:
        """End all of them, at the same time."""
        await self._turns.close()
        await asyncio.gather(*(server.close() for server in self.servers))


class Tenants:
    """The servers of one model, which have their devices or give them up together."""

    def __init__(self, fleet: Fleet, servers: Sequence[Server]) -> None:
        self._fleet, self._servers = fleet, servers

    async def wake(self) -> None:
        """See ``turns.Tenant``."""
        await asyncio.gather(*(server.wake() for server in self._servers))
        while not all(s.up or s.failure or s.bug for s in self._servers):
            await self._fleet.news()

    async def rest(self) -> None:
        """See ``turns.Tenant``."""
        await asyncio.gather(*(server.rest() for server in self._servers))


class Gauge:
    """A ``Meter`` that follows its server from one life to the next."""

    hopeless = False

    def __init__(self, server: Server) -> None:
        self._server = server
        self._page: MetricsPage | None = None
        self._root = ""

    async def read(self) -> Load | None:
        """The load; see ``Meter``."""
        if not self._server.up:
            return None
        if self._page is None or self._root != self._server.root:
            await self.close()
            self._root = self._server.root
            self._page = MetricsPage(f"{self._root}/v1", self._server.key)
        load = await self._page.read()
        self.hopeless = self._page.hopeless
        return load

    async def close(self) -> None:
        """Let go of the connection; a later read opens a new one."""
        if self._page is not None:
            await self._page.close()


class Served:
    """A ``Chat``: one replica's place in the pool, held by another while that one is down."""

    def __init__(self, fleet: Fleet, own: Server, replicas: Sequence[Server]) -> None:
        self._fleet, self._own, self._replicas = fleet, own, replicas

    async def chat(self, request: Request) -> Reply:
        """Answer, however often the server has to be started for it; see ``Chat``.

        Raises:
            JobError: the server cannot be started, or dies again and again.
        """
        return await self._ask(lambda client: client.chat(request))

    async def score(self, request: Request) -> Scores:
        """Score; see ``Model``."""
        return await self._ask(lambda client: able(client, "score").score(request))

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Embed; see ``Model``."""
        return await self._ask(lambda client: able(client, "embed").embed(request))

    async def count(self, request: Request) -> Count:
        """Count; see ``Model``."""
        return await self._ask(lambda client: able(client, "count tokens").count(request))

    async def _ask(self, call: Callable[[OpenAIChat], Awaitable[T]]) -> T:
        self._fleet.begin()
        for _ in range(DEATHS):
            server = await self._up()
            with contextlib.suppress(Died):
                return await server.ask(call)
        raise ModelError(f"{self._own.spec.name} died {DEATHS} times with this call on its way")

    async def _up(self) -> Server:
        while True:
            if bug := next((s.bug for s in self._fleet.servers if s.bug), None):
                raise bug
            if failed := self._fleet.failed:
                raise self._own.spec.error(failed)
            if self._own.up:
                return self._own
            if others := [server for server in self._replicas if server.up]:
                return min(others, key=lambda server: server.busy)
            if all(server.failure for server in self._replicas):
                raise self._own.spec.error(self._own.failure)
            await self._fleet.news()
