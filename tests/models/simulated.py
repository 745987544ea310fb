"""A small OpenAI-compatible server for tests: real sockets on 127.0.0.1, behaviour by script.

Each request is answered by the next ``Act`` of the script; the last act is repeated for ever.
Raw asyncio and not a web framework, because a cut body, a reset and silence are what it is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Act:
    """What the server does with one request."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    """Bytes at the end that are promised but not sent before the connection closes."""
    hangs_up: bool = False
    """Close the connection afterwards without having said so, as vLLM does with idle ones."""
    dies: bool = False
    """Reset the connection in place of an answer."""
    silent: bool = False
    """Never answer."""
    together: int = 1
    """Hold the answer back until this many requests are here."""


def completion(
    text: str | None = "hello", *, model: str = "sim", finish: str = "stop", **message: Any
) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "finish_reason": finish,
            }
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


def says(answer: Any = "hello", **how: Any) -> Act:
    """A 200 with this text, or with this JSON."""
    return Act(
        json.dumps(completion(answer) if isinstance(answer, str) else answer).encode(), **how
    )


def refuses(status: int, message: str = "no", **headers: str) -> Act:
    """An error as vLLM words it; ``retry_after`` becomes the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = {"error": {"message": message, "type": "error", "param": None, "code": status}}
    return Act(json.dumps(error).encode(), status, named)


PATHS = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/tokenize"}
"""Where a request takes the next act; ``paths`` says which each took."""
DIES = Act(dies=True)
SILENT = Act(silent=True)


class Simulated:
    """The server; ``asked`` holds the JSON of every chat request, ``headers`` what came with it."""

    def __init__(self, script: Sequence[Act], models: Sequence[dict[str, Any]] | Act) -> None:
        self._script = list(script)
        listing = {"object": "list", "data": models}
        self._listing = models if isinstance(models, Act) else Act(json.dumps(listing).encode())
        self._here = 0
        self._arrival = asyncio.Condition()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._exchange(reader, writer):
                pass
        self._tasks.discard(task)
        self._open.discard(writer)
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        self.headers.append(headers)
        act = self._act(start.split()[1], raw)
        await self._wait_for(act.together)
        if act.silent:
            await reader.read()  # until the client has had enough
            return False
        if act.dies:
            linger = struct.pack("ii", 1, 0)  # close at once: the client sees a reset
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        writer.write(self._head(act) + act.body[: len(act.body) - act.cut])
        await writer.drain()
        return not (act.cut or act.hangs_up)

    def _act(self, path: str, raw: bytes) -> Act:
        if path == "/v1/models":
            return self._listing
        if path not in PATHS:
            return refuses(404, f"no such path: {path}")
        self.paths.append(path)
        self.asked.append(json.loads(raw))
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    async def reached(self, requests: int) -> None:
        """Until so many requests are here."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: self._here >= requests)

    async def _wait_for(self, together: int) -> None:
        async with self._arrival:
            self._here += 1
            self._arrival.notify_all()
        await self.reached(together)

    def _head(self, act: Act) -> bytes:
        headers = {
            "Content-Type": "application/json",
            **act.headers,
            "Content-Length": str(len(act.body)),
        }
        lines = [f"HTTP/1.1 {act.status} X", *(f"{k}: {v}" for k, v in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def stop(self) -> None:
        for writer in self._open:
            writer.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def serving(
    *script: Act, models: Sequence[dict[str, Any]] | Act = ({"id": "sim", "owned_by": "vllm"},)
) -> AsyncIterator[Simulated]:
    """A server on a free port; ``models`` is what it lists, or how it answers when asked."""
    server = Simulated(script or (says(),), models)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, backlog=1024)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.stop()
        await listener.wait_closed()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
