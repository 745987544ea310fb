"""What a model server says about its own queue: its Prometheus page, read in one request.

vLLM, SGLang and llama.cpp tell how many requests run and how many wait. That is the one number
that admission is about, told by the one who knows, so it beats every inference from latencies.

A page that is not there is remembered: hosted endpoints have none, and are not asked again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_S = 5.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LARGEST = 4 * 2**20
"""Bytes of a page that are read: vLLM's has some 100 KB."""
FAMILIES: tuple[Mapping[str, str], ...] = (
    {
        "running": "vllm:num_requests_running",
        "waiting": "vllm:num_requests_waiting",
        "memory": "vllm:kv_cache_usage_perc",
        "preemptions": "vllm:num_preemptions_total",
    },
    {
        "running": "sglang:num_running_reqs",
        "waiting": "sglang:num_queue_reqs",
        "memory": "sglang:token_usage",
    },
    {"running": "llamacpp:requests_processing", "waiting": "llamacpp:requests_deferred"},
)
"""The names of the figures, by server."""
_SAMPLE = r"^{name}(?:\{{[^\n]*\}})?[ \t]+([0-9.eE+-]+)(?:[ \t]|\r?$)"


@dataclass(frozen=True, slots=True)
class Load:
    """A server at one moment."""

    running: float
    waiting: float
    memory: float = 0.0
    """Share of the KV cache in use, 0..1; the fullest engine's where there are several."""
    preemptions: float = 0.0
    """Requests that had to give up their place since the server's start."""


class Meter(Protocol):
    """Whoever knows a server's load."""

    async def read(self) -> Load | None:
        """The load; ``None`` where it cannot be told now."""
        ...

    async def close(self) -> None:
        """Let go of connections; a later read opens new ones."""
        ...

    @property
    def hopeless(self) -> bool:
        """There is no use in asking again."""
        ...


def parse(page: str) -> Load | None:
    """The load on a Prometheus page, all engines of a server together; ``None`` for none."""
    for family in FAMILIES:
        found = {figure: _values(page, name) for figure, name in family.items()}
        if found["running"] and found["waiting"]:
            return Load(
                sum(found["running"]),
                sum(found["waiting"]),
                max(found.get("memory") or [0.0]),
                sum(found.get("preemptions") or [0.0]),
            )
    return None


def _values(page: str, name: str) -> list[float]:
    """The figure of that name, once for each set of labels."""
    values = []
    for text in re.findall(_SAMPLE.format(name=re.escape(name)), page, re.MULTILINE):
        try:
            values.append(float(text))
        except ValueError:  # such as "1e": a page cut in the middle
            continue
    return values


def address(url: str) -> str:
    """Where the page of the server with this base URL is: beside its ``/v1``."""
    return url.rstrip("/").removesuffix("/v1") + "/metrics"


class MetricsPage:
    """The Prometheus page of one server.

    Args:
        url: base URL of the server, ending in /v1.
        api_key: sent along; vLLM does not ask for it here, proxies do.
    """

    def __init__(self, url: str, api_key: str = "-") -> None:
        self._address, self._api_key = address(url), api_key or "-"
        self._session: aiohttp.ClientSession | None = None
        self._known = False
        self._hopeless = False

    @property
    def hopeless(self) -> bool:
        """The server has answered, and has no such page."""
        return self._hopeless

    async def read(self) -> Load | None:
        """The load; see ``Meter``."""
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self._api_key}"},
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                trust_env=urlsplit(self._address).hostname not in LOOPBACK,
            )
        try:
            async with self._session.get(self._address, allow_redirects=False) as response:
                page = await response.content.read(LARGEST) if response.ok else b""
                while page and (more := await response.content.read(LARGEST - len(page))):
                    page += more
        except (aiohttp.ClientError, TimeoutError):
            return None  # nobody there now: calls will tell
        load = parse(page.decode("utf-8", "replace"))
        self._known = self._known or load is not None
        # a server that starts may refuse for a while (503); one that has no page says so (404)
        self._hopeless = not self._known and response.status < 500 and load is None
        return load

    async def close(self) -> None:
        """Close the connection; a later read opens a new one."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
