"""The least that the benchmarks' work can cost: a plain asyncio program, nothing kept, no retries.

    BENCH_URL=... BENCH_IN=... BENCH_OUT=... BENCH_CONC=64 python tests/benchmarks/floor.py raw

``raw`` writes HTTP by hand, on uvloop where that is installed; ``openai`` is the openai client
with its aiohttp transport, as its documentation shows it. The engine is held against both.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine import loops
from tests.benchmarks import work

Ask = Callable[[str], Awaitable[str]]


def raw(url: str) -> Ask:
    """HTTP/1.1 by hand over connections that are kept."""
    where = urlsplit(url)
    head = f"POST {where.path}/chat/completions HTTP/1.1\r\nHost: {where.netloc}\r\n".encode()
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(prompt: str) -> str:
        turns = [{"role": "user", "content": prompt}]
        body = orjson.dumps({"model": "sim", "messages": turns, "max_tokens": 4096})
        if free:
            reader, writer = free.pop()
        else:
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        answer = await reader.readuntil(b"\r\n\r\n")
        size = int(answer.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        said = await reader.readexactly(size)
        free.append((reader, writer))
        return str(orjson.loads(said)["choices"][0]["message"]["content"])

    return ask


def openai(url: str) -> Ask:
    """The openai client with its aiohttp transport."""
    from openai import AsyncOpenAI, DefaultAioHttpClient

    client = AsyncOpenAI(base_url=url, api_key="-", http_client=DefaultAioHttpClient())

    async def ask(prompt: str) -> str:
        answer = await client.chat.completions.create(
            model="sim", messages=[{"role": "user", "content": prompt}], max_tokens=4096
        )
        return answer.choices[0].message.content or ""

    return ask


async def chain(ask: Ask, seed: dict[str, Any]) -> dict[str, Any]:
    """One row: two calls, and a third where the response asks for it."""
    row, topic, said = seed["row"], seed["topic"], dict[int, str]()
    for call in (1, 2):
        said[call] = await ask(work.prompt(call, row, said, topic))
    if " J1 " in said[2][:32]:
        said[3] = await ask(work.prompt(3, row, said, topic))
    return {"row": row, "instruction": said[1], "response": said[2], "judge": said.get(3)}


async def run(kind: Callable[[str], Ask], seeds: list[str]) -> list[str]:
    """A line for each row, ``BENCH_CONC`` rows at a time."""
    ask, lines = kind(os.environ["BENCH_URL"]), iter(seeds)
    made: list[str] = []

    async def worker() -> None:
        for line in lines:
            made.append(json.dumps(await chain(ask, json.loads(line))))

    await asyncio.gather(*(worker() for _ in range(int(os.environ["BENCH_CONC"]))))
    return made


def main() -> None:
    """Read the seeds, make the rows, write them."""
    seeds = Path(os.environ["BENCH_IN"]).read_text().splitlines()
    if sys.argv[1] == "openai":
        made = asyncio.run(run(openai, seeds))
    else:
        made = loops.run(run(raw, seeds))
    Path(os.environ["BENCH_OUT"]).write_text("\n".join(made) + "\n")


if __name__ == "__main__":
    main()
