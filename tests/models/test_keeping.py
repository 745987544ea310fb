"""Samples, choices, tool calls, scores and vectors are journalled as plain replies are."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.core import Message, Stopped
from engine.ledger import Ledger
from engine.models import keeping
from engine.models.chat import Reply, Request, Sample, Scores, Texts, Tool, ToolCall
from engine.models.fake import FakeChat
from engine.models.journal import Brake, Journal

ASK = Request((Message("user", "Hauptstadt von Kenia?"),), prompt="ask@1", role="writer")
COMPLETED = replace(ASK, messages=(*ASK.messages, Message("assistant", "Nairobi 内罗毕")))
TOOL = Tool("look_up", "Look up.", {"type": "object"})
SCORES = Scores(("Nai", "robi", " \ufffd"), (-0.1, -2.5e-05, -9999.0), "fake", tokens_in=9)
CALLED = Reply("", "fake", 3, 20, tool_calls=(ToolCall("look_up", '{"q": "内罗毕"}'),))
VECTORS = {"Brot": (0.1, -2.0), "盐": (3.0, 4e-30), "नमक": (1.0, 1.0)}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path, write=True)) as book:
        yield book


def model(**script: Any) -> FakeChat:
    return FakeChat(script, VECTORS)


@pytest.mark.parametrize(
    ("request_", "sampling", "key"),
    [
        (Request(ASK.messages), None, "70da9409efae85a54ccc579ce3ff4b48"),
        (
            Request(
                (Message("system", "简短回答。"), Message("user", '肯尼亚的首都？\n"१"')),
                {"temperature": 0.7, "max_tokens": 50, "stop": ["\n"]},
                {"type": "object", "properties": {"b": {"type": "string"}}},
                seed=11,
                take=2,
                prompt="p@1",
                role="judge",
                depth=4,
            ),
            {"top_p": 0.9},
            "6c0c29a4e26278b31c02f1956889730a",
        ),
    ],
)
async def test_a_plain_question_has_the_key_that_journals_of_the_first_version_hold(
    book: Ledger, request_: Request, sampling: dict[str, Any] | None, key: str
) -> None:
    chat = FakeChat({"": "x", "p": "x"})
    reply = await Journal(chat, "org/model", book, sampling=sampling).chat(request_)
    assert reply.key == key
    said = book.recall(key)
    assert said and said.text == "x", "and the reply is kept as its bare text"


@pytest.mark.parametrize(
    "request_",
    [
        replace(ASK, n=2),
        replace(ASK, n=3),
        replace(ASK, options=("Ja", "Nein")),
        replace(ASK, options=("Nein", "Ja")),
        replace(ASK, tools=(TOOL,)),
        replace(ASK, tools=(replace(TOOL, description="Find."),)),
    ],
)
async def test_what_is_asked_besides_makes_another_question(
    book: Ledger, request_: Request
) -> None:
    chat = model(ask="Nairobi")
    journal = Journal(chat, "m", book)
    keys = {(await journal.chat(each)).key for each in (ASK, request_, ASK, request_)}
    assert len(keys) == len(chat.asked) == 2


SAMPLES = Reply(
    "Nairobi", "fake", 3, 20, True, samples=(Sample("Nairobi"), Sample("内罗", truncated=True))
)


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (replace(ASK, n=2), SAMPLES),
        (replace(ASK, n=2), Reply("only one", "fake", 3, 20)),
        (replace(ASK, tools=(TOOL,)), CALLED),
        (replace(ASK, tools=(TOOL,)), Reply("no call", "fake", 3, 20)),
        (replace(ASK, options=("Ja", "Nein")), Reply("Ja", "fake", 3, 1)),
    ],
)
async def test_a_reply_is_the_same_after_a_restart(
    tmp_path: Path, request_: Request, reply: Reply
) -> None:
    found = []
    for script in ({"ask": reply}, {}):
        chat = FakeChat({"ask": lambda _: reply} if script else {})
        with closing(Ledger(tmp_path, write=True)) as book:
            found.append(await Journal(chat, "m", book).chat(request_))
    assert chat.asked == []
    assert found[0] == found[1] == replace(reply, key=found[0].key)


async def test_samples_cut_by_a_limit_serve_only_that_limit(book: Ledger) -> None:
    chat = FakeChat({"ask": lambda _: SAMPLES})
    journal = Journal(chat, "m", book)
    for limit in (20, 20, 40):
        await journal.chat(replace(ASK, n=2, sampling={"max_tokens": limit}))
    assert len(chat.asked) == 2


async def test_scores_are_the_same_after_a_restart(tmp_path: Path) -> None:
    found = []
    for chat in (model(ask=SCORES), model()):
        with closing(Ledger(tmp_path, write=True)) as book:
            journal = Journal(chat, "m", book)
            found.append(await journal.score(COMPLETED))
    assert chat.asked == []
    assert found[0] == found[1] == replace(SCORES, key=found[0].key)
    assert (journal.counts.calls, journal.counts.recalled) == (0, 1)


async def test_a_score_is_no_chat_and_depends_on_how_the_chat_is_rendered(book: Ledger) -> None:
    chat = FakeChat({"ask": [SCORES, "Nairobi", SCORES]})
    journal = Journal(chat, "m", book)
    await journal.score(COMPLETED)
    await journal.chat(COMPLETED)
    hotter = replace(COMPLETED, seed=5, take=1, sampling={"temperature": 2, "max_tokens": 9})
    await journal.score(hotter)
    assert len(chat.asked) == 2, "neither temperature nor seed changes a score"
    await journal.score(replace(COMPLETED, sampling={"chat_template_kwargs": {"thinking": False}}))
    assert len(chat.asked) == 3


async def test_vectors_are_kept_by_text_whatever_was_sent_with_it(book: Ledger) -> None:
    chat = model()
    journal = Journal(chat, "m", book)
    first = await journal.embed(Texts(("Brot", "盐"), role="embedder"))
    second = await journal.embed(Texts(("नमक", "盐", "Brot")))
    assert [each.texts for each in chat.embedded] == [("Brot", "盐"), ("नमक",)]
    assert second[1:] == (first[1], first[0])
    assert struct.unpack("<2f", second[0].floats) == (1.0, 1.0)
    assert (journal.counts.calls, journal.counts.recalled) == (3, 2)
    assert len({vector.key for vector in second}) == 3
    said = book.recall(first[0].key)
    assert said and (said.prompt, said.role, said.tokens_in) == ("embed", "embedder", 1)


async def test_vectors_of_another_size_are_other_vectors(book: Ledger) -> None:
    chat = model()
    for sampling in ({"dimensions": 2}, {}, {"dimensions": 2}):
        await Journal(chat, "m", book, sampling=sampling).embed(Texts(("Brot",)))
    assert [each.sampling for each in chat.embedded] == [{"dimensions": 2}, {}]


async def test_texts_that_overlap_and_are_asked_at_once_are_asked_once(book: Ledger) -> None:
    chat = model()
    journal = Journal(chat, "m", book)
    wanted = [("Brot", "盐"), ("盐", "नमक"), ("नमक", "Brot"), ("盐",)]
    async with asyncio.timeout(10):
        found = await asyncio.gather(*(journal.embed(Texts(texts)) for texts in wanted))
    asked = [text for each in chat.embedded for text in each.texts]
    assert sorted(asked) == sorted(VECTORS)
    for texts, vectors in zip(wanted, found, strict=True):
        assert [struct.unpack("<2f", v.floats)[0] for v in vectors] == [
            pytest.approx(VECTORS[text][0]) for text in texts
        ]


async def test_the_brake_holds_back_scores_and_vectors_too(book: Ledger) -> None:
    brake = Brake()
    journal = Journal(model(ask=SCORES), "m", book, brake)
    await journal.score(COMPLETED)
    await journal.embed(Texts(("Brot",)))
    assert brake.spent == 9 + 1
    brake.on = True
    assert (await journal.score(COMPLETED)).tokens == SCORES.tokens
    assert len(await journal.embed(Texts(("Brot",)))) == 1
    with pytest.raises(Stopped):
        await journal.embed(Texts(("Brot", "盐")))
    with pytest.raises(Stopped):
        await journal.score(replace(COMPLETED, messages=COMPLETED.messages[1:]))


async def test_what_was_kept_is_shown_as_text_for_people(book: Ledger) -> None:
    journal = Journal(FakeChat({"ask": [SAMPLES]}, VECTORS), "m", book)
    journal_of = Journal(FakeChat({"ask": lambda r: CALLED if r.tools else SCORES}), "s", book)
    keys = [
        (await journal.chat(replace(ASK, n=1))).key,
        (await journal_of.score(COMPLETED)).key,
        (await journal_of.chat(replace(ASK, tools=(TOOL,)))).key,
        *(vector.key for vector in await journal.embed(Texts(("Brot",)))),
    ]
    shown = [
        keeping.shown(orjson.loads(said.asked), said.text)
        for said in filter(None, map(book.recall, keys))
    ]
    assert shown[0] == "Nairobi"
    assert shown[1].splitlines()[0].split() == ["-0.1000", "'Nai'"]
    assert shown[2] == 'look_up({"q": "内罗毕"})'
    assert shown[3] == "(a vector of 2 numbers)"
    several = keeping.written(SAMPLES, replace(ASK, n=2))
    assert keeping.shown({"n": 2}, several) == "Nairobi\n---\n内罗"
