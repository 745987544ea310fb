import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from engine.core import JobError, Message, ModelError
from engine.models.bodies import clean as _clean
from engine.models.chat import Reply, Request
from engine.models.openai_chat import OpenAIChat, _retry_after
from tests.models.simulated import (
    DIES,
    SILENT,
    Act,
    Simulated,
    completion,
    free_port,
    refuses,
    says,
    serving,
)

ASK = Request((Message("user", "Sema kitu."),), {"temperature": 0.5}, seed=11, prompt="m/ask@1f")
FAST = {"wait_s": (0.001, 0.004), "retries": 2}
KEY = "sk-very-secret"


@contextlib.asynccontextmanager
async def client(server: Simulated, **settings: Any) -> AsyncIterator[OpenAIChat]:
    chat = OpenAIChat(server.url, "sim", **{**FAST, **settings})
    try:
        async with asyncio.timeout(20):
            yield chat
    finally:
        await chat.close()


async def ask(*script: Act, request: Request = ASK, **settings: Any) -> tuple[Reply, Simulated]:
    async with serving(*script) as server, client(server, **settings) as chat:
        return await chat.chat(request), server


async def refusal(*script: Act, request: Request = ASK, **settings: Any) -> tuple[str, Simulated]:
    async with serving(*script) as server, client(server, **settings) as chat:
        with pytest.raises(ModelError) as caught:
            await chat.chat(request)
        return str(caught.value), server


async def test_a_reply_carries_text_model_and_tokens_as_the_server_gave_them() -> None:
    reply, server = await ask(says(completion("你好 – हाँ", model="org/served-name")))
    assert reply == Reply("你好 – हाँ", "org/served-name", 7, 3)
    assert server.asked == [
        {
            "model": "sim",
            "messages": [{"role": "user", "content": "Sema kitu."}],
            "seed": 11,
            "temperature": 0.5,
        }
    ]
    assert server.headers[0]["authorization"] == "bearer -"


async def test_the_clients_sampling_wins_and_unknown_fields_are_sent_as_they_are() -> None:
    own = {"temperature": 0.1, "top_k": 20, "seed": None, "extra_body": {"min_p": 0.05}}
    _, server = await ask(says(), sampling=own)
    sent = server.asked[0]
    assert (sent["temperature"], sent["top_k"], sent["min_p"]) == (0.1, 20, 0.05)
    assert "seed" not in sent and "extra_body" not in sent


async def test_a_schema_is_sent_as_response_format_without_what_servers_refuse() -> None:
    schema = {
        "type": "object",
        "properties": {
            "tags": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
            "uniqueItems": {"type": "integer"},
        },
        "required": ["tags"],
    }
    request = Request((Message("user", "x"),), schema=schema)
    _, server = await ask(says("{}"), request=request)
    sent = server.asked[0]["response_format"]
    assert sent["type"] == "json_schema"
    properties = sent["json_schema"]["schema"]["properties"]
    assert properties == {
        "tags": {"type": "array", "items": {"type": "string"}},
        "uniqueItems": {"type": "integer"},
    }
    assert schema["properties"]["tags"]["uniqueItems"]  # type: ignore[index]  # left as it was


async def test_a_reply_cut_by_the_token_limit_is_marked() -> None:
    reply, _ = await ask(says(completion("half a sen", finish="length")))
    assert reply.truncated and reply.text == "half a sen"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"text": None}, ""),
        ({"text": ""}, ""),
        ({"text": None, "refusal": "I would rather not."}, "I would rather not."),
        ({"text": "a \ud800 b"}, "a \ufffd b"),
        ({"text": "\U0001f600 ok"}, "\U0001f600 ok"),
    ],
)
async def test_whatever_the_content_the_text_can_be_written(
    message: dict[str, Any], text: str
) -> None:
    reply, _ = await ask(says(completion(message.pop("text"), **message)))
    assert reply.text == text
    reply.text.encode()


async def test_a_reply_without_usage_or_model_is_still_a_reply() -> None:
    bare = {"choices": [{"message": {"content": "ja"}}], "usage": None}
    reply, _ = await ask(says(bare))
    assert reply == Reply("ja", "sim")


async def test_lone_surrogates_in_a_prompt_do_not_stop_it() -> None:
    request = Request((Message("user", "bad \udc80 byte"),))
    _, server = await ask(says(), request=request)
    assert server.asked[0]["messages"][0]["content"] == "bad \ufffd byte"


@pytest.mark.parametrize(
    "failure",
    [
        refuses(500),
        refuses(503),
        refuses(408),
        refuses(409),
        refuses(425),
        refuses(429, retry_after="0.01"),
        DIES,
        says("a long enough reply", cut=12),
        Act(b'{"choices": [{"message": {"content": "half'),
        Act(b"<html>busy</html>"),
        says({**completion(), "choices": []}),
        says({"error": {"message": "overloaded"}}),
        says(completion("frag", finish="abort")),
        says(completion([{"type": "text"}])),  # type: ignore[arg-type]
        says([]),
        says({"choices": None}),
    ],
    ids=lambda act: f"{act.status}-{act.body[:24]!r}-{act.cut}",
)
async def test_what_may_pass_is_tried_again(failure: Act) -> None:
    reply, server = await ask(failure, failure, says("at last"))
    assert reply.text == "at last"
    assert len(server.asked) == 3
    assert server.asked[0] == server.asked[2]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_what_will_not_pass_is_refused_at_once_in_the_servers_words(status: int) -> None:
    error, server = await refusal(refuses(status, "the model `sim` does not exist"))
    assert len(server.asked) == 1
    assert f"{server.url} (model sim for m/ask@1f) refused" in error
    assert f"{status} the model `sim` does not exist" in error


