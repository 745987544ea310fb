"""Several servers of one model as a single ``Chat``: who may ask now, and whom.

The idea: one admission queue for all replicas, in which the deepest request goes first. A seed
that is half-way through its steps is finished before a new one starts, so that memory holds few
half-made records and the tail of a run is short; among equals, who came first goes first. The
least busy replica gets the call.

It knows nothing of HTTP and makes no second try: an error is the caller's, and all the pool
learns from it is to prefer another replica.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from engine.core import ModelError
from engine.models.chat import Chat, Reply, Request


@dataclass(slots=True, eq=False)
class _Replica:
    chat: Chat
    busy: int = 0
    failed: bool = False
    """Its latest finished call brought an error."""


class Pool:
    """Replicas behind one name, each with at most ``max_concurrent`` calls in flight."""

    def __init__(self, replicas: Sequence[Chat], max_concurrent: int) -> None:
        if not replicas or max_concurrent < 1:
            raise ValueError("a pool needs a replica and room for one call")
        self._replicas = [_Replica(chat) for chat in replicas]
        self._room = max_concurrent
        self._queue: list[tuple[int, int, asyncio.Future[_Replica]]] = []
        self._arrivals = itertools.count()

    @property
    def busy(self) -> tuple[int, ...]:
        """Calls in flight, by replica."""
        return tuple(replica.busy for replica in self._replicas)

    @property
    def waiting(self) -> int:
        """Requests that have no slot yet."""
        return sum(not ticket.done() for _, _, ticket in self._queue)

    async def chat(self, request: Request) -> Reply:
        """Answer, once there is room; see ``Chat``."""
        replica = await self._admit(request.depth)
        try:
            reply = await replica.chat.chat(request)
            replica.failed = False
        except ModelError:
            replica.failed = True
            raise
        finally:
            self._leave(replica)
        return reply

    async def _admit(self, depth: int) -> _Replica:
        """A replica with a slot taken on it; every slot taken here goes through ``_leave``."""
        free = [replica for replica in self._replicas if replica.busy < self._room]
        if free:  # then nobody waits: a slot that opens goes straight to the queue
            # One that failed is used again when the others are full: were it dead, it would
            # look idle and draw all calls; were it back, it gets the first it can help with.
            chosen = min(free, key=lambda replica: (replica.failed, replica.busy))
            chosen.busy += 1
            return chosen
        ticket: asyncio.Future[_Replica] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (-depth, next(self._arrivals), ticket))
        try:
            return await ticket
        except asyncio.CancelledError:
            if not ticket.cancelled():  # the slot came in the same moment as the end
                self._leave(ticket.result())
            raise

    def _leave(self, replica: _Replica) -> None:
        """Hand the slot to the deepest who still waits, or free it."""
        while self._queue:
            ticket = heapq.heappop(self._queue)[2]
            if not ticket.done():
                ticket.set_result(replica)
                return
        replica.busy -= 1
