"""A model server whose replies depend on the request alone, and that counts what it is asked."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections import Counter
from typing import Any

from aiohttp import web

WORDS = [
    "river",
    "stone",
    "market",
    "letter",
    "window",
    "bread",
    "winter",
    "garden",
    "copper",
    "morning",
    "signal",
    "harvest",
]


def mark(body: dict[str, Any]) -> str:
    """What makes two requests the same question."""
    asked = {k: body.get(k) for k in ("messages", "seed", "temperature", "response_format")}
    return hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=8).hexdigest()


def answer(body: dict[str, Any]) -> str:
    """A reply that is a function of the request: some judges say no, some answers are broken."""
    draw = int(mark(body), 16)
    if body.get("response_format"):
        if draw % 13 == 0:
            return '{"usable": maybe'
        return json.dumps({"usable": draw % 7 > 0})
    if draw % 5 == 0:
        return "Slowly, with yeast and warmth and a good deal of patience."
    return " ".join(WORDS[(draw >> i) % len(WORDS)] for i in range(0, 20 + draw % 25, 3)) + "."


class Server:
    """On a free port, in a thread; counts every question it was sent, and those it answered."""

    def __init__(self, latency_s: float = 0.0) -> None:
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self._latency_s = latency_s
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Server:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        self.routes(app)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._ready.set()

    def routes(self, app: web.Application) -> None:
        """What else it answers: nothing."""

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked[mark(body)] += 1
        await asyncio.sleep(self._latency_s)
        if "POISON" in body["messages"][-1]["content"]:
            return web.json_response({"error": {"message": "no poison here"}}, status=400)
        self.answered[mark(body)] += 1
        message = {"role": "assistant", "content": answer(body)}
        usage = {"prompt_tokens": 20, "completion_tokens": 12, "total_tokens": 32}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response(
            {"id": "x", "object": "chat.completion", "created": 1, "model": "sim"}
            | {"choices": [choice], "usage": usage}
        )
