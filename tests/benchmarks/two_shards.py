"""Calls per second of two processes and of one, where the client is what holds things up.

    python tests/benchmarks/two_shards.py [--seeds 3000] [--times 3] [--shards 2]

A server that answers at once (an asyncio protocol in a process of its own, some 0.04 ms of CPU a
call) and a job of two or three chained calls a seed, run through the public API in a process of
its own, with all that a run has. Runs with one process and with several take turns; each is timed
by the server, from its first request to its last. The ratio is the median of the pairs'.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).parents[2]
TALE = "The river rises in the hills and carries salt, timber and letters to the harbour. " * 8
VERDICT = json.dumps({"tag": "tale", "score": 4, "reason": "It does what it was asked to do."})


def reply(text: str) -> bytes:
    """A whole HTTP response with a chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    body = json.dumps(
        {"id": "x", "object": "chat.completion", "created": 1, "model": "sim"}
        | {"choices": [{**choice, "finish_reason": "stop"}]}
        | {"usage": {"prompt_tokens": 200, "completion_tokens": 150, "total_tokens": 350}}
    ).encode()
    return framed(b"200 OK", body)


def framed(status: bytes, body: bytes) -> bytes:
    """A response with its length."""
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


PLAIN, JUDGED = reply(f"A tale. J1 {TALE}"), reply(VERDICT)
NOT_FOUND = framed(b"404 Not Found", b"{}")


class Instant(asyncio.Protocol):
    """A connection to the server; all of them share ``moments``: first request, last, number."""

    moments: ClassVar[list[float]] = [0.0, 0.0, 0.0]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._got = transport, b""

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = self._got[:end].lower()
            _, _, length = head.partition(b"content-length:")
            size = end + 4 + int(length.split(b"\r\n")[0] or 0)
            if len(self._got) < size:
                return
            body, self._got = self._got[end + 4 : size], self._got[size:]
            self._transport.write(self._answer(head, body))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        moments = self.moments
        if b"/chat/completions" in head:
            moments[:] = [moments[0] or time.monotonic(), time.monotonic(), moments[2] + 1]
            return JUDGED if b".3]]" in body else PLAIN
        if b"/told" in head:
            told = [moments[2], moments[1] - moments[0], time.process_time()]
            moments[:] = [0.0, 0.0, 0.0]
            return framed(b"200 OK", json.dumps(told).encode())
        return NOT_FOUND


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Instant, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def told(port: int) -> tuple[float, float, float]:
    """Calls, seconds from the first to the last, and the server's own CPU seconds."""
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/told") as answer:
        calls, seconds, cpu = json.loads(answer.read())
    return calls, seconds, cpu


def one(port: int, seeds: Path, shards: int) -> float:
    """Calls per second of one run."""
    with tempfile.TemporaryDirectory(prefix="two-shards-") as work:
        given = {
            "BENCH_URL": f"http://127.0.0.1:{port}/v1",
            "BENCH_IN": str(seeds),
            "BENCH_OUT": f"{work}/out.jsonl",
            "BENCH_CONC": "128",
            "BENCH_WORK": work,
            "BENCH_SHARDS": str(shards),
            "PYTHONPATH": str(ROOT),
        }
        before = told(port)[2]
        client = [sys.executable, str(ROOT / "tests/benchmarks/client.py")]
        subprocess.run(client, env=os.environ | given, check=True, stdout=subprocess.DEVNULL)
    calls, seconds, served = told(port)
    print(
        f"{shards} process{'es' * (shards > 1):2}: {calls / seconds:7.0f} calls/s"
        f"  ({calls:.0f} calls; the server took {served - before:.1f} s of CPU)",
        flush=True,
    )
    return calls / seconds


def main() -> None:
    read = argparse.ArgumentParser()
    read.add_argument("--seeds", type=int, default=3000)
    read.add_argument("--times", type=int, default=3)
    read.add_argument("--shards", type=int, default=2)
    read.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = read.parse_args()
    if asked.serve:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve())
        return
    words = [sys.executable, __file__, "--serve"]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server,
        tempfile.NamedTemporaryFile("w", suffix=".jsonl") as seeds,
    ):
        assert server.stdout
        port = int(server.stdout.readline())
        for row in range(asked.seeds):
            seeds.write(json.dumps({"row": row, "topic": f"topic {row}"}) + "\n")
        seeds.flush()
        try:
            ratios = []
            for _ in range(asked.times):
                alone = one(port, Path(seeds.name), 1)
                ratios.append(one(port, Path(seeds.name), asked.shards) / alone)
        finally:
            server.terminate()
    print(f"ratio, median of {asked.times}: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
