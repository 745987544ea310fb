"""GLAN's answers: kept where they are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core import Drop, Record
from engine.generators.glan_answers import GENERATOR
from engine.models.chat import Reply
from engine.prompting import Library
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "glan_answers").glob("*.txt"))
QUESTION = "Muss das Volk im April gefüttert werden?"


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_answers_as_models_write_them_are_kept_or_drop_by_rule(
    path: Path, bind: Bind
) -> None:
    text, expected = written(path)
    step, _ = bind(
        GENERATOR,
        {"glan_answers/answer": Reply(text, "fake", truncated="_cut" in path.stem)},
    )
    [outcome] = await step(seed(QUESTION, language=path.stem.split("_")[0], concepts=["Futter"]))
    if isinstance(outcome, Drop):
        assert outcome.reason == expected
        return
    assert expected == "keep"
    assert [turn.content for turn in outcome.messages] == [QUESTION, text.strip()]
    assert outcome.facts["concepts"] == ["Futter"] and outcome.id == "seed"


async def test_the_answerer_sees_the_question_and_nothing_else(
    bind: Bind, prompts: Library
) -> None:
    step, chat = bind(GENERATOR, {"glan_answers/answer": "Ja."})
    [record] = await step(seed(QUESTION, "de", syllabus=[{"title": "Geheim", "concepts": ["x"]}]))
    assert isinstance(record, Record)
    assert set(chat.asked[0].inputs) == {"question", "language"}
    assert not any("Geheim" in turn.content for turn in chat.asked[0].messages)
    assert prompts.load("glan_answers/answer").header.role == "answerer"


async def test_the_papers_temperatures_are_in_the_prompts(prompts: Library) -> None:
    for name, heat in (("glan_questions/write", 1.0), ("glan_answers/answer", 0.7)):
        sampling = prompts.load(name).header.sampling
        assert (sampling["temperature"], sampling["top_p"]) == (heat, 0.95)


@pytest.mark.parametrize("question", ["", " \n"])
async def test_an_empty_question_costs_no_call(question: str, bind: Bind) -> None:
    step, chat = bind(GENERATOR, {"glan_answers/answer": "Ja."})
    [drop] = await step(seed(question))
    assert isinstance(drop, Drop) and drop.reason == "no_question" and not chat.asked
