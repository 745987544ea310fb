"""What goes over the wire is what the SDK would send, and what comes back raises its errors."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import AsyncIterator

import openai
import pytest

from engine.models.wire import Wire
from tests.models.simulated import DIES, Act, Simulated, free_port, refuses, says, serving

PATH = "/chat/completions"


@contextlib.asynccontextmanager
async def wired(url: str) -> AsyncIterator[Wire]:
    http = openai.DefaultAioHttpClient(trust_env=False)
    sdk = openai.AsyncOpenAI(base_url=url, api_key="sk-key", http_client=http)
    wire = Wire(sdk, http)
    try:
        yield wire
    finally:
        await wire.close()


async def post(server: Simulated) -> str:
    async with wired(server.url) as wire:
        return await wire.post(PATH, {"model": "sim"})


async def test_the_headers_are_the_sdks_but_for_those_about_this_machine() -> None:
    async with serving(says()) as server:
        await post(server)
        sdk = openai.AsyncOpenAI(
            base_url=server.url,
            api_key="sk-key",
            http_client=openai.DefaultAioHttpClient(trust_env=False),
        )
        await sdk.post(PATH, body={"model": "sim"}, cast_to=object)
        await sdk.close()
    ours, theirs = server.headers
    about = {name for name in theirs if name.startswith("x-stainless-")}
    assert theirs.keys() - about == ours.keys() and about
    assert {name for name in ours if ours[name] != theirs[name]} <= {"content-length"}
    assert server.asked[0] == server.asked[1]


async def test_the_body_comes_back_as_text_whatever_its_bytes() -> None:
    for body, text in (("{}", "{}"), ('"包 नमक"', '"包 नमक"'), ("", "")):
        async with serving(Act(body.encode())) as server:
            assert await post(server) == text
    async with serving(Act(b'"\xff"')) as server:
        assert await post(server) == '"\ufffd"'
    async with serving(Act("語".encode() * 1_000_000)) as server:
        assert len(await post(server)) == 1_000_000


async def test_a_whole_address_is_taken_as_it_is() -> None:
    async with serving(says()) as server, wired(server.url) as wire:
        await wire.post(f"{server.url.removesuffix('/v1')}/tokenize", {})
        await wire.post(PATH, {})
    assert server.paths == ["/tokenize", "/v1/chat/completions"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (418, openai.APIStatusError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (529, openai.InternalServerError),
    ],
)
async def test_a_refusal_is_the_sdks_own_error(
    status: int, kind: type[openai.APIStatusError]
) -> None:
    async with serving(refuses(status, "no", retry_after="3")) as server:
        with pytest.raises(kind) as caught:
            await post(server)
        sdk = openai.AsyncOpenAI(
            base_url=server.url,
            api_key="k",
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(trust_env=False),
        )
        with pytest.raises(openai.APIStatusError) as theirs:
            await sdk.post(PATH, body={}, cast_to=object)
        await sdk.close()
    assert type(caught.value) is type(theirs.value) is kind
    assert caught.value.status_code == status
    assert caught.value.response.headers["retry-after"] == "3"


@pytest.mark.parametrize("act", [DIES, says("a long enough reply", cut=12)])
async def test_no_answer_or_half_of_one_is_a_lost_connection(act: Act) -> None:
    async with serving(act) as server:
        with pytest.raises(openai.APIConnectionError) as caught:
            await post(server)
    assert str(caught.value.__cause__)


async def test_nobody_there_is_a_lost_connection() -> None:
    async with wired(f"http://127.0.0.1:{free_port()}/v1") as wire:
        with pytest.raises(openai.APIConnectionError) as caught:
            await wire.post(PATH, {})
    assert "Cannot connect" in str(caught.value.__cause__)


async def test_a_packed_answer_is_unpacked() -> None:
    packed = Act(gzip.compress('"包"'.encode()), headers={"content-encoding": "gzip"})
    async with serving(packed) as server:
        assert await post(server) == '"包"'


async def test_a_server_that_has_moved_is_followed_with_what_was_asked() -> None:
    async with serving(says("here")) as there:
        moved = Act(status=307, headers={"location": f"{there.url}{PATH}"})
        async with serving(moved) as server:
            assert "here" in await post(server)
    assert there.asked == [{"model": "sim"}]


async def test_one_connection_serves_call_after_call() -> None:
    async with serving(says()) as server, wired(server.url) as wire:
        for _ in range(5):
            await wire.post(PATH, {})
    assert server.connections == 1