async def test_a_grammar_error_says_that_a_schema_was_sent() -> None:
    request = Request((Message("user", "x"),), schema={"type": "object"})
    error, _ = await refusal(refuses(400, "Grammar error: bad"), request=request)
    assert "Grammar error: bad; the request carries a JSON schema" in error


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": "model \'x\' not found"}', "model 'x' not found"),
        (b'{"detail": [{"msg": "field required"}]}', "field required"),
        (b'{"object": "error", "message": "too long"}', "too long"),
        (b"plain\n  words", "plain words"),
        (b"", "Error code: 404"),
        (b"x" * 10_000, "x" * 500),
    ],
)
async def test_errors_of_every_shape_are_quoted_briefly(body: bytes, words: str) -> None:
    error, _ = await refusal(Act(body, 404))
    assert words in error and len(error) < 700


async def test_the_key_is_sent_but_never_shown() -> None:
    script = refuses(401, f"Incorrect API key provided: {KEY}")
    async with serving(script) as server, client(server, api_key=KEY) as chat:
        with pytest.raises(ModelError) as caught:
            await chat.chat(ASK)
        assert "Incorrect API key provided: ***" in str(caught.value)
        assert KEY not in f"{caught.value} {chat!r}"
    assert server.headers[0]["authorization"] == f"bearer {KEY}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000/v1",
        "ftp://host/v1",
        "http://",
        "http://me:hunter2@host/v1",
        "https://host/v1?key=hunter2",
    ],
)
def test_an_address_that_is_none_or_holds_a_secret_is_the_users_to_mend(url: str) -> None:
    with pytest.raises(JobError) as caught:
        OpenAIChat(url, "sim")
    assert "hunter2" not in str(caught.value)


async def test_after_the_last_try_the_error_says_what_happened() -> None:
    error, server = await refusal(refuses(503, "engine is starting"))
    assert len(server.asked) == 3
    assert "gave no reply in 3 tries, at last: 503 engine is starting" in error


async def test_without_a_server_the_error_says_so() -> None:
    chat = OpenAIChat(f"http://127.0.0.1:{free_port()}/v1", "sim", **FAST)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"gave no reply in 3 tries.*Cannot connect"):
        await chat.chat(ASK)
    await chat.close()


async def test_a_silent_server_is_left_after_the_time_out() -> None:
    error, server = await refusal(SILENT, timeout_s=0.03, retries=1)
    assert "in 2 tries, at last: nothing within 0.03 s" in error
    assert len(server.asked) == 2


async def test_a_connection_that_the_server_closed_while_idle_costs_nothing() -> None:
    async with serving(says(hangs_up=True)) as server, client(server) as chat:
        assert [(await chat.chat(ASK)).text for _ in range(3)] == ["hello"] * 3


async def test_retry_after_sets_the_wait_up_to_the_longest() -> None:
    clock = asyncio.get_running_loop().time
    start = clock()
    await ask(refuses(429, retry_after="0.08"), says(), wait_s=(0.001, 0.5))
    assert clock() - start >= 0.08
    start = clock()
    await ask(refuses(429, retry_after="3600"), says(), wait_s=(0.001, 0.02))
    assert clock() - start < 10


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "2", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "soon"}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            30.0,
        ),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert _retry_after(headers) == seconds


async def test_connections_do_not_cap_the_calls_in_flight() -> None:
    # every answer is held back until all 150 requests have arrived
    async with serving(says(together=150)) as server, client(server) as chat:
        replies = await asyncio.gather(*(chat.chat(ASK) for _ in range(150)))
    assert len(replies) == 150


async def test_connections_are_used_again() -> None:
    async with serving(says()) as server, client(server) as chat:
        for _ in range(5):
            await chat.chat(ASK)
        assert server.connections == 1


async def test_a_cancelled_call_is_not_tried_again() -> None:
    async with serving(SILENT) as server, client(server) as chat:
        call = asyncio.create_task(chat.chat(ASK))
        await server.reached(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert len(server.asked) == 1


def test_one_client_serves_one_event_loop_after_another() -> None:
    chat = OpenAIChat("http://127.0.0.1:1/v1", "sim")

    async def once() -> str:
        async with serving(says()) as server:
            chat._url = server.url
            reply = await chat.chat(ASK)
            await chat.close()
            return reply.text

    assert [asyncio.run(once()) for _ in range(2)] == ["hello", "hello"]


async def test_a_closed_client_opens_again() -> None:
    async with serving(says()) as server, client(server) as chat:
        await chat.close()
        assert (await chat.chat(ASK)).text == "hello"
        await chat.close()
        assert (await chat.chat(ASK)).text == "hello"


def test_importing_the_module_does_not_import_the_sdk() -> None:
    code = (
        "import sys; import engine.models.openai_chat, engine.models.auto, engine.models.pool;"
        "print([m for m in ('openai', 'aiohttp', 'tenacity') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("text", ["", "Grüße", "مرحبا", "x\ud83d", "\udc00" * 3])
def test_cleaned_text_can_be_encoded_and_whole_text_is_left_alone(text: str) -> None:
    cleaned = _clean(text)
    assert len(cleaned.encode()) >= len(text)
    assert "\ufffd" in cleaned or cleaned == text


def test_very_long_text_is_cleaned() -> None:
    assert _clean("語" * 1_000_000 + "\ud800") == "語" * 1_000_000 + "\ufffd"


async def test_the_sdks_own_retries_are_off_and_its_errors_are_the_cause() -> None:
    async with serving(refuses(400, "bad")) as server, client(server) as chat:
        with pytest.raises(ModelError) as caught:
            await chat.chat(ASK)
    assert isinstance(caught.value.__cause__, openai.BadRequestError)
    assert json.loads(json.dumps(server.asked[0]))["model"] == "sim"
