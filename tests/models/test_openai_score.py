"""Scores and vectors from a server: what is sent, what is read, and what it cannot do."""

from __future__ import annotations

import base64
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.core import Message, ModelError
from engine.models.chat import Request, Scores, Texts, Vector
from engine.models.openai_chat import OpenAIChat
from engine.models.openai_score import stand_in, within
from tests.models.simulated import Act, Simulated, refuses, says, serving

ASKED = Request(
    (Message("user", "Was ist Brot?"), Message("assistant", "Brot 包")),
    {"temperature": 0.9, "max_tokens": 50, "chat_template_kwargs": {"enable_thinking": False}},
    seed=11,
    prompt="m/ask@1f",
)
BARE = Request((Message("assistant", "Brot 包"),))
TEMPLATE = ((1, "<s>"), (2, "user:"), (3, "assistant:"))
END = ((9, "</s>"),)
SAID = ((40, "Brot"), (41, " \ufffd"), (42, "\ufffd"))


def scored(*tokens: tuple[int, str], first: Any = None, **fields: Any) -> dict[str, Any]:
    """An answer of vLLM with the log-probabilities -0.25, -0.5, ... of its prompt's tokens."""
    entries = [
        {str(id_): {"logprob": -0.25 * at, "rank": 1, "decoded_token": text}}
        for at, (id_, text) in enumerate(tokens)
    ]
    return {
        "model": "served",
        "choices": [{"message": {"content": "x"}, "finish_reason": "length"}],
        "prompt_logprobs": [first, *entries[1:]],
        "prompt_token_ids": [id_ for id_, _ in tokens],
        "usage": {"prompt_tokens": len(tokens), "completion_tokens": 1},
        **fields,
    }


def cut(*ids: int) -> Act:
    """An answer of /tokenize."""
    return says({"count": len(ids), "max_model_len": 2048, "tokens": list(ids)})


async def asked(ask: Callable[[OpenAIChat], Awaitable[Any]], *script: Act) -> tuple[Any, Simulated]:
    async with serving(*script) as server:
        chat = OpenAIChat(server.url, "sim", retries=1, wait_s=(0.001, 0.002))
        try:
            return await ask(chat), server
        finally:
            await chat.close()


async def score(*script: Act, request: Request = ASKED) -> tuple[Scores, Simulated]:
    return await asked(lambda chat: chat.score(request), *script)


async def embed(*script: Act, request: Texts) -> tuple[tuple[Vector, ...], Simulated]:
    return await asked(lambda chat: chat.embed(request), *script)


async def test_only_the_tokens_of_the_completion_are_scored() -> None:
    whole = scored(*TEMPLATE, *SAID, *END)
    found, server = await score(says(whole), cut(1, 2, 3, 70, 71, 9))
    assert found.tokens == ("Brot", " \ufffd", "\ufffd")
    assert found.logprobs == (-0.75, -1.0, -1.25)
    assert (found.model, found.tokens_in, found.sum, found.mean_nll) == ("served", 7, -3.0, 1.0)
    assert server.paths == ["/v1/chat/completions", "/tokenize"]


async def test_what_is_sent_renders_the_chat_and_asks_for_nothing_else() -> None:
    _, server = await score(says(scored(*TEMPLATE, *SAID, *END)), cut(1, 2, 3, 70, 9))
    whole, other = server.asked
    assert whole == {
        "model": "sim",
        "messages": [
            {"role": "user", "content": "Was ist Brot?"},
            {"role": "assistant", "content": "Brot 包"},
        ],
        "add_generation_prompt": False,
        "chat_template_kwargs": {"enable_thinking": False},
        "max_tokens": 1,
        "prompt_logprobs": 0,
        "return_token_ids": True,
        "temperature": 0,
    }
    last = other["messages"].pop()
    assert not set(last["content"]) & set("Brot 包")
    assert other["messages"] == whole["messages"][:1]
    assert other["chat_template_kwargs"] == {"enable_thinking": False}


async def test_bare_text_is_scored_in_one_call_without_its_first_token() -> None:
    answer = scored((40, "Brot"), (41, " 包"))
    choice = {**answer.pop("choices")[0], "prompt_logprobs": answer.pop("prompt_logprobs")}
    choice["prompt_token_ids"] = answer.pop("prompt_token_ids")
    found, server = await score(says({**answer, "choices": [choice]}), request=BARE)
    assert (found.tokens, found.logprobs) == ((" 包",), (-0.25,))
    assert server.paths == ["/v1/completions"]
    assert server.asked[0]["prompt"] == "Brot 包"


