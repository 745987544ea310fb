"""More than one reply in one text: samples, choices, tools, scores and vectors, as a part asks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from engine.asking import BATCH, EMBEDDER, REASKS, SCORER, Kit
from engine.core import Call, Message, ModelError, Record, ReplyError, stable_id
from engine.kit import NoParams
from engine.models.chat import (
    Chat,
    Count,
    Reply,
    Request,
    Sample,
    Scores,
    Texts,
    Tool,
    ToolCall,
    Vector,
)
from engine.models.fake import FakeChat
from engine.prompting import Library, Prompt
from engine.text import hashed
from tests.conftest import ROOT


class Verdict(BaseModel, extra="forbid"):
    good: bool


SAY = Prompt("try/say", reply=str)
JUDGE = Prompt("try/judge", reply=Verdict)
FILES = {
    "say": ("[word, language]", "writer", "Say {{ word }} in {{ language }}."),
    "judge": ("[word]", "judge", "Is {{ word }} good?"),
}
OPTIONS = ("Ja", "Nein", "不知道")
BAKE = Tool(
    "bake",
    "Bake some loaves.",
    {
        "type": "object",
        "properties": {"loaves": {"type": "integer", "minimum": 1}, "kind": {"type": "string"}},
        "required": ["loaves"],
        "additionalProperties": False,
    },
)
REST = Tool("rest", "Let the dough rest.", {"type": "object", "properties": {}})


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "try").mkdir()
    for name, (inputs, role, text) in FILES.items():
        header = f"---\npurpose: Try.\nrole: {role}\ninputs: {inputs}\nsampling: {{top_p: 0.5}}\n"
        body = f'---\n{{% turn "user" %}}{text}{{% endturn %}}\n'
        (tmp_path / f"try/{name}.j2").write_text(header + body)
    return Library(tmp_path, ROOT / "prompts")


Make = Callable[..., Kit[NoParams]]


@pytest.fixture
def made(library: Library) -> Make:
    def make(chat: Chat, roles: tuple[str, ...] = (), depth: int = 0) -> Kit[NoParams]:
        models = dict.fromkeys(("writer", "judge", *roles), chat)
        place = stable_id("1", "step", "seed")
        return Kit(NoParams(), Record("seed", "de"), place, models, library, depth)

    return make


def calls(kit: Kit[Any]) -> tuple[Call, ...]:
    return kit.hop("step").calls


# Several samples


async def test_samples_are_asked_for_in_one_call_and_read_one_by_one(made: Make) -> None:
    chat = FakeChat({"try/judge": ['{"good": true}', '{"good": false}', '{"good": true}']})
    kit = made(chat)
    found = await kit.ask_many(JUDGE, 3, word="tea")
    assert [verdict.good for verdict in found] == [True, False, True]
    [request] = chat.asked
    assert request.n == 3 and request.schema == Verdict.model_json_schema()
    assert len(calls(kit)) == 1


async def test_one_sample_is_the_same_question_as_one_reply(made: Make) -> None:
    chat = FakeChat({"try/say": "ok"})
    await made(chat).ask(SAY, word="tea")
    assert await made(chat).ask_many(SAY, 1, word="tea") == ["ok"]
    assert chat.asked[0] == chat.asked[1]


async def test_takes_of_several_samples_are_other_samples(made: Make) -> None:
    chat = FakeChat({"try/say": "ok"})
    for take in (0, 1, 0):
        await made(chat).ask_many(SAY, 2, take=take, word="tea")
    one, other, again = ((request.seed, request.take) for request in chat.asked)
    assert one == again and one[0] != other[0]


async def test_a_server_that_sends_fewer_is_asked_for_the_rest_with_other_seeds(
    made: Make,
) -> None:
    def only(most: int) -> Callable[[Request], Reply]:
        def answer(request: Request) -> Reply:
            sent = min(most, request.n)
            texts = [Sample(f"{request.seed}-{i}") for i in range(sent)]
            return Reply(texts[0].text, "fake", samples=tuple(texts) if sent > 1 else ())

        return answer

    for most, sizes in ((1, [5, 1, 1, 1, 1]), (2, [5, 2, 1]), (5, [5])):
        chat = FakeChat({"try/say": only(most)})
        found = await made(chat).ask_many(SAY, 5, word="tea")
        assert len(set(found)) == 5
        assert [request.n for request in chat.asked] == sizes
        assert len({request.seed for request in chat.asked}) == len(sizes)


async def test_a_sample_of_the_wrong_shape_is_asked_for_again_alone(made: Make) -> None:
    chat = FakeChat({"try/judge": ['{"good": true}', "perhaps", '{"good": false}']})
    found = await made(chat).ask_many(JUDGE, 2, word="tea")
    assert [verdict.good for verdict in found] == [True, False]
    first, again = chat.asked
    assert again.n == 1 and again.seed != first.seed
    assert again.messages[-2] == Message("assistant", "perhaps")


async def test_a_sample_that_stays_wrong_is_left_out_and_none_at_all_is_an_error(
    made: Make,
) -> None:
    chat = FakeChat({"try/judge": ['{"good": true}', *["no"] * (1 + REASKS)]})
    assert len(await made(chat).ask_many(JUDGE, 2, word="tea")) == 1
    with pytest.raises(ReplyError, match="try/judge: "):
        await made(FakeChat({"try/judge": "no"})).ask_many(JUDGE, 2, word="tea")


async def test_a_cut_sample_of_free_text_is_marked_and_the_others_are_not(made: Make) -> None:
    script = {"try/say": ["whole", Reply("half a", "fake", truncated=True)]}
    whole, half = await made(FakeChat(script)).ask_many(SAY, 2, word="tea")
    assert (whole.truncated, half.truncated) == (False, True)  # type: ignore[attr-defined]


@pytest.mark.parametrize("n", [0, -1])
async def test_no_samples_cannot_be_asked_for(made: Make, n: int) -> None:
    with pytest.raises(ValueError, match="n is 1 or more"):
        await made(FakeChat({})).ask_many(SAY, n, word="tea")


# Choices


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ("Ja", "Ja"),
        (" Nein\n", "Nein"),
        ("「不知道」。", "不知道"),
        ('"ja."', "Ja"),
        ("**NEIN**", "Nein"),
    ],
)
async def test_a_choice_is_one_of_the_options_however_it_is_dressed(
    made: Make, said: str, chosen: str
) -> None:
    chat = FakeChat({"try/say": said})
    assert await made(chat).choose(SAY, OPTIONS, word="tea") == chosen
    assert chat.asked[0].options == OPTIONS and chat.asked[0].schema is None


async def test_a_choice_that_is_none_is_asked_for_again_with_the_options(made: Make) -> None:
    chat = FakeChat({"try/say": ["I would say yes", "Ja"]})
    assert await made(chat).choose(SAY, OPTIONS, word="tea") == "Ja"
    assert "reply with one of Ja | Nein | 不知道" in chat.asked[1].messages[-1].content
    assert chat.asked[1].options == OPTIONS
    with pytest.raises(ReplyError, match="is not one of the options"):
        await made(FakeChat({"try/say": "vielleicht"})).choose(SAY, OPTIONS, word="tea")


async def test_options_that_differ_only_in_case_are_held_apart(made: Make) -> None:
    chat = FakeChat({"try/say": ["PH", "ph", "Ph"]})
    assert await made(chat).choose(SAY, ("PH", "pH"), word="x") == "PH"
    with pytest.raises(ReplyError):
        await made(FakeChat({"try/say": "ph"})).choose(SAY, ("PH", "pH"), word="x")


async def test_an_option_may_have_quotes_of_its_own(made: Make) -> None:
    chat = FakeChat({"try/say": '"a"'})
    assert await made(chat).choose(SAY, ('"a"', "a"), word="x") == '"a"'


@pytest.mark.parametrize("options", [(), ("a",), ("a", "a"), ("a", " b"), ("a", "")])
async def test_options_that_leave_no_choice_are_the_parts_mistake(
    made: Make, options: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="two or more different texts"):
        await made(FakeChat({})).choose(SAY, options, word="x")


# Tools


def calling(*pairs: tuple[str, str], text: str = "") -> Reply:
    return Reply(text, "fake", tool_calls=tuple(ToolCall(*pair) for pair in pairs))


async def test_tool_calls_come_back_as_values_in_the_models_order(made: Make) -> None:
    said = calling(("bake", '{"loaves": 3, "kind": "黑麦"}'), ("rest", ""), text=" Gleich. ")
    chat = FakeChat({"try/say": said})
    found = await made(chat).call_tools(SAY, [BAKE, REST], word="bread")
    assert found.text == "Gleich."
    assert [(call.name, call.arguments) for call in found.calls] == [
        ("bake", {"loaves": 3, "kind": "黑麦"}),
        ("rest", {}),
    ]
    assert chat.asked[0].tools == (BAKE, REST)


async def test_a_model_may_answer_without_calling_any(made: Make) -> None:
    found = await made(FakeChat({"try/say": "Nein."})).call_tools(SAY, [BAKE], word="bread")
    assert (found.text, found.calls) == ("Nein.", ())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (calling(("fry", "{}")), "it calls 'fry'; the tools are bake, rest"),
        (calling(("bake", '{"loaves": 3')), "the arguments of bake are not JSON"),
        (calling(("bake", '{"loaves": 0}')), "loaves: 0 is less than the minimum of 1"),
        (calling(("bake", "{}")), "'loaves' is a required property"),
        (calling(("bake", "[3]")), "they are one JSON object"),
        (Reply("", "fake"), "an empty reply that calls no tool"),
    ],
)
async def test_a_call_that_fits_no_tool_is_asked_for_again_with_the_reason(
    made: Make, said: Reply, why: str
) -> None:
    chat = FakeChat({"try/say": [said, calling(("bake", '{"loaves": 2}'))]})
    found = await made(chat).call_tools(SAY, [BAKE, REST], word="bread")
    assert found.calls[0].arguments == {"loaves": 2}
    assert why in chat.asked[1].messages[-1].content
    assert chat.asked[1].messages[-2].content, "servers refuse an empty turn"
    assert chat.asked[1].tools == (BAKE, REST)


# Scores


BREAD = Scores(("Brot", " ist", " gut"), (-2.0, -0.5, -0.5), "fake", tokens_in=9, key="k1")


async def test_a_completion_is_scored_as_the_reply_to_a_prompt(made: Make) -> None:
    chat = FakeChat({"try/judge": BREAD})
    kit = made(chat)
    found = await kit.score(JUDGE, "Brot ist gut", word="Brot")
    assert found == BREAD
    assert (found.sum, found.mean_nll) == (-3.0, 1.0)
    [request] = chat.asked
    assert request.messages[-1] == Message("assistant", "Brot ist gut")
    assert (request.messages[0].content, request.role) == ("Is Brot good?", "judge")
    [call] = calls(kit)
    assert call == Call(request.prompt, "judge", "fake", "k1", 9)


async def test_turns_and_bare_texts_are_scored_by_the_role_scorer(made: Make) -> None:
    chat = FakeChat({"score": BREAD})
    kit = made(chat, roles=(SCORER,), depth=100)
    await kit.score([Message("user", "Was ist gut?")], "Brot")
    await kit.score(None, "Brot \ud800")
    turns, bare = chat.asked
    assert [message.role for message in turns.messages] == ["user", "assistant"]
    assert bare.messages == (Message("assistant", "Brot \ufffd"),)
    assert {request.role for request in chat.asked} == {SCORER}
    assert [request.depth for request in chat.asked] == [100, 101]


async def test_the_role_that_scores_may_be_named(made: Make) -> None:
    chat = FakeChat({"try/say": BREAD})
    await made(chat, roles=("reference",)).score(SAY, "Brot", role="reference", word="Brot")
    assert chat.asked[0].role == "reference"


async def test_what_has_nothing_to_score_is_said(made: Make) -> None:
    with pytest.raises(ReplyError, match="a blank completion"):
        await made(FakeChat({})).score(SAY, " \n", word="Brot")
    chat = FakeChat({"score": Scores((), (), "fake")})
    with pytest.raises(ReplyError, match="no token of 'x' could be scored"):
        await made(chat, roles=(SCORER,)).score(None, "x")


class OnlyChats:
    async def chat(self, request: Request) -> Reply:
        return Reply("ok", "fake")


async def test_a_model_that_only_chats_says_what_it_cannot_do(made: Make) -> None:
    kit = made(OnlyChats(), roles=(EMBEDDER, SCORER))
    with pytest.raises(ModelError, match="OnlyChats answers chats only; it cannot score"):
        await kit.score(None, "x")
    with pytest.raises(ModelError, match="it cannot embed"):
        await kit.embed(["x"])


async def test_a_role_that_the_part_does_not_declare_is_named(made: Make) -> None:
    with pytest.raises(LookupError, match=r"'scorer', nor do its `roles`"):
        await made(FakeChat({})).score(None, "x")


# Vectors


async def test_without_a_model_texts_are_hashed_and_cost_nothing(made: Make) -> None:
    kit = made(FakeChat({}))
    texts = ["Brot und Salz", "", "面包和盐", "Brot und Salz"]
    found = await kit.embed(texts)
    assert found.shape == (4, hashed.DIMENSION) and found.dtype == np.float32
    assert (found[0] == hashed.vector(texts[0])).all() and (found[0] == found[3]).all()
    assert not found[1].any() and found[2].any()
    assert calls(kit) == (Call("embed", EMBEDDER, hashed.NAME, ""),)


async def test_a_model_is_asked_for_each_text_once_and_gives_unit_vectors(made: Make) -> None:
    chat = FakeChat({}, {"Brot": (3, 4), "盐": (0, -2)})
    kit = made(chat, roles=(EMBEDDER,))
    found = await kit.embed(["盐", "Brot", " ", "Brot"])
    assert found.tolist() == [[0, -1], [pytest.approx(0.6), pytest.approx(0.8)], [0, 0], [
        pytest.approx(0.6), pytest.approx(0.8)]]  # fmt: skip
    assert [request.texts for request in chat.embedded] == [("盐", "Brot")]
    assert len(calls(kit)) == 2


async def test_many_texts_go_in_batches(made: Make) -> None:
    texts = [f"text {n}" for n in range(2 * BATCH + 1)]
    chat = FakeChat({}, {text: (1.0, n) for n, text in enumerate(texts)})
    found = await made(chat, roles=(EMBEDDER,)).embed(texts)
    assert [len(request.texts) for request in chat.embedded] == [BATCH, BATCH, 1]
    assert found[:, 1].argsort().tolist() == list(range(len(texts))), "each text has its own"


async def test_no_text_is_no_vector(made: Make) -> None:
    for roles in ((), (EMBEDDER,)):
        kit = made(FakeChat({}), roles=roles)
        assert len(await kit.embed([])) == 0 and len(await kit.embed([" "])) == 1
        assert calls(kit) == ()


async def test_a_very_long_text_is_embedded_scored_and_chosen_from(made: Make) -> None:
    text = "語 word " * 50_000
    kit = made(FakeChat({"score": BREAD, "try/say": "Ja"}), roles=(SCORER,))
    assert (await kit.embed([text])).any()
    assert await kit.score(None, text) == BREAD
    assert await kit.choose(SAY, OPTIONS, word=text) == "Ja"


# All of them at once


async def test_the_lineage_does_not_depend_on_which_answer_came_first(made: Make) -> None:
    class Slow:
        """Answers in the given order of words."""

        def __init__(self, order: str) -> None:
            self._turns = {word: asyncio.Event() for word in order}
            self._next: Mapping[str, str] = dict(itertools.pairwise(order))
            self._turns[order[0]].set()

        async def _turn(self, word: str) -> None:
            await self._turns[word].wait()
            if after := self._next.get(word):
                self._turns[after].set()

        async def chat(self, request: Request) -> Reply:
            word = str(request.inputs["word"])
            await self._turn(word)
            return Reply("Ja", "fake", key=f"key-{word}")

        async def score(self, request: Request) -> Scores:
            await self._turn("s")
            return BREAD

        async def embed(self, request: Texts) -> tuple[Vector, ...]:
            await self._turn("e")
            return (Vector(b"\0\0\x80?", "fake", key="key-e"),)

        async def count(self, request: Request) -> Count:
            raise AssertionError("nothing is counted")

    found = []
    for order in ("case", "seca", "aces"):
        kit = made(Slow(order), roles=(EMBEDDER, SCORER))
        asked: list[Awaitable[Any]] = [
            kit.choose(SAY, OPTIONS, word="c"),
            kit.ask_many(SAY, 1, word="a"),
            kit.score(None, "x"),
            kit.embed(["x"]),
        ]
        await asyncio.gather(*asked)
        found.append(calls(kit))
    assert found[0] == found[1] == found[2] and len(found[0]) == 4
