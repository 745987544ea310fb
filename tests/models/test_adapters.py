from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from engine.core import Message, ModelError
from engine.models.adapters import Adapted, Speaking, load
from engine.models.chat import Reply, Request
from engine.models.fake import FakeChat
from engine.models.journal import Journal, Said

NAME = "answerer-0a1b2c3d"


class Server:
    """Takes adapters as vLLM does, and answers through those it has."""

    def __init__(self) -> None:
        self.loaded: set[str] = set()
        self.posts: list[dict[str, Any]] = []
        self.broken = False
        self.root = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.posts.append({**body, "key": request.headers["Authorization"]})
        if self.broken:
            return web.Response(status=400, text="LoRA rank 64 is greater than max_lora_rank 16")
        if body["lora_name"] in self.loaded:
            return web.Response(status=400, text="The lora adapter has already been loaded.")
        self.loaded.add(body["lora_name"])
        return web.Response(text="Success")

    async def chat(self, request: Request) -> Reply:
        name = str(request.sampling.get("model", "base"))
        await asyncio.sleep(0)
        if name != "base" and name not in self.loaded:
            raise ModelError(f"404: The model `{name}` does not exist.")
        return Reply("hello", name)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_post("/v1/load_lora_adapter", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.root = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def adapted(server: Server) -> Adapted:
    return Adapted(server, {NAME: Path("/adapters/one")}, lambda: [(server.root, "secret")])


def asked(model: str = "", role: str = "answerer", text: str = "Hi") -> Request:
    sampling = {"model": model} if model else {}
    return Request((Message("user", text),), sampling, role=role)


async def test_a_server_gets_an_adapter_when_it_is_first_asked_for_it_and_once(
    server: Server,
) -> None:
    chat = adapted(server)
    replies = await asyncio.gather(*(chat.chat(asked(NAME)) for _ in range(8)))
    assert {reply.model for reply in replies} == {NAME}
    assert server.posts == [
        {"lora_name": NAME, "lora_path": "/adapters/one", "key": "Bearer secret"}
    ]


async def test_a_server_that_was_started_anew_gets_it_again(server: Server) -> None:
    chat = adapted(server)
    await chat.chat(asked(NAME))
    server.loaded.clear()
    assert (await chat.chat(asked(NAME))).model == NAME and len(server.posts) == 2


async def test_an_adapter_that_a_server_has_is_no_reason_to_ask_twice(server: Server) -> None:
    server.loaded.add(NAME)
    assert await load((server.root, "k"), NAME, Path("/adapters/one")) is False


async def test_errors_that_are_not_about_an_adapter_stay_what_they_are(server: Server) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        await adapted(server).chat(asked("another"))
    assert not server.posts


async def test_a_server_that_refuses_an_adapter_is_quoted(server: Server) -> None:
    server.broken = True
    with pytest.raises(ModelError, match="greater than max_lora_rank"):
        await adapted(server).chat(asked(NAME))


async def test_a_server_that_is_not_there_is_named(server: Server) -> None:
    with pytest.raises(ModelError, match="did not load the adapter"):
        await load(("http://127.0.0.1:1", "k"), NAME, Path("/adapters/one"))


class Book:
    def __init__(self) -> None:
        self.kept: dict[str, Said] = {}

    def recall(self, key: str) -> Said | None:
        return self.kept.get(key)

    async def keep(self, said: Said) -> None:
        self.kept[said.key] = said


async def test_a_reply_of_one_adapter_is_never_taken_for_that_of_another() -> None:
    chat, current = FakeChat({"": ["base", "one", "two"]}), dict[str, str]()
    speaking = Speaking(Journal(chat, "m", Book()), current)
    said = []
    for name in ("", "a-1", "a-2", "a-1", ""):
        current["answerer"] = name
        said.append((await speaking.chat(asked())).text)
    assert said == ["base", "one", "two", "one", "base"]


async def test_only_the_role_that_was_trained_speaks_through_its_adapter() -> None:
    chat = FakeChat({"": "hello"})
    speaking = Speaking(chat, {"answerer": NAME})
    for role in ("answerer", "asker"):
        await speaking.chat(asked(role=role))
    assert [request.sampling.get("model") for request in chat.asked] == [NAME, None]
