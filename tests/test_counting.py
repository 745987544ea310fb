"""Tokens of a chat, as the server that will read it cuts them; counted once, whatever happens."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.asking import COUNTER, Kit
from engine.core import REHEARSAL, Call, Message, ModelError, Record, Stopped
from engine.kit import NoParams
from engine.ledger import Ledger
from engine.models import keeping
from engine.models.adapters import Adapted, Speaking
from engine.models.batch import BatchChat, Waves
from engine.models.chat import Chat, Count, Model, Request
from engine.models.fake import FakeChat
from engine.models.journal import Brake, Journal
from engine.models.openai_chat import OpenAIChat
from engine.models.pool import Pool
from engine.models.rehearsal import Rehearsal
from engine.prompting import Library
from tests.conftest import ROOT
from tests.models.simulated import Act, Simulated, refuses, says, serving

TURNS = (Message("system", "Sei kurz."), Message("user", "Was ist Brot? 面包"))
ASKED = Request(
    TURNS, {"chat_template_kwargs": {"enable_thinking": False}, "top_k": 3}, prompt="count"
)


def kit(chat: Chat, role: str = COUNTER) -> Kit[Any]:
    return Kit(NoParams(), Record("r", "de"), "s", {role: chat}, Library(ROOT / "prompts"))


async def counted(*script: Act) -> tuple[Count, Simulated]:
    async with serving(*script) as server:
        chat = OpenAIChat(server.url, "sim", retries=1, wait_s=(0.001, 0.002))
        try:
            return await chat.count(ASKED), server
        finally:
            await chat.close()


async def test_the_server_cuts_the_chat_as_it_would_before_a_reply() -> None:
    found, server = await counted(says({"count": 5, "tokens": [1, 2, 3, 4, 5]}))
    assert found == Count(5, "sim") and server.paths == ["/tokenize"]
    assert server.asked == [
        {
            "model": "sim",
            "messages": [{"role": m.role, "content": m.content} for m in TURNS],
            "add_generation_prompt": True,
            "chat_template_kwargs": {"enable_thinking": False},
        }
    ]


async def test_what_may_pass_is_tried_again_and_what_will_not_is_named() -> None:
    found, _ = await counted(refuses(503), says({"tokens": [1]}))
    assert found.tokens == 1
    with pytest.raises(ModelError, match=r"404 .*cannot count tokens \(vLLM's /tokenize\)"):
        await counted(refuses(404))
    with pytest.raises(ModelError, match="its /tokenize does not know chats"):
        await counted(says({"ok": True}))


async def test_a_part_is_told_tokens_and_whose_they_are_and_the_record_remembers() -> None:
    chat = FakeChat({"count": 17})
    asking = kit(chat)
    assert (await asking.count(TURNS)).tokens == 17
    assert chat.asked[0].messages == TURNS
    assert asking.hop("step").calls == (Call("count", COUNTER, "fake", ""),)


async def test_a_half_character_is_counted_as_it_would_be_sent() -> None:
    chat = FakeChat({"count": 1})
    await kit(chat).count([Message("user", "a\ud800")])
    assert chat.asked[0].messages[0].content == "a\ufffd"


async def test_a_model_that_only_chats_is_named() -> None:
    class OnlyChats:
        async def chat(self, request: Request) -> Any:
            raise AssertionError("nothing is asked")

    with pytest.raises(ModelError, match="OnlyChats answers chats only; it cannot count tokens"):
        await kit(OnlyChats()).count(TURNS)


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abcde", 2), ("面包", 2), ("x" * 10**6, 250_000)]
)
async def test_the_rehearsal_counts_bytes_and_says_that_it_is_an_estimate(
    text: str, tokens: int
) -> None:
    rehearsal = Rehearsal(ROOT / "taxonomies" / "rehearsal" / "en.yaml")
    found = await kit(rehearsal).count([Message("user", text)])
    assert (found.tokens, found.model) == (tokens, REHEARSAL)


async def test_what_was_counted_is_kept_before_it_is_told_and_never_counted_again(
    tmp_path: Path,
) -> None:
    long = [Message("user", "Wort " * 10_000)]
    with closing(Ledger(tmp_path, write=True)) as book:
        fake = FakeChat({"count": [12_345, 6]})
        first = await kit(Journal(fake, "m", book)).count(long)
        halted = Journal(fake, "m", book, Brake(on=True))
        again = await kit(halted).count(long)
        assert again == first and again.tokens == 12_345 and len(fake.asked) == 1
        with pytest.raises(Stopped):
            await kit(halted).count(TURNS)
        with closing(book.reader()) as other:
            said = other.recall(first.key)
        assert said and len(said.asked) < 300, "a long text is not kept once more for its count"
        assert keeping.shown({"count": True}, said.text) == "12345 tokens"
        assert (said.tokens_in, said.tokens_out) == (0, 0)
        assert (await kit(Journal(fake, "another", book)).count(long)).tokens == 6


async def test_each_text_and_each_template_has_a_count_of_its_own(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path, write=True)) as book:
        journal = Journal(FakeChat({"count": list(range(9))}), "m", book)
        other = replace(ASKED, messages=(Message("system", "Sei lang."), TURNS[1]))
        plain = replace(ASKED, sampling={})
        asked = [ASKED, other, plain, Request(TURNS, {"top_k": 9}, prompt="count")]
        found = [(await journal.count(each)).tokens for each in asked]
        assert found == [0, 1, 2, 2], "what renders nothing does not matter"


async def test_it_passes_through_the_whole_stack() -> None:
    pool = Pool([FakeChat({"count": 3})], 2)
    stack = Speaking(Adapted(pool, {}, lambda: []), {"counter": "adapter"})
    assert isinstance(stack, Model) and (await stack.count(ASKED)).tokens == 3


async def test_a_batch_file_holds_no_counts() -> None:
    with pytest.raises(ModelError, match="model m cannot count tokens by one"):
        await BatchChat(Waves.__new__(Waves), "m", "served").count(ASKED)
