"""A simulated OpenAI-compatible server: continuous batching without a model, faults on demand.

    python tests/benchmarks/simserver.py --slots 256 --error-500 0.05

The idea: ``slots`` sequences run at a time; each takes ``prefill_s`` and ``token_s`` a token,
whatever the load; who finds no slot waits in line. A slot is handed on at the moment at which
it should have been free, so that the server's own lateness does not add up. Work and faults are
functions of the mark in the prompt (see ``work``), faults also of how often it was asked, so
every client meets the same ones. Zero seconds a token means: at once, and no slots.

``/stats`` counts what was asked and answered, once and more than once. Bytes by hand on
``asyncio.Protocol``: the server must never be what a client waits for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import socket
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parents[2]))  # as a command, too

from engine import loops
from tests.benchmarks import work

REASONS = {200: b"OK", 404: b"Not Found", 429: b"Too Many Requests", 500: b"Internal Server Error"}


@dataclass(frozen=True)
class Manner:
    """How the server behaves; shares are between 0 and 1."""

    slots: int = 64
    prefill_s: float = 0.04
    token_s: float = 0.002
    model: str = "sim"
    error_500: float = 0.0
    refuse_429: float = 0.0
    reset: float = 0.0
    """Share of requests whose connection is reset in place of an answer."""
    hang: float = 0.0
    """Share of requests that are never answered."""
    cut_json: float = 0.0
    """Share of bodies that end in their middle, as a gateway's do; still valid HTTP."""
    cut_text: float = 0.0
    """Share of replies that end in their middle because of their length."""
    empty: float = 0.0
    retry_after_s: float = 1.0
    starts_after: int = 0
    """Requests that get a 503 at the start, as while a model is loaded."""
    dies_after: int = 0
    """Requests after which the server dies once; 0: it lives."""
    returns_after_s: float = 0.5
    metrics: bool = True
    """Whether it tells its load, as vLLM does."""

    @property
    def faults(self) -> list[tuple[str, float]]:
        """The faults that are drawn, with their shares."""
        names = ("error_500", "refuse_429", "reset", "hang", "cut_json", "cut_text", "empty")
        return [(name, getattr(self, name)) for name in names if getattr(self, name)]


@dataclass
class Call:
    """One request for a reply."""

    key: str
    """``ROW.CALL``, or the prompt's own mark where it has none."""
    number: int
    """Which time it is that this is asked, from 1."""
    arrived: float
    to: Client
    row: int = -1
    call: int = 0
    fault: str = ""
    tokens: int = 0
    began: float = 0.0
    timer: asyncio.TimerHandle | None = None
    answered: float = 0.0
    """When a good reply was sent; 0 for never."""


@dataclass
class Counts:
    """What has happened."""

    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    calls: list[Call] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    """When connections were lost."""
    first: float = 0.0
    last: float = 0.0
    most_running: int = 0
    slot_s: float = 0.0