async def test_minus_infinity_is_a_number() -> None:
    whole = scored(*TEMPLATE, *SAID, *END)
    whole["prompt_logprobs"][4]["41"]["logprob"] = -1e30
    found, _ = await score(says(whole), cut(1, 2, 3, 70, 9))
    assert found.logprobs[1] == -9999.0


@pytest.mark.parametrize("broken", [says({"choices": []}), says([]), refuses(503), refuses(408)])
async def test_what_may_pass_is_tried_again(broken: Act) -> None:
    good = says(scored(*TEMPLATE, *SAID, *END))
    found, server = await score(broken, good, cut(1, 2, 3, 70, 9))
    assert found.tokens and len(server.asked) == 3


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ([says("x")], r"cannot score .*has no prompt_logprobs with token ids"),
        ([refuses(400, "prompt_logprobs: extra")], r"refused: 400 .*; perhaps it cannot score"),
        ([says(scored(*TEMPLATE, *SAID, *END)), refuses(404)], "refused: 404 .*; it cannot score"),
        ([says(scored(*TEMPLATE, *SAID, *END)), says({"ok": 1})], "/tokenize does not know chats"),
    ],
)
async def test_a_server_that_cannot_score_is_named_with_what_it_lacks(
    script: list[Act], why: str
) -> None:
    with pytest.raises(ModelError, match=why):
        await score(*script)


@pytest.mark.parametrize(
    ("ids", "other", "part"),
    [
        ([1, 2, 40, 41, 9], [1, 2, 70, 9], slice(2, 4)),
        ([1, 2, 40, 9], [1, 2, 70, 71, 9], slice(2, 3)),
        ([40, 41], [70], slice(0, 2)),
        ([1, 40], [1, 70], slice(1, 2)),
        ([1, 9], [1, 9], slice(2, 2)),
        ([1, 5, 5, 9], [1, 5, 9], slice(2, 3)),
    ],
)
def test_the_completion_is_what_differs(ids: list[int], other: list[int], part: slice) -> None:
    assert within(ids, other) == part


@pytest.mark.parametrize(
    "text", ["", "0", "Zb", " 0Z ", "b#", "0Zb#7", "包", "\n7" + "長" * 100_000]
)
def test_a_stand_in_shares_no_edge_with_the_completion(text: str) -> None:
    other, bare = stand_in(text), text.strip()
    assert other.strip() == other != ""
    assert not {other[0], other[-1]} & ({text[:1], text[-1:], bare[:1], bare[-1:]} - {""})


def floats(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def vectors(*rows: Any) -> dict[str, Any]:
    data = [{"index": index, "embedding": row} for index, row in rows]
    return {"model": "served", "data": data, "usage": {"prompt_tokens": 7}}


async def test_vectors_come_in_the_order_of_the_texts_in_base64_or_digits() -> None:
    texts = Texts(("Brot", "包\ud800", "नमक"), {"dimensions": 2, "seed": None})
    answer = vectors((2, [0.5, 2.0]), (0, floats(1, 0)), (1, floats(0, 1)))
    found, server = await embed(says(answer), request=texts)
    assert [struct.unpack("<2f", each.floats) for each in found] == [(1, 0), (0, 1), (0.5, 2)]
    assert [each.tokens_in for each in found] == [3, 2, 2], "shares that add up to the whole"
    assert {each.model for each in found} == {"served"}
    assert server.paths == ["/v1/embeddings"]
    assert server.asked == [
        {
            "model": "sim",
            "input": ["Brot", "包\ufffd", "नमक"],
            "encoding_format": "base64",
            "dimensions": 2,
        }
    ]


@pytest.mark.parametrize(
    "broken",
    [
        vectors((0, floats(1))),
        vectors((0, floats(1)), (1, floats(1, 2))),
        vectors((0, ""), (1, "")),
        vectors((0, floats(1)), (1, "no base64!")),
        {"data": None},
        [],
    ],
)
async def test_vectors_that_do_not_fit_the_texts_are_asked_for_again(broken: Any) -> None:
    good = vectors((0, floats(1)), (1, floats(2)))
    found, server = await embed(says(broken), says(good), request=Texts(("a", "b")))
    assert len(found) == 2 and len(server.asked) == 2


async def test_a_server_without_embeddings_is_told() -> None:
    with pytest.raises(ModelError, match="refused: 404 Not Found; it cannot embed"):
        await embed(refuses(404, "Not Found"), request=Texts(("a",)))
