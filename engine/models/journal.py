"""Every reply kept, before a node sees it; no question is paid for twice.

The key is what the model sees: its identity, the rendered messages, sampling, schema, seed and
take. An edit elsewhere in the job therefore never throws a reply away. ``max_tokens`` is not
part of it, since it does not change what a model says, only where it is cut: a complete reply
serves any limit it fits in, a cut one only the limit that cut it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import orjson

from engine.core import Stopped
from engine.models.chat import Chat, Reply, Request


@dataclass(frozen=True, slots=True)
class Said:
    """A journalled call."""

    key: str
    prompt: str
    role: str
    model: str
    tokens_in: int
    tokens_out: int
    truncated: bool
    max_tokens: int
    """The limit it was asked with; 0 where there was none."""
    seconds: float
    asked: bytes
    """JSON: messages, sampling, schema, seed, take."""
    text: str


class Book(Protocol):
    """Where calls are kept; the ledger is one."""

    def recall(self, key: str) -> Said | None:
        """The call with this key."""
        ...

    async def keep(self, said: Said) -> None:
        """Make a call durable; returns when it is."""
        ...


@dataclass(slots=True)
class Counts:
    """What one model has done since the start; the progress view reads it."""

    calls: int = 0
    recalled: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    waiting: int = 0


@dataclass(slots=True)
class Brake:
    """One switch for all journals of a run: when it is on, no new call is made."""

    on: bool = False
    spent: int = field(default=0)
    """Tokens in and out of all new calls."""


class Journal:
    """A ``Chat`` that answers from the book where it can."""

    def __init__(
        self,
        chat: Chat,
        identity: str,
        book: Book,
        brake: Brake | None = None,
        sampling: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what ``chat`` says in ``book``.

        Args:
            chat: who answers what the book does not know.
            identity: which model that is, with its revision where there is one; part of the key.
            book: where replies are kept.
            brake: when it is on, only the book answers.
            sampling: fields that win over those of every request.
        """
        self._chat, self._identity, self._book = chat, identity, book
        self._brake = brake or Brake()
        self._sampling = dict(sampling or {})
        self._asking: dict[str, asyncio.Future[Reply]] = {}
        self.counts = Counts()

    async def chat(self, request: Request) -> Reply:
        """Answer from the book, else ask and keep.

        Raises:
            Stopped: the brake is on and the book has no answer.
            ModelError: no server answered.
        """
        if self._sampling:
            request = replace(request, sampling={**request.sampling, **self._sampling})
        key, asked = self._key(request)
        while key in self._asking:  # the same question is on its way: wait for that answer
            await asyncio.wait([self._asking[key]])
        said = self._book.recall(key)
        if said and self._serves(said, request):
            self.counts.recalled += 1
            return _reply(said)
        if self._brake.on:
            raise Stopped("no new calls: the run is winding down")
        gate = asyncio.get_running_loop().create_future()
        self._asking[key] = gate
        try:
            return await self._ask(request, key, asked)
        finally:
            del self._asking[key]
            gate.set_result(None)

    async def _ask(self, request: Request, key: str, asked: bytes) -> Reply:
        counts = self.counts
        counts.waiting += 1
        began = time.monotonic()
        try:
            reply = await self._chat.chat(request)
        finally:
            counts.waiting -= 1
        said = Said(
            key, request.prompt, request.role, reply.model, reply.tokens_in, reply.tokens_out,
            reply.truncated, _limit(request), time.monotonic() - began, asked, reply.text,
        )  # fmt: skip
        await self._book.keep(said)
        counts.calls += 1
        counts.tokens_in += reply.tokens_in
        counts.tokens_out += reply.tokens_out
        self._brake.spent += reply.tokens_in + reply.tokens_out
        return replace(reply, key=key)

    def _key(self, request: Request) -> tuple[str, bytes]:
        sampling = {k: v for k, v in request.sampling.items() if k != "max_tokens"}
        asked = orjson.dumps(
            {
                "messages": request.messages,
                "sampling": sampling,
                "schema": request.schema,
                "seed": request.seed,
                "take": request.take,
            },
            option=orjson.OPT_SORT_KEYS,
        )
        mark = hashlib.blake2b(self._identity.encode() + b"\0" + asked, digest_size=16)
        return mark.hexdigest(), asked

    @staticmethod
    def _serves(said: Said, request: Request) -> bool:
        limit = _limit(request)
        if said.truncated:
            return said.max_tokens == limit
        return not limit or said.tokens_out <= limit


def _limit(request: Request) -> int:
    return int(request.sampling.get("max_tokens") or 0)


def _reply(said: Said) -> Reply:
    cut = bool(said.truncated)  # SQLite knows only 0 and 1; a fact must not depend on a restart
    return Reply(said.text, said.model, said.tokens_in, said.tokens_out, cut, said.key)
