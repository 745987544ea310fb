from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Record
from engine.generators.subject_dialogue import GENERATOR, MOVES
from engine.models.chat import Reply, Request
from engine.prompting import Library
from tests.conftest import Bind, needs_shared, seed
from tests.generators.reversing import declarations

REPLIES = sorted((Path(__file__).parent / "replies" / "subject_dialogue").glob("*.txt"))
ASKED, ANSWERED = "Erkläre Ebbe und Flut.", "Der Mond zieht das Wasser an."


def script(go_on: Any, answer: Any = ANSWERED) -> dict[str, Any]:
    return {"subject_dialogue/go_on": go_on, "subject_dialogue/answer": answer}


def nth(request: Request) -> str:
    return f"Frage Nummer {request.take}?"


def answer(request: Request) -> str:
    return f"Antwort Nummer {request.take}."


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").rpartition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_what_models_say_as_the_person_goes_on_or_ends_it(path: Path, bind: Bind):
    reply, expected = written(path)
    step, _ = bind(GENERATOR, script(reply), max_rounds=2)
    [outcome] = await step(seed(ASKED, language=path.stem.split("_")[0]))
    if isinstance(outcome, Drop):
        assert outcome.reason == "too_few_rounds" and outcome.detail == expected
    else:
        assert f"go on | {' '.join(outcome.last('user').split())}" == expected
        assert [m.role for m in outcome.messages] == ["user", "assistant"] * 2


async def test_conversations_have_two_to_four_rounds_each_as_often(bind: Bind):
    drawn: Counter[int] = Counter()
    step, chat = bind(GENERATOR, script(nth, answer))
    for row in range(300):
        chat.asked.clear()
        [record] = await step(replace(seed(ASKED), id=f"seed{row}"))
        assert isinstance(record, Record)
        assert [m.role for m in record.messages] == ["user", "assistant"] * record.facts["rounds"]
        assert len(chat.asked) == 2 * record.facts["rounds"] - 1
        drawn[record.facts["rounds"]] += 1
    assert set(drawn) == {2, 3, 4}
    assert sum((drawn[rounds] - 100) ** 2 / 100 for rounds in (2, 3, 4)) < 13.8  # p 0.001


async def test_every_turn_is_said_in_the_light_of_all_before_it(bind: Bind):
    step, chat = bind(GENERATOR, script(nth, answer), min_rounds=3, max_rounds=3)
    [record] = await step(seed(ASKED))
    assert isinstance(record, Record)
    assert [len(request.inputs["turns"]) for request in chat.asked] == [1, 2, 3, 4, 5]  # type: ignore[arg-type]
    last = chat.asked[-1].messages
    assert [m.role for m in last] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [m.content for m in last[1:]] == [m.content for m in record.messages[:-1]]


async def test_a_person_goes_on_in_another_way_each_time(bind: Bind):
    for row in range(20):
        step, chat = bind(GENERATOR, script(nth, answer), min_rounds=4)
        [record] = await step(replace(seed(ASKED), id=f"seed{row}"))
        assert isinstance(record, Record) and len(set(record.facts["moves"])) == 3
        moves = [r.inputs["move"] for r in chat.asked if "move" in r.inputs]
        assert moves == record.facts["moves"]


@pytest.mark.parametrize(("failing", "rounds"), [(1, 0), (3, 1), (5, 2), (7, 3)])
async def test_a_bad_answer_ends_it_with_the_whole_rounds_before(
    bind: Bind, failing: int, rounds: int
):
    def said(request: Request) -> str:
        return "Tut mir leid." if request.take == failing else f"Gut {request.take}."

    step, _ = bind(GENERATOR, script(nth, said), min_rounds=4)
    [outcome] = await step(seed(ASKED))
    record = outcome.record if isinstance(outcome, Drop) else outcome
    assert isinstance(outcome, Drop) == (rounds < 2)
    assert (record.facts["rounds"], record.facts["ended_by"]) == (rounds, "apology")
    assert len(record.messages) == max(1, 2 * rounds)


async def test_a_turn_that_was_cut_ends_it(bind: Bind):
    cut = Reply("Der Mond zieht", model="fake", truncated=True)
    step, _ = bind(GENERATOR, script(nth, cut))
    [outcome] = await step(seed(ASKED))
    assert isinstance(outcome, Drop) and outcome.detail == "cut_answer"
    step, _ = bind(GENERATOR, script(cut, answer))
    [outcome] = await step(seed(ASKED))
    assert isinstance(outcome, Drop) and outcome.detail == "empty_rewrite"


async def test_what_asks_nothing_costs_no_call(bind: Bind):
    step, chat = bind(GENERATOR, script(nth))
    [outcome] = await step(seed(""))
    assert isinstance(outcome, Drop) and outcome.reason == "no_instruction" and not chat.asked


async def test_label_source_and_language_come_along(bind: Bind):
    label = {"tags": ["潮汐"], "macro": "natural_science", "category": "natural_science/physics"}
    step, _ = bind(GENERATOR, script(nth, answer))
    asked = seed("解释潮汐。", "zh", label=label, source="collected", dimension="depth")
    [record] = await step(asked)
    assert isinstance(record, Record) and record.language == "zh"
    assert record.facts["label"] == label and record.facts["source"] == "collected"
    assert record.lineage[-1].parent == asked.id and record.facts["ended_by"] == ""


def test_rounds_out_of_bounds_or_order_are_refused():
    for wrong in ({"min_rounds": 1}, {"max_rounds": 5}, {"min_rounds": 4, "max_rounds": 3}):
        with pytest.raises(ValidationError):
            GENERATOR.params(**wrong)


def test_every_way_of_going_on_reads_otherwise(prompts: Library):
    inputs: dict[str, Any] = {"turns": [], "language": "German"}
    template = prompts.load("subject_dialogue/go_on")
    said = {template.render({**inputs, "move": move})[-1].content for move in MOVES}
    assert len(said) == len(MOVES) == 8


@needs_shared
async def test_people_go_on_in_forty_languages(bind: Bind):
    """Sentences of the declaration of human rights as turns: no rule takes one for an apology."""
    step, _ = bind(GENERATOR, script(lambda r: _line(r, 1), lambda r: _line(r, 2)), max_rounds=2)
    texts = {tag: text for _, tag, text in declarations()}
    assert len(texts) >= 20
    for tag, text in texts.items():
        lines = [line.strip() for line in text.splitlines() if len(line.strip()) > 20]
        [record] = await step(seed("\n".join(lines[2:5]), tag))
        assert isinstance(record, Record), (tag, record)
        assert record.messages[2].content == lines[3] and record.language == tag


def _line(request: Request, number: int) -> str:
    turns: Any = request.inputs["turns"]
    return str(turns[0].content.splitlines()[number])
