"""Samples, options and tools on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.core import Message, ModelError
from engine.models import bodies
from engine.models.bodies import BrokenReply
from engine.models.chat import Reply, Request, Sample, Tool, ToolCall
from engine.models.openai_chat import OpenAIChat
from tests.models.simulated import Act, Simulated, completion, refuses, says, serving

ASK = Request((Message("user", "Sema kitu."),), seed=11, prompt="m/ask@1f")
OPTIONS = ("Ja", "Nein", "不知道")
BAKE = Tool("bake", "Bake.", {"type": "object", "properties": {"x": {"uniqueItems": True}}})


async def ask(*script: Act, **changes: Any) -> tuple[Reply, Simulated]:
    request = Request(ASK.messages, seed=11, prompt=ASK.prompt, **changes)
    async with serving(*script) as server:
        chat = OpenAIChat(server.url, "sim", retries=1, wait_s=(0.001, 0.002))
        try:
            return await chat.chat(request), server
        finally:
            await chat.close()


def choices(*said: tuple[int, str, str]) -> dict[str, Any]:
    listed = [
        {"index": at, "message": {"content": text}, "finish_reason": end} for at, text, end in said
    ]
    return {**completion(), "choices": listed}


async def test_samples_come_in_the_order_of_their_index() -> None:
    answer = choices((2, "tatu", "length"), (0, "moja", "stop"), (1, "mbili", "stop"))
    reply, server = await ask(says(answer), n=3)
    assert server.asked[0]["n"] == 3
    assert reply.texts == ("moja", "mbili", "tatu") and reply.text == "moja"
    assert reply.samples[2] == Sample("tatu", truncated=True)
    assert reply.truncated and reply.tokens_out == 3


async def test_a_plain_question_carries_nothing_of_the_rest() -> None:
    _, server = await ask(says())
    assert server.asked[0].keys() == {"model", "messages", "seed"}


async def test_one_sample_that_the_server_gave_up_on_has_all_asked_for_again() -> None:
    broken = choices((0, "moja", "stop"), (1, "", "abort"))
    whole = choices((0, "moja", "stop"), (1, "mbili", "stop"))
    reply, server = await ask(says(broken), says(whole), n=2)
    assert reply.texts == ("moja", "mbili") and len(server.asked) == 2


async def test_a_refusal_of_samples_says_how_many_were_wanted() -> None:
    with pytest.raises(ModelError, match=r"400 n must be 1; the request wants 4 samples \(n\)"):
        await ask(refuses(400, "n must be 1"), n=4)


async def test_options_constrain_the_reply() -> None:
    reply, server = await ask(says("不知道"), options=OPTIONS)
    assert reply.text == "不知道"
    assert server.asked[0]["structured_outputs"] == {"choice": list(OPTIONS)}


async def test_a_server_that_refuses_the_constraint_is_asked_without_it_from_then_on() -> None:
    no = refuses(400, "Unrecognized request argument supplied: structured_outputs")
    async with serving(no, says("Ja")) as server:
        chat = OpenAIChat(server.url, "sim")
        request = Request(ASK.messages, options=OPTIONS)
        assert [(await chat.chat(request)).text for _ in range(2)] == ["Ja", "Ja"]
        await chat.close()
    assert ["structured_outputs" in sent for sent in server.asked] == [True, False, False]


async def test_a_refusal_for_another_reason_stands() -> None:
    with pytest.raises(ModelError, match="400 prompt too long"):
        await ask(refuses(400, "prompt too long"), options=OPTIONS)


async def test_tools_are_offered_as_functions_and_their_calls_are_read() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "bake", "arguments": '{"x": "包"}'}}
    loose = {"function": {"name": "bake", "arguments": {"x": "\ud83d"}}}
    answer = completion(None, tool_calls=[call, loose], finish="tool_calls")
    reply, server = await ask(says(answer), tools=(BAKE,))
    assert reply.tool_calls == (
        ToolCall("bake", '{"x": "包"}'),
        ToolCall("bake", '{"x": "\ufffd"}'),
    )
    assert reply.text == ""
    parameters = {"type": "object", "properties": {"x": {}}}
    function = {"name": "bake", "description": "Bake.", "parameters": parameters}
    assert server.asked[0]["tools"] == [{"type": "function", "function": function}]


async def test_a_refusal_of_tools_says_what_vllm_has_to_be_started_with() -> None:
    why = '"auto" tool choice requires --enable-auto-tool-choice'
    with pytest.raises(ModelError, match="the request carries tools: vLLM takes them when"):
        await ask(refuses(400, why), tools=(BAKE,))


@pytest.mark.parametrize("calls", [[{}], [{"function": {}}], [3], {"a": 1}])
def test_calls_that_are_none_break_the_reply(calls: Any) -> None:
    with pytest.raises(BrokenReply):
        bodies.read(json.dumps(completion("x", tool_calls=calls)), "m")


def test_only_what_renders_a_chat_decides_its_score() -> None:
    sampling = {"temperature": 1, "documents": None, "extra_body": {"chat_template": "T", "x": 1}}
    assert bodies.rendering(sampling) == {"chat_template": "T"}
