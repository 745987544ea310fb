"""Samples, choices, scores, tools and embeddings, asked of a real vLLM as the engine asks."""

from __future__ import annotations

import math

import pytest

from engine.core import Message, ModelError
from engine.models.chat import Request, Scores, Texts, Tool
from tests.server.conftest import Live

ASKED = Message("user", "Tell me about bread.")
TEXTS = ["Bread is baked.", "Хлеб пекут в печи.", "面包是烤的。", "one", " two words ", "0Zb#7"]


def score(live: Live, *messages: Message) -> Scores:
    return live.loop.run(live.chat.score(Request(messages)))


def test_several_samples_come_with_one_reply(live: Live) -> None:
    request = Request((ASKED,), {"max_tokens": 24}, n=4, seed=3)
    reply = live.loop.run(live.chat.chat(request))
    assert len(set(reply.texts)) == 4 and reply.text == reply.texts[0]
    assert reply.tokens_out == 4 * 24


def test_a_reply_is_one_of_the_options(live: Live) -> None:
    options = ("bread", "вода", "塩")
    found = {
        live.loop.run(live.chat.chat(Request((ASKED,), options=options, seed=seed))).text
        for seed in range(8)
    }
    assert found <= set(options) and len(found) > 1


@pytest.mark.parametrize("text", TEXTS)
def test_the_scored_tokens_are_those_of_the_completion_and_no_others(live: Live, text: str) -> None:
    scores = score(live, ASKED, Message("assistant", text))
    ids = live.post("/tokenize", prompt=text, add_special_tokens=False).json()["tokens"]
    assert len(scores.tokens) == len(ids)
    if "\ufffd" not in (joined := "".join(scores.tokens)):  # where no token ends in a character
        assert joined == text
    assert all(math.isfinite(value) and value <= 0 for value in scores.logprobs)
    assert scores.tokens_in > len(scores.tokens)


def test_bare_text_is_scored_but_for_the_token_that_has_nothing_before_it(live: Live) -> None:
    text = "Bread is baked in an oven."
    scores = score(live, Message("assistant", text))
    assert text.endswith("".join(scores.tokens)) and len(scores.tokens) > 3


def test_what_stands_before_a_completion_changes_its_score(live: Live) -> None:
    said = Message("assistant", "Bread is baked.")
    one, other = (score(live, Message("user", text), said) for text in ("Bread?", "Tides?"))
    assert one.tokens == other.tokens and one.logprobs != other.logprobs
    assert score(live, Message("user", "Bread?"), said).mean_nll == pytest.approx(one.mean_nll, 0.1)


def test_tools_without_a_parser_are_refused_with_what_to_start_it_with(live: Live) -> None:
    tool = Tool("bake", "Bake.", {"type": "object", "properties": {"loaves": {"type": "integer"}}})
    with pytest.raises(ModelError, match=r"400 .*--tool-call-parser PARSER"):
        live.loop.run(live.chat.chat(Request((ASKED,), {"max_tokens": 8}, tools=(tool,))))


def test_a_server_that_generates_says_that_it_does_not_embed(live: Live) -> None:
    with pytest.raises(ModelError, match=r"404 .*it cannot embed"):
        live.loop.run(live.chat.embed(Texts(("bread",))))
