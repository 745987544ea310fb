"""Every reply kept, before a node sees it; no question is paid for twice.

The key is what the model sees: its identity, the rendered messages, sampling, schema, seed and
take. An edit elsewhere in the job therefore never throws a reply away. ``max_tokens`` is not
part of it, since it does not change what a model says, only where it is cut: a complete reply
serves any limit it fits in, a cut one only the limit that cut it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from engine.core import Stopped
from engine.models import keeping
from engine.models.chat import Chat, Count, Reply, Request, Scores, Texts, Vector, able
from engine.models.keeping import Said as Said

T = TypeVar("T")


class Book(Protocol):
    """Where calls are kept; the ledger is one."""

    def recall(self, key: str) -> Said | Awaitable[Said | None] | None:
        """The call with this key; awaitable where the book is in another process."""
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
        self._asking: dict[str, asyncio.Future[None]] = {}
        self.counts = Counts()

    async def chat(self, request: Request) -> Reply:
        """Answer from the book, else ask and keep.

        Raises:
            Stopped: the brake is on and the book has no answer.
            ModelError: no server answered.
        """
        request = self._ours(request)
        asked = keeping.asked_chat(request)
        key = self._key(asked)
        async with self._alone([key]):
            said = await self._recall(key)
            if said and _serves(said, request):
                self.counts.recalled += 1
                return keeping.read_reply(said, request)
            asking = replace(request, key=key)
            reply, seconds = await self._timed(lambda: self._chat.chat(asking))
            said = Said(
                key, request.prompt, request.role, reply.model, reply.tokens_in, reply.tokens_out,
                reply.truncated, _limit(request), seconds, asked, keeping.written(reply, request),
            )  # fmt: skip
            await self._keep(said)
            return replace(reply, key=key)

    async def score(self, request: Request) -> Scores:
        """Score from the book, else ask and keep; raises as ``chat`` does."""
        request = self._ours(request)
        asked = keeping.asked_scores(request)
        key = self._key(asked)
        async with self._alone([key]):
            if said := await self._recall(key):
                self.counts.recalled += 1
                return keeping.read_scores(said)
            asking = replace(request, key=key)
            ask = able(self._chat, "score").score
            scores, seconds = await self._timed(lambda: ask(asking))
            said = Said(
                key, request.prompt, request.role, scores.model, scores.tokens_in, 0,
                False, 0, seconds, asked, keeping.written_scores(scores),
            )  # fmt: skip
            await self._keep(said)
            return replace(scores, key=key)

    async def count(self, request: Request) -> Count:
        """Count from the book, else ask and keep; a count spends no tokens."""
        request = self._ours(request)
        asked = keeping.asked_count(request)
        key = self._key(asked)
        async with self._alone([key]):
            if said := await self._recall(key):
                self.counts.recalled += 1
                return keeping.read_count(said)
            asking = replace(request, key=key)
            ask = able(self._chat, "count tokens").count
            found, seconds = await self._timed(lambda: ask(asking))
            said = Said(
                key, request.prompt, request.role, found.model, 0, 0,
                False, 0, seconds, asked, str(found.tokens),
            )  # fmt: skip
            await self._keep(said)
            return replace(found, key=key)

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Vectors from the book; those it lacks are asked for together and kept one by one."""
        request = replace(request, sampling={**request.sampling, **self._sampling})
        asked = {text: keeping.asked_vector(text, request.sampling) for text in request.texts}
        keys = {text: self._key(question) for text, question in asked.items()}
        async with self._alone(list(keys.values())):
            found: dict[str, Vector] = {}
            for text, key in keys.items():
                if said := await self._recall(key):
                    found[text] = keeping.read_vector(said)
            self.counts.recalled += len(found)
            if missing := tuple(text for text in keys if text not in found):
                wanted = replace(request, texts=missing)
                ask = able(self._chat, "embed").embed
                vectors, seconds = await self._timed(lambda: ask(wanted))
                new = {
                    text: replace(vector, key=keys[text])
                    for text, vector in zip(missing, vectors, strict=True)
                }
                share = seconds / len(new)
                rows = (_row(v, request.role, share, asked[text]) for text, v in new.items())
                await asyncio.gather(*map(self._keep, rows))
                found |= new
        return tuple(found[text] for text in request.texts)

    def _ours(self, request: Request) -> Request:
        if not self._sampling:
            return request
        return replace(request, sampling={**request.sampling, **self._sampling})

    def _key(self, asked: bytes) -> str:
        mark = hashlib.blake2b(self._identity.encode() + b"\0" + asked, digest_size=16)
        return mark.hexdigest()

    @contextlib.asynccontextmanager
    async def _alone(self, keys: Collection[str]) -> AsyncIterator[None]:
        """Nobody else asks these questions meanwhile; who has them waits for the answers."""
        while asking := [self._asking[key] for key in keys if key in self._asking]:
            await asyncio.wait(asking)
        gate = asyncio.get_running_loop().create_future()
        self._asking.update(dict.fromkeys(keys, gate))
        try:
            yield
        finally:
            for key in keys:
                del self._asking[key]
            gate.set_result(None)

    async def _recall(self, key: str) -> Said | None:
        found = self._book.recall(key)
        return await found if inspect.isawaitable(found) else found

    async def _timed(self, ask: Callable[[], Awaitable[T]]) -> tuple[T, float]:
        """A new call's answer, and the seconds it took."""
        if self._brake.on:
            raise Stopped("no new calls: the run is winding down")
        self.counts.waiting += 1
        began = time.monotonic()
        try:
            return await ask(), time.monotonic() - began
        finally:
            self.counts.waiting -= 1

    async def _keep(self, said: Said) -> None:
        await self._book.keep(said)
        counts = self.counts
        counts.calls += 1
        counts.tokens_in += said.tokens_in
        counts.tokens_out += said.tokens_out
        self._brake.spent += said.tokens_in + said.tokens_out


def _serves(said: Said, request: Request) -> bool:
    limit = _limit(request)
    if said.max_tokens == limit:
        return True
    return not said.truncated and (not limit or said.tokens_out <= limit)


def _limit(request: Request) -> int:
    return int(request.sampling.get("max_tokens") or 0)


def _row(vector: Vector, role: str, seconds: float, asked: bytes) -> Said:
    return Said(
        vector.key, "embed", role, vector.model, vector.tokens_in, 0,
        False, 0, seconds, asked, keeping.written_vector(vector),
    )  # fmt: skip
