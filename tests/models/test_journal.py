"""No question is paid for twice, and no reply is lost or mistaken for another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from engine.core import Message, ModelError, Stopped
from engine.ledger import Ledger
from engine.models.chat import Reply, Request
from engine.models.fake import FakeChat
from engine.models.journal import Brake, Journal


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path, write=True)) as book:
        yield book


def question(text: str = "Hauptstadt von Kenia?", **sampling: object) -> Request:
    return Request((Message("user", text),), sampling, prompt="ask@1", role="writer")


def answering(*replies: str | Reply) -> FakeChat:
    return FakeChat({"ask": replies})


CUT = Reply("Nai", "fake", 3, 10, truncated=True)
WHOLE = Reply("Nairobi 内罗毕 نيروبي", "fake", 3, 20)


async def test_a_reply_is_durable_before_it_is_given(book):
    reply = await Journal(answering(WHOLE), "m", book).chat(question(temperature=0.5))
    with closing(book.reader()) as other:
        said = other.recall(reply.key)
    assert reply == replace(WHOLE, key=reply.key)
    assert said
    assert (said.text, said.model, said.tokens_in, said.tokens_out) == (WHOLE.text, "fake", 3, 20)
    assert (said.prompt, said.role, said.truncated) == ("ask@1", "writer", False)
    asked = orjson.loads(said.asked)
    assert asked["messages"] == [{"role": "user", "content": "Hauptstadt von Kenia?"}]
    assert asked["sampling"] == {"temperature": 0.5}


async def test_the_same_question_asked_at_once_is_asked_once(book):
    chat = answering("einmal")
    journal = Journal(chat, "m", book)
    replies = await asyncio.gather(*(journal.chat(question()) for _ in range(50)))
    assert {reply.text for reply in replies} == {"einmal"}
    assert len({reply.key for reply in replies}) == 1
    assert len(chat.asked) == 1
    assert (journal.counts.calls, journal.counts.recalled) == (1, 49)


async def test_the_same_question_after_a_restart_is_not_asked(tmp_path):
    for chat in (answering(WHOLE), answering()):
        with closing(Ledger(tmp_path, write=True)) as book:
            reply = await Journal(chat, "m", book).chat(question())
    assert reply.text == WHOLE.text
    assert (reply.model, reply.tokens_in, reply.tokens_out) == ("fake", 3, 20)
    assert chat.asked == []


@pytest.mark.parametrize(
    "other",
    [
        question("Hauptstadt von Ghana?"),
        question(temperature=0.1),
        question(stop=["\n"]),
        replace(question(), seed=1),
        replace(question(), take=1),
        replace(question(), schema={"type": "object"}),
        replace(question(), messages=(Message("system", "Hauptstadt von Kenia?"),)),
        replace(question(), messages=(*question().messages, Message("assistant", ""))),
    ],
)
async def test_what_the_model_sees_makes_another_question(book, other):
    chat = answering("eins", "zwei")
    journal = Journal(chat, "m", book)
    assert (await journal.chat(question())).text == "eins"
    assert (await journal.chat(other)).text == "zwei"


@pytest.mark.parametrize(
    "other",
    [
        replace(question(), prompt="renamed@2"),
        replace(question(), role="judge"),
        replace(question(), depth=9, form="label", language="sw", inputs={"a": 1}),
    ],
)
async def test_what_the_model_does_not_see_makes_the_same_question(book, other):
    chat = answering("eins")
    journal = Journal(chat, "m", book)
    await journal.chat(question())
    assert (await journal.chat(other)).text == "eins"
    assert len(chat.asked) == 1


async def test_the_order_of_sampling_fields_does_not_matter(book):
    chat = answering("eins")
    journal = Journal(chat, "m", book)
    await journal.chat(question(temperature=0.5, top_p=0.9))
    await journal.chat(question(top_p=0.9, temperature=0.5))
    assert len(chat.asked) == 1


async def test_another_model_is_asked_for_itself(book):
    first, second = answering("eins"), answering("zwei")
    assert (await Journal(first, "m", book).chat(question())).text == "eins"
    assert (await Journal(second, "n", book).chat(question())).text == "zwei"


@pytest.mark.parametrize(
    ("first", "before", "after", "asked"),
    [
        (WHOLE, 50, 50, 1),
        (WHOLE, 50, 500, 1),  # complete: any larger limit would have given the same
        (WHOLE, 50, 20, 1),  # and so would a smaller one that it fits in
        (WHOLE, 50, 19, 2),
        (WHOLE, 50, None, 1),
        (WHOLE, None, 20, 1),
        (WHOLE, None, 19, 2),
        (CUT, 10, 10, 1),
        (CUT, 10, 11, 2),  # cut: a larger limit gives more
        (CUT, 10, 5, 2),
        (CUT, 10, None, 2),
        (CUT, None, None, 1),  # cut by the server's own limit
        (CUT, None, 500, 2),
    ],
)
async def test_a_reply_serves_the_limits_it_would_have_met(book, first, before, after, asked):
    chat = answering(first, "neu")
    journal = Journal(chat, "m", book)

    def limited(limit: int | None) -> Request:
        return question(max_tokens=limit) if limit else question()

    await journal.chat(limited(before))
    second = await journal.chat(limited(after))
    assert len(chat.asked) == asked
    assert second.text == (first.text if asked == 1 else "neu")
    assert second.truncated is (first.truncated and asked == 1)
    third = await journal.chat(limited(after))  # whichever it is, it is kept
    assert third == second
    assert len(chat.asked) == asked


async def test_the_models_sampling_wins_and_is_part_of_the_question(book):
    chat = answering("eins", "zwei")
    warm = Journal(chat, "m", book, sampling={"temperature": 1.0, "max_tokens": 7})
    await warm.chat(question(temperature=0.2, top_p=0.9))
    assert chat.asked[0].sampling == {"temperature": 1.0, "top_p": 0.9, "max_tokens": 7}
    await Journal(chat, "m", book).chat(question(temperature=0.2, top_p=0.9))
    assert len(chat.asked) == 2
    await Journal(chat, "m", book).chat(question(temperature=1.0, top_p=0.9, max_tokens=7))
    assert len(chat.asked) == 2


async def test_the_brake_stops_new_calls_but_not_what_is_known(book):
    chat, brake = answering("eins"), Brake()
    journal = Journal(chat, "m", book, brake)
    await journal.chat(question())
    brake.on = True
    assert (await journal.chat(question())).text == "eins"
    with pytest.raises(Stopped):
        await journal.chat(question("neu"))
    assert len(chat.asked) == 1


async def test_tokens_of_new_calls_alone_are_counted_over_all_models(book):
    brake = Brake()
    journals = [Journal(answering(WHOLE), name, book, brake) for name in "mn"]
    for journal in journals:
        await journal.chat(question())
        await journal.chat(question())
    assert brake.spent == 46
    counts = journals[0].counts
    assert (counts.calls, counts.recalled, counts.waiting) == (1, 1, 0)
    assert (counts.tokens_in, counts.tokens_out) == (3, 20)


class Gated:
    """Fails or answers when it is let, in the order it was asked."""

    def __init__(self, *ends: Exception | Reply) -> None:
        self.ends, self.asked, self.gate = list(ends), 0, asyncio.Event()

    async def chat(self, request: Request) -> Reply:
        self.asked += 1
        await self.gate.wait()
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


async def test_a_call_that_fails_leaves_no_trace_and_the_next_asker_tries(book):
    chat = Gated(ModelError("down"), WHOLE)
    journal = Journal(chat, "m", book)
    tasks = [asyncio.create_task(journal.chat(question())) for _ in range(3)]
    await asyncio.sleep(0)
    assert (chat.asked, journal.counts.waiting) == (1, 1)
    chat.gate.set()
    first, *others = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, ModelError)
    assert [reply.text for reply in others] == [WHOLE.text] * 2
    assert chat.asked == 2
    assert len(list(book.calls())) == 1
    assert (journal.counts.calls, journal.counts.waiting) == (1, 0)


async def test_an_asker_that_is_cancelled_leaves_the_question_to_the_next(book):
    chat = Gated(WHOLE)
    journal = Journal(chat, "m", book)
    first, second = (asyncio.create_task(journal.chat(question())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    chat.gate.set()
    assert (await second).text == WHOLE.text
    assert first.cancelled()
    assert chat.asked == 2


async def test_the_brake_holds_back_those_who_waited_for_a_call_that_failed(book):
    chat, brake = Gated(ModelError("down")), Brake()
    journal = Journal(chat, "m", book, brake)
    tasks = [asyncio.create_task(journal.chat(question())) for _ in range(2)]
    await asyncio.sleep(0)
    brake.on = True
    chat.gate.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [ModelError, Stopped]
