"""LoRA adapters that come while a run is on: who speaks through which, and how servers get them.

Two ``Chat``s stand around the journal. ``Speaking``, above it, names in each request the adapter
that its role has now, so that the name is part of the journal's key. ``Adapted``, below it, makes
servers load an adapter when a call for it fails: a server that was started anew knows nothing of
what the last one had. vLLM takes an adapter at ``/v1/load_lora_adapter`` where it runs with
``--enable-lora`` and VLLM_ALLOW_RUNTIME_LORA_UPDATING, and sees the same files.

Scores are always those of the model without an adapter.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engine.core import ModelError
from engine.models.chat import Chat, Count, Reply, Request, Scores, Texts, Vector, able

LOAD_S = 300.0
"""Seconds that a server has to load an adapter."""
MODEL = "model"
"""The field of a request that names who is to answer."""

Address = tuple[str, str]
"""A server without ``/v1``, and its key."""


class Speaking:
    """A model whose roles may each speak through an adapter."""

    def __init__(self, chat: Chat, current: Mapping[str, str]) -> None:
        """``current``: role -> adapter, as it stands when a call is made."""
        self._chat, self._current = chat, current

    async def chat(self, request: Request) -> Reply:
        """Answer through the role's adapter, where it has one; see ``Chat``."""
        if name := self._current.get(request.role):
            request = replace(request, sampling={**request.sampling, MODEL: name})
        return await self._chat.chat(request)

    async def score(self, request: Request) -> Scores:
        """Score without an adapter; see ``Model``."""
        return await able(self._chat, "score").score(request)

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Embed; see ``Model``."""
        return await able(self._chat, "embed").embed(request)

    async def count(self, request: Request) -> Count:
        """Count; see ``Model``."""
        return await able(self._chat, "count tokens").count(request)


class Adapted:
    """A model whose servers are given an adapter when they are first asked for it."""

    def __init__(
        self,
        chat: Chat,
        folders: Mapping[str, Path],
        servers: Callable[[], Sequence[Address]],
    ) -> None:
        """``folders``: adapter -> where it is; ``servers``: those that are up now."""
        self._chat, self._folders, self._servers = chat, folders, servers
        self._loads: Counter[str] = Counter()
        self._loading = asyncio.Lock()

    async def chat(self, request: Request) -> Reply:
        """Answer; see ``Chat``."""
        name = str(request.sampling.get(MODEL, ""))
        before = self._loads[name]
        try:
            return await self._chat.chat(request)
        except ModelError as error:
            if name not in self._folders or not await self._loaded(name, before):
                raise
            why = error
        try:
            return await self._chat.chat(request)
        except ModelError as error:
            raise error from why

    async def score(self, request: Request) -> Scores:
        """Score; see ``Model``."""
        return await able(self._chat, "score").score(request)

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Embed; see ``Model``."""
        return await able(self._chat, "embed").embed(request)

    async def count(self, request: Request) -> Count:
        """Count; see ``Model``."""
        return await able(self._chat, "count tokens").count(request)

    async def _loaded(self, name: str, before: int) -> bool:
        """Whether a server has loaded it since ``before``; makes them all try where none has."""
        async with self._loading:
            if self._loads[name] == before:
                tries = [load(server, name, self._folders[name]) for server in self._servers()]
                self._loads[name] += any(await asyncio.gather(*tries))
            return self._loads[name] > before


async def load(server: Address, name: str, folder: Path) -> bool:
    """Have a server load an adapter from a full path; False where it had it already.

    Raises:
        ModelError: it cannot; quotes what it said.
    """
    import aiohttp

    root, key = server
    body = {"lora_name": name, "lora_path": str(folder)}
    limit = aiohttp.ClientTimeout(total=LOAD_S)
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=limit, trust_env=False) as session,
            session.post(f"{root}/v1/load_lora_adapter", json=body) as response,
        ):
            said, status = await response.text(), response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ModelError(f"{root} did not load the adapter {name}: {error!r}") from error
    if status >= 400 and "already" not in said:
        told = " ".join(said.split())[:300]
        raise ModelError(f"{root} does not load the adapter {name}: {status} {told}")
    return status < 400
