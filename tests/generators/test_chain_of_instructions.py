from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.chain_of_instructions import GENERATOR
from engine.models.chat import Reply, Request
from engine.text.chains import joiners, listed, stages
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "chain_of_instructions").glob("*.txt"))
PERFORM, PHRASE = "chain_of_instructions/perform", "chain_of_instructions/phrase"
FIRST = "Roadworks: the bus will be late on Tuesday."


def chain(*tasks: str, relevant: bool = True) -> dict[str, Any]:
    return {"tasks": [{"id": t[:1], "task": t} for t in tasks], "relevant": relevant}


def start(*chains: dict[str, Any], language: str = "en", **facts: Any) -> Record:
    facts = {"input": "Text.", "instruction": "old", "followers": [1], **facts}
    return seed("old\n\nText.", language, FIRST, chains=list(chains), **facts)


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.rstrip("\n")


def told(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Drop) else str(outcome.facts["stages"][-1])


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_outputs_as_models_write_them_are_stages_or_drop_by_rule(
    path: Path, bind: Bind
) -> None:
    reply, expected = written(path)
    step, _ = bind(GENERATOR, {PERFORM: reply}, natural=0)
    task = start(chain("summarise", "shorten"), language=path.stem.split("_")[0])
    [outcome] = await step(task)
    assert told(outcome) == expected


async def test_every_stage_works_on_the_output_before_it(bind: Bind) -> None:
    def perform(request: Request) -> str:
        return f"<{request.inputs['given']}>"

    step, chat = bind(GENERATOR, {PERFORM: perform}, natural=0)
    [two, three] = await step(
        start(chain("Sum it up.", "Translate it."), chain("Sum it up.", "Count", "DNA of it"))
    )
    assert isinstance(two, Record) and isinstance(three, Record) and len(chat.asked) == 3
    assert two.last("user") == "Sum it up and then translate it.\n\nText."
    assert three.facts["joined"] == "Sum it up and then count and then DNA of it"
    assert three.facts["stages"] == [FIRST, f"<{FIRST}>", f"<<{FIRST}>>"]
    assert three.last("assistant") == (
        f"Task 1 output/Task 2 input:\n{FIRST}\n\n"
        f"Task 2 output/Task 3 input:\n<{FIRST}>\n\nTask 3 output:\n<<{FIRST}>>"
    )
    assert three.facts["tasks"] == ["S", "C", "D"] and three.facts["followers"] is None


@pytest.mark.parametrize("language", sorted(listed()))
async def test_there_is_one_stage_more_than_joiners_in_every_language(
    language: str, bind: Bind
) -> None:
    step, _ = bind(GENERATOR, {PERFORM: ["b", "c"]}, natural=0)
    [record] = await step(start(chain("x", "y", "z"), language=language))
    assert isinstance(record, Record)
    words = listed()[language]
    found = stages(record.last("assistant"), words)
    assert found == [FIRST, "b", "c"] and joiners(record.facts["joined"], words) + 1 == 3


async def test_a_task_with_the_joiner_in_it_makes_no_chain(bind: Bind) -> None:
    step, _ = bind(GENERATOR, {PERFORM: "b"}, natural=0)
    assert told((await step(start(chain("x and then w", "y"))))[0]) == "joiner_in_task"


async def test_an_instruction_can_be_said_as_one_sentence_and_keeps_the_joined_one(
    bind: Bind,
) -> None:
    step, chat = bind(GENERATOR, {PERFORM: "b", PHRASE: '"Sum it up in Basque."'}, natural=1)
    [record] = await step(start(chain("Sum it up", "Put it into Basque")))
    assert isinstance(record, Record) and record.facts["natural"]
    assert record.last("user") == "Sum it up in Basque.\n\nText."
    assert record.facts["joined"] == "Sum it up and then put it into Basque"
    assert chat.asked[-1].inputs["tasks"] == ["Sum it up", "Put it into Basque"]


async def test_a_sentence_that_was_cut_is_none(bind: Bind) -> None:
    cut = Reply("Sum it up in", "fake", truncated=True)
    step, _ = bind(GENERATOR, {PERFORM: "b", PHRASE: cut}, natural=1)
    assert told((await step(start(chain("Sum it up", "Put it into Basque"))))[0]) == "no_sentence"


async def test_a_cut_stage_ends_its_chain_and_no_other(bind: Bind) -> None:
    def perform(request: Request) -> Reply:
        return Reply("part", "fake", truncated=request.inputs["task"] == "b")

    step, _ = bind(GENERATOR, {PERFORM: perform}, natural=0)
    outcomes = await step(start(chain("a", "b", "c"), chain("a", "d", relevant=False)))
    assert [told(each) for each in outcomes] == ["cut_stage", "part"]
    assert [e.facts["relevant"] for e in outcomes if isinstance(e, Record)] == [False]


async def test_no_chain_and_no_words_drop(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {PERFORM: "b"}, natural=0)
    assert told((await step(start()))[0]) == "no_chain" and not chat.asked
    assert told((await step(start(chain("a", "b"), language="yo")))[0]) == "unworded_language"
