"""Finds a model for a job that names none: ``use: auto``.

The order is a promise to the user: the server that OPENAI_BASE_URL names, else one that answers
on this machine, else the rehearsal model. A server that was named and does not answer is an
error, never a reason to rehearse: nobody should wake up to a night of invented text.

Why local servers are asked and not guessed: other programs use these ports too, so only a list
of models counts, and a server is called by the name it gives itself there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from engine.core import REHEARSAL, JobError
from engine.models.openai_chat import plain_url

if TYPE_CHECKING:
    import aiohttp

PORTS = (8000, 8080, 11434, 1234)
"""Where vLLM, llama.cpp, Ollama and LM Studio listen unless told otherwise; earlier ones win."""
LOCAL_S = 0.5
"""A server on this machine lists its models in milliseconds."""
NAMED_S = 10.0
OWNERS = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "llamacpp": "llama.cpp",
    "library": "Ollama",
    "organization_owner": "LM Studio",
}
"""Servers by the ``owned_by`` of their models."""
NOT_A_WRITER = re.compile(r"embed|rerank|(?:^|[/_-])(?:bge|e5|gte|minilm)-", re.IGNORECASE)
"""Names of models that answer no chat; the list of models has no field for it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What ``use: auto`` came to."""

    kind: Literal["server", "rehearsal"]
    why: str
    """One sentence to print."""
    url: str = ""
    model: str = REHEARSAL
    api_key: str = field(default="-", repr=False)


@dataclass(frozen=True, slots=True)
class _Listing:
    """A server's answer to GET /models."""

    status: int
    entries: tuple[Mapping[str, Any], ...] = ()

    @property
    def writers(self) -> list[str]:
        """Models that can answer a chat, in the server's order."""
        ids = [entry["id"] for entry in self.entries if "embed" not in str(entry.get("type"))]
        return [name for name in ids if not NOT_A_WRITER.search(name)]

    @property
    def server(self) -> str:
        """The program, as far as it tells."""
        owners = [str(entry.get("owned_by")) for entry in self.entries]
        return next((OWNERS[owner] for owner in owners if owner in OWNERS), "A server")


async def find(
    env: Mapping[str, str], ports: Sequence[int] = PORTS, named_s: float = NAMED_S
) -> Found:
    """The server to use, or the rehearsal model.

    Args:
        env: OPENAI_BASE_URL, OPENAI_MODEL and OPENAI_API_KEY are read.
        ports: of this machine, the preferred first.
        named_s: seconds within which the server that ``env`` names has to answer.

    Raises:
        JobError: OPENAI_BASE_URL is set and is no address, or its server does not answer,
            refuses the key, or leaves open which model is meant.
    """
    if named := env.get("OPENAI_BASE_URL", "").strip():
        return await _named(plain_url(named), env, named_s)
    return await _on_this_machine(env.get("OPENAI_MODEL", "").strip(), ports)


async def _named(url: str, env: Mapping[str, str], named_s: float) -> Found:
    key = env.get("OPENAI_API_KEY", "").strip() or "-"
    model = env.get("OPENAI_MODEL", "").strip()
    listing = await _answer(url, key, named_s)
    if not model:
        model = _only(url, listing)
    return Found("server", f"OPENAI_BASE_URL names {url}; model {model}", url, model, key)


async def _answer(url: str, key: str, named_s: float) -> _Listing:
    """The listing of the server that was named; a server without a list may still chat."""
    import aiohttp

    try:
        async with _session(key, named_s, trust_env=True) as session:
            listing = await _list(session, url)
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or f"nothing within {named_s:g} s"
        raise JobError(f"OPENAI_BASE_URL: {url} does not answer: {why}") from error
    if listing.status in (401, 403):
        raise JobError(f"OPENAI_BASE_URL: {url} refuses the key; check OPENAI_API_KEY")
    if listing.status >= 500:
        raise JobError(f"OPENAI_BASE_URL: {url} answers {listing.status} to GET /models")
    return listing


def _only(url: str, listing: _Listing) -> str:
    models = listing.writers
    if len(models) == 1:
        return models[0]
    if models:
        shown = ", ".join(models[:8]) + (", ..." if len(models) > 8 else "")
        raise JobError(f"OPENAI_MODEL: set it to one of the models of {url}: {shown}")
    raise JobError(
        f"OPENAI_BASE_URL: {url} lists no model that writes text (GET {url}/models: "
        f"{listing.status}); set OPENAI_MODEL, or check that the address ends as it should, "
        "mostly in /v1"
    )


async def _on_this_machine(wanted: str, ports: Sequence[int]) -> Found:
    # Without a key: OPENAI_API_KEY belongs to some other server, and whoever listens on a port
    # of this machine need not be a friend. Without proxies, which do not know this machine.
    async with _session("", LOCAL_S, trust_env=False) as session:
        listings = await asyncio.gather(*(_probe(session, port) for port in ports))
    for port, listing in zip(ports, listings, strict=True):
        if models := listing.writers:
            return _local(port, listing.server, models, wanted)
    tried = ", ".join(map(str, ports))
    return Found(
        "rehearsal",
        "OPENAI_BASE_URL is not set and no model server answers on this machine "
        f"(ports {tried}): the embedded rehearsal model answers",
    )


def _local(port: int, server: str, models: Sequence[str], wanted: str) -> Found:
    model = wanted if wanted in models else models[0]
    others = len(models) - 1
    more = f" (of {others + 1} models; OPENAI_MODEL chooses)" if others else ""
    why = f"{server} on port {port} answers as {model}{more}"
    return Found("server", why, f"http://127.0.0.1:{port}/v1", model)


async def _probe(session: aiohttp.ClientSession, port: int) -> _Listing:
    import aiohttp

    try:
        return await _list(session, f"http://127.0.0.1:{port}/v1")
    except (aiohttp.ClientError, TimeoutError):
        return _Listing(0)  # nobody there, or nobody who speaks HTTP


def _session(key: str, timeout_s: float, *, trust_env: bool) -> aiohttp.ClientSession:
    import aiohttp

    return aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        trust_env=trust_env,
    )


async def _list(session: aiohttp.ClientSession, url: str) -> _Listing:
    async with session.get(f"{url}/models", allow_redirects=False) as response:
        try:
            answer = await response.json(content_type=None)
        except ValueError:  # some page, not a list of models
            return _Listing(response.status)
    entries = answer.get("data") if isinstance(answer, dict) and response.ok else None
    named = [e for e in entries or () if isinstance(e, dict) and isinstance(e.get("id"), str)]
    return _Listing(response.status, tuple(named))
