from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Message, Record
from engine.generators.conifer_answers import GENERATOR
from engine.models.chat import Reply, Request
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "conifer_answers").glob("*.txt"))
ASKED = "Plane einen Umzug mit Klavier, ohne Auto, in 14 Tagen."
GOOD, WEAK = "Tag 1: Träger bestellen.", "Miete ein Auto."
CRITICISM = "Ich habe kein Auto. Bitte schreibe den Plan noch einmal."
FLAWED = json.dumps({"as_good": False, "criticism": CRITICISM})
NO_COMMA = [{"type": "punctuation:no_comma", "params": {}}]


def script(answer: Any = GOOD, attempt: Any = WEAK, review: Any = FLAWED) -> dict[str, Any]:
    names = {"answer": answer, "account": "Tag 1.\n---\nOhne Auto: Träger.", "attempt": attempt}
    return {f"conifer_answers/{name}": said for name, said in (names | {"review": review}).items()}


def spoken(record: Any) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in record.messages]


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_reviews_as_models_write_them_give_feedback_or_none(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    step, _ = bind(GENERATOR, script(review=reply), accounts=0)
    first, *more = await step(seed(ASKED, path.stem.split("_")[0], level=5))
    assert isinstance(first, Record) and first.last("assistant") == GOOD, "the answer stays"
    told = spoken(more[0])[2][1] if more else "no feedback"
    assert told == expected


async def test_the_hardest_level_gives_an_answer_and_a_conversation_with_feedback(
    bind: Bind,
) -> None:
    step, _ = bind(GENERATOR, script(), accounts=0)
    answered, revised = await step(seed(ASKED, level=5))
    assert spoken(answered) == [("user", ASKED), ("assistant", GOOD)]
    assert spoken(revised) == [
        ("user", ASKED),
        ("assistant", WEAK),
        ("user", CRITICISM),
        ("assistant", GOOD),
    ]
    assert isinstance(answered, Record) and isinstance(revised, Record)
    assert (answered.facts["feedback"], revised.facts["feedback"]) == ("none", "external")
    assert answered.id != revised.id


async def test_the_weaker_role_is_asked_and_only_for_the_hardest_level(bind: Bind) -> None:
    for facts, params, calls in (
        ({"level": 4}, {}, 1),
        ({"level": 5}, {"feedback": False}, 1),
        ({"level": 5}, {}, 3),
        ({}, {}, 3),
    ):
        step, chat = bind(GENERATOR, script(), accounts=0, **params)
        await step(seed(ASKED, **facts))
        assert len(chat.asked) == calls
    assert [request.role for request in chat.asked] == ["writer", "weaker", "judge"]


@pytest.mark.parametrize("attempt", [GOOD, "  ", Reply(WEAK, "fake", truncated=True)])
async def test_no_judge_is_asked_about_an_attempt_that_shows_nothing(
    attempt: Any, bind: Bind
) -> None:
    step, chat = bind(GENERATOR, script(attempt=attempt), accounts=0)
    outcomes = await step(seed(ASKED, level=5))
    assert len(outcomes) == 1 and len(chat.asked) == 2


async def test_easier_levels_are_turns_of_one_conversation(bind: Bind) -> None:
    def answer(request: Request) -> str:
        return f"Antwort: {request.inputs['instruction']}"

    step, _ = bind(GENERATOR, script(answer), accounts=0, feedback=False)
    [record] = await step(seed("schwer", level=5, easier=["leicht", "mittel"]))
    assert spoken(record) == [
        (role, text)
        for asked in ("leicht", "mittel", "schwer")
        for role, text in (("user", asked), ("assistant", f"Antwort: {asked}"))
    ]


async def test_an_account_is_internal_feedback_and_never_breaks_a_condition(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script(), accounts=1)
    [record] = await step(seed(ASKED, level=3))
    assert isinstance(record, Record) and record.facts["feedback"] == "internal"
    assert record.messages[-1] == Message("assistant", "Tag 1.\n---\nOhne Auto: Träger.")
    [record] = await step(seed(ASKED, level=3, constraints=NO_COMMA))
    assert isinstance(record, Record) and record.facts["feedback"] == "none"
    assert record.facts["constraint_results"][0]["strict"] == "pass"


@pytest.mark.parametrize(
    ("answer", "constraints", "reason"),
    [
        ("Träger, Kisten.", NO_COMMA, "constraint_failed"),
        (GOOD, [{"type": "no:such"}], "bad_constraint"),
        (GOOD, [{"type": "change_case:english_capital", "params": {}}], "constraint_failed"),
        (Reply(GOOD, "fake", truncated=True), [], "cut_answer"),
        ("", [], "cut_answer"),
    ],
)
async def test_an_answer_that_does_not_hold_drops_before_the_weaker_model_is_asked(
    answer: Any, constraints: Any, reason: str, bind: Bind
) -> None:
    step, chat = bind(GENERATOR, script(answer), accounts=0)
    [drop] = await step(seed(ASKED, level=5, constraints=constraints))
    assert isinstance(drop, Drop) and drop.reason == reason and len(chat.asked) == 1


async def test_no_instruction_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script())
    [drop] = await step(seed(level=5))
    assert isinstance(drop, Drop) and drop.reason == "no_instruction" and not chat.asked
