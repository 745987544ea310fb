"""Tokens of a chat, counted by a real vLLM, are those that it reads when it is asked."""

from __future__ import annotations

import pytest

from engine.core import Message
from engine.models.chat import Request
from tests.server.conftest import Live

TEXTS = [
    "Tell me about bread.",
    "Хлеб пекут в печи.",
    "面包是烤的。",
    "ขนมปังอบในเตา",
    "",
    "a b " * 400,
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_count_is_what_the_server_reads(live: Live, text: str) -> None:
    turns = (Message("system", "Be short."), Message("user", text))
    counted = live.loop.run(live.chat.count(Request(turns)))
    reply = live.loop.run(live.chat.chat(Request(turns, {"max_tokens": 1})))
    assert counted.tokens == reply.tokens_in > 0
    assert counted.model == "tiny"


def test_what_is_longer_than_the_model_takes_is_counted_all_the_same(live: Live) -> None:
    turns = (Message("user", "bread and salt " * 20_000),)
    assert live.loop.run(live.chat.count(Request(turns))).tokens > 20_000