class Server:
    """The server; ``manner`` and ``counts`` may be replaced while it runs."""

    def __init__(self, manner: Manner) -> None:
        self.manner, self.counts = manner, Counts()
        self._running: set[int] = set()
        self._waiting: deque[Call] = deque()
        self._clients: set[Client] = set()
        self._listener: asyncio.Server | None = None
        self._refused = 0
        self._returning: asyncio.Task[None] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def listen(self, port: int = 0) -> None:
        """Take connections, on a free port where none is named."""
        loop = asyncio.get_running_loop()
        self._refused = 0
        made = lambda: Client(self)  # noqa: E731
        self._listener = await loop.create_server(made, "127.0.0.1", port, backlog=4096)
        self.port = self._listener.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Reset what is open and listen no more."""
        if self._listener:
            self._listener.close()
        for client in list(self._clients):
            client.reset()

    # -- requests -----------------------------------------------------------------------------

    def request(self, to: Client, path: bytes, body: bytes) -> None:
        """Take one request; the client is answered now or later."""
        if path.endswith(b"/chat/completions"):
            self._asked(to, body)
        elif path == b"/health":
            to.answer(503 if self._starting() else 200, b"{}")
        elif path.endswith(b"/models"):
            to.answer(200, orjson.dumps({"object": "list", "data": [{"id": self.manner.model}]}))
        elif path == b"/stats":
            to.answer(200, orjson.dumps(self.stats()))
        elif path == b"/again":
            to.answer(200, orjson.dumps(self.again()))
        elif path == b"/metrics" and self.manner.metrics:
            names = ("running", len(self._running)), ("waiting", self._in_line())
            lines = (f'vllm:num_requests_{name}{{engine="0"}} {n}\n' for name, n in names)
            to.answer(200, "".join(lines).encode())
        else:
            to.answer(404, _error("no such path", 404))

    def _asked(self, to: Client, body: bytes) -> None:
        now = asyncio.get_running_loop().time()
        counts, asked = self.counts, orjson.loads(body)
        if self._starting():
            counts.happened["starting"] += 1
            return to.answer(503, _error("the model is being loaded", 503))
        if asked.get("model") != self.manner.model:
            counts.happened["wrong_model"] += 1
            return to.answer(404, _error(f"The model `{asked.get('model')}` does not exist.", 404))
        call = self._call(to, body, now)
        counts.first = counts.first or now
        counts.asked[call.key] += 1
        counts.calls.append(call)
        if self.manner.dies_after and len(counts.calls) == self.manner.dies_after:
            return self._die()
        if call.fault in ("error_500", "refuse_429", "hang", "reset"):
            return self._refuse(call)
        if not self.manner.token_s and not self.manner.prefill_s:
            self._reply(call)
        elif len(self._running) < self.manner.slots:
            self._begin(call, now)
        else:
            self._waiting.append(call)
        return None

    def _call(self, to: Client, body: bytes, now: float) -> Call:
        marks = work.MARK.findall(body)
        if not marks:
            key = f"{work.drawn(body.decode(errors='replace')):x}"
            call = Call(key, self.counts.asked[key] + 1, now, to, tokens=work.MEDIAN)
        else:
            row, number = int(marks[-1][0]), int(marks[-1][1])
            key = f"{row}.{number}"
            made = work.tokens(row, number)
            call = Call(key, self.counts.asked[key] + 1, now, to, row, number, tokens=made)
            if work.follows(row, number).encode() not in body:
                self.counts.happened["out_of_chain"] += 1
        call.fault = self._fault(call)
        to.call = call
        return call

    def _fault(self, call: Call) -> str:
        left = work.share(f"fault {call.key} {call.number}") if self.manner.faults else 1.0
        for name, part in self.manner.faults:
            if left < part:
                self.counts.happened[name] += 1
                return name
            left -= part
        return ""

    def _refuse(self, call: Call) -> None:
        if call.fault == "error_500":
            call.to.answer(500, _error("simulated failure", 500))
        elif call.fault == "refuse_429":
            after = b"Retry-After: %g\r\n" % self.manner.retry_after_s
            call.to.answer(429, _error("simulated limit", 429), after)
        elif call.fault == "reset":
            call.to.reset()

    # -- slots --------------------------------------------------------------------------------

    def _begin(self, call: Call, at: float) -> None:
        call.began = at
        self._running.add(id(call))
        self.counts.most_running = max(self.counts.most_running, len(self._running))
        ends = at + self.manner.prefill_s + call.tokens * self.manner.token_s
        call.timer = asyncio.get_running_loop().call_at(ends, self._end, call, ends)

    def _end(self, call: Call, at: float) -> None:
        self._free(call, at)
        self._reply(call)

    def _free(self, call: Call, at: float) -> None:
        """The slot goes to the next in line, at the moment at which it was free."""
        self._running.discard(id(call))
        call.timer = None
        self.counts.slot_s += at - call.began
        while self._waiting and len(self._running) < self.manner.slots:
            following = self._waiting.popleft()
            if following.to.call is following:
                self._begin(following, max(at, following.arrived))

    def gone(self, call: Call) -> None:
        """Whoever asked has gone: the sequence is aborted, as vLLM does."""
        self.counts.happened["aborted"] += 1
        if call.timer:
            call.timer.cancel()
            self._free(call, asyncio.get_running_loop().time())

    def _in_line(self) -> int:
        return sum(call.to.call is call for call in self._waiting)

    # -- replies ------------------------------------------------------------------------------

    def _reply(self, call: Call) -> None:
        text, finish = self._text(call), "stop"
        if call.fault == "cut_text":
            text, finish = text[: len(text) // 2], "length"
        message = {"role": "assistant", "content": "" if call.fault == "empty" else text}
        said = len(text) // work.CHARS
        body = orjson.dumps(
            {
                "id": f"sim-{len(self.counts.calls)}",
                "object": "chat.completion",
                "created": 1,
                "model": self.manner.model,
                "choices": [{"index": 0, "message": message, "finish_reason": finish}],
                "usage": {"prompt_tokens": 100, "completion_tokens": said},
            }
        )
        if not call.fault:
            self.counts.answered[call.key] += 1
            call.answered = time.monotonic()
        self.counts.last = asyncio.get_running_loop().time()
        call.to.answer(200, body[: len(body) // 2] if call.fault == "cut_json" else body)

    def _text(self, call: Call) -> str:
        return work.reply(call.row, call.call) if call.call else f"A reply to {call.key}."

    # -- life ---------------------------------------------------------------------------------

    def _starting(self) -> bool:
        self._refused += 1
        return self._refused <= self.manner.starts_after

    def _die(self) -> None:
        """As by SIGKILL: nobody listens, all connections are reset; it returns by itself."""
        self.counts.happened["died"] += 1
        self.close()
        self._waiting.clear()
        self._returning = asyncio.get_running_loop().create_task(self._return())

    async def _return(self) -> None:
        await asyncio.sleep(self.manner.returns_after_s)
        await self.listen(self.port)

    def again(self) -> list[int]:
        """For each answer that was asked for again: its age in ms when its client was gone.

        That is the moment of the first connection that was lost after the answer.
        """
        asked: dict[str, list[Call]] = {}
        for call in self.counts.calls:
            asked.setdefault(call.key, []).append(call)
        lost = [calls[i] for calls in asked.values() for i in range(len(calls) - 1)]
        ages = [
            min((at for at in self.counts.lost if at > call.answered), default=0.0) - call.answered
            for call in lost
            if call.answered
        ]
        return sorted(round(1000 * age) for age in ages)

    def stats(self) -> dict[str, Any]:
        """What was asked and answered so far."""
        counts, spent = self.counts, resource.getrusage(resource.RUSAGE_SELF)
        asked, answered = counts.asked.total(), counts.answered.total()
        return {
            "asked": asked,
            "different": len(counts.asked),
            "asked_again": asked - len(counts.asked),
            "answered": answered,
            "answered_again": answered - len(counts.answered),
            "running": len(self._running),
            "waiting": self._in_line(),
            "most_running": counts.most_running,
            "slot_s": counts.slot_s,
            "span_s": counts.last - counts.first,
            "first": counts.first,
            "last": counts.last,
            "cpu_s": spent.ru_utime + spent.ru_stime,
            "happened": dict(counts.happened),
        }


class Client(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._got = bytearray()
        self._transport: Any = None
        self.call: Call | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._server._clients.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._server._clients.discard(self)
        self._server.counts.lost.append(time.monotonic())
        call, self.call = self.call, None
        if call:
            self._server.gone(call)

    def data_received(self, some: bytes) -> None:
        got = self._got
        got += some
        end = got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(got[:end])
        at = head.lower().find(b"content-length:")
        size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(got) < end + 4 + size:
            return
        body = bytes(got[end + 4 : end + 4 + size])
        got.clear()
        self._server.request(self, head.split(b" ", 2)[1], body)

    def answer(self, status: int, body: bytes, headers: bytes = b"") -> None:
        """Send one answer."""
        self.call = None
        if self._transport:
            reason = REASONS.get(status, b"Unavailable")
            kind = b"Content-Type: application/json\r\n"
            length = b"Content-Length: %d\r\n\r\n" % len(body)
            self._transport.write(
                b"HTTP/1.1 %d %b\r\n" % (status, reason) + kind + headers + length + body
            )

    def reset(self) -> None:
        """Reset the connection."""
        transport = self._transport
        self.connection_lost(None)
        if transport:
            held = transport.get_extra_info("socket")
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()


def _error(message: str, status: int) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": "simulated", "code": status}})


@contextlib.contextmanager
def running(manner: Manner) -> Iterator[Server]:
    """A server in a thread of this process, for tests."""
    server, loop, there = Server(manner), asyncio.new_event_loop(), threading.Event()

    async def listen() -> None:
        await server.listen()
        there.set()

    def run() -> None:
        loop.create_task(listen())
        loop.run_forever()
        server.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    there.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def main() -> None:
    """Serve until killed; the first line says where."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    for each in fields(Manner):
        how: dict[str, Any] = {"type": type(each.default)}
        if isinstance(each.default, bool):
            how = {"action": argparse.BooleanOptionalAction}
        parser.add_argument(f"--{each.name.replace('_', '-')}", default=each.default, **how)
    given = vars(parser.parse_args())
    port = given.pop("port")

    async def serve() -> None:
        server = Server(Manner(**given))
        await server.listen(port)
        print(server.url, flush=True)
        await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        loops.run(serve())


if __name__ == "__main__":
    main()
