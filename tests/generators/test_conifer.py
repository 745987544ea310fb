from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.constraints.reading import listed
from engine.core import Drop, Outcome, Record
from engine.generators.conifer import GENERATOR
from engine.models.chat import Request
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "conifer").glob("*.txt"))
QUESTION = "Erkläre, wie man einen Umzug plant."
KINDS = ("Ort", "Leute", "Mittel", "Zeit", "Form", "Ton")
LISTED = json.dumps(
    {"categories": [{"name": k, "values": [f"{k} {n}" for n in range(3)]} for k in KINDS]}
)
LEVELS = [f"Plane einen Umzug{' und noch etwas' * n}." for n in range(1, 6)]
GRADED = json.dumps({"instructions": LEVELS})


def script(levels: Any = GRADED, sound: Any = "yes", **more: Any) -> dict[str, Any]:
    names = {"constraints": LISTED, "levels": levels, "sound": sound, "conditions": (), **more}
    return {f"conifer/{name}": said for name, said in names.items()}


def told(outcomes: Any) -> list[str]:
    return [each.reason if isinstance(each, Drop) else each.last("user") for each in outcomes]


def kept(outcomes: Any) -> list[Record]:
    return [each for each in outcomes if isinstance(each, Record)]


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_levels_as_models_write_them_stand_or_drop_by_rule(path: Path, bind: Bind) -> None:
    reply, expected = written(path)
    step, _ = bind(GENERATOR, script(reply), conditions=0)
    outcomes = await step(seed(QUESTION, language=path.stem.split("_")[0]))
    reasons = [each.reason for each in outcomes if isinstance(each, Drop)]
    assert (" ".join(reasons) or f"{len(outcomes)} levels") == expected


async def test_each_level_is_a_record_that_knows_what_it_adds(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script(), conditions=0)
    levels = kept(await step(seed(QUESTION)))
    assert [each.last("user") for each in levels] == LEVELS
    assert [each.facts["level"] for each in levels] == [1, 2, 3, 4, 5]
    assert {each.facts["question"] for each in levels} == {QUESTION}
    asked = chat.asked[1].inputs["added"]
    assert [each.facts["added"] for each in levels] == asked
    for added in asked:
        assert 2 <= len(added) <= 3 and 1 <= len({value.split()[0] for value in added}) <= 2
    assert {value.split()[0] for added in asked for value in added} == set(KINDS)


async def test_levels_that_do_not_grow_are_written_once_more(bind: Bind) -> None:
    same = json.dumps({"instructions": [LEVELS[0]] * 5})
    step, chat = bind(GENERATOR, script([same, GRADED]), conditions=0)
    assert told(await step(seed(QUESTION))) == LEVELS
    assert [request.take for request in chat.asked[1:3]] == [0, 1]
    step, _ = bind(GENERATOR, script([same, same]), conditions=0)
    assert told(await step(seed(QUESTION))) == ["same_level"]


async def test_a_level_with_a_conflict_is_left_out_and_the_others_stay(bind: Bind) -> None:
    def sound(request: Request) -> str:
        return "no" if request.inputs["instruction"] in LEVELS[1:3] else "yes"

    step, _ = bind(GENERATOR, script(sound=sound), conditions=0)
    outcomes = await step(seed(QUESTION))
    assert told(outcomes) == [LEVELS[0], LEVELS[3], LEVELS[4], "conflict", "conflict"]


async def test_where_no_level_stands_the_question_drops_too(bind: Bind) -> None:
    step, _ = bind(GENERATOR, script(sound="no"), conditions=0)
    assert told(await step(seed(QUESTION))) == ["conflict"] * 5 + ["no_level_stands"]


async def test_a_conversation_is_the_hardest_level_with_the_easier_ones(bind: Bind) -> None:
    def sound(request: Request) -> str:
        return "no" if request.inputs["instruction"] in (LEVELS[1], LEVELS[4]) else "yes"

    step, _ = bind(GENERATOR, script(sound=sound), conditions=0, shape="conversation")
    [record] = kept(await step(seed(QUESTION)))
    assert record.last("user") == LEVELS[3] and record.facts["level"] == 4
    assert record.facts["easier"] == [LEVELS[0], LEVELS[2]]


async def test_conditions_are_offered_in_the_language_and_can_be_checked(bind: Bind) -> None:
    def first_two(request: Request) -> str:
        offered = request.inputs["conditions"]
        assert len(offered) == 5, "three of form, two of number"
        picks = [{"number": n, "sentence": offered[n - 1]} for n in (1, 5)]
        return json.dumps({"picks": picks})

    step, _ = bind(GENERATOR, script(conditions=first_two), conditions=1)
    levels = kept(await step(seed(QUESTION)))
    assert len(levels) == 5
    for level, text in zip(levels, LEVELS, strict=True):
        assert level.last("user").startswith(f"{text}\n\n")
        assert len(listed(level.facts["constraints"])) == 2
    assert len({str(level.facts["constraints"]) for level in levels}) > 1, "each has its own"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(9, "Nutze 3 Punkte."), (0, "Nutze 3 Punkte."), (4, "Schreibe schön.")],
)
async def test_a_condition_that_says_something_else_takes_its_level_along(
    number: int, sentence: str, bind: Bind
) -> None:
    said = json.dumps({"picks": [{"number": number, "sentence": sentence}]})
    step, _ = bind(GENERATOR, script(conditions=said), conditions=1)
    assert told(await step(seed(QUESTION))) == ["unworded_condition"] * 5 + ["no_level_stands"]


@pytest.mark.parametrize(
    ("constraints", "reason"),
    [
        ('{"categories": []}', "too_few_constraints"),
        (json.dumps({"categories": [{"name": "Ort", "values": ["a"]}] * 6}), "too_few_constraints"),
        ("Here are some constraints: short, funny.", "bad_reply"),
    ],
)
async def test_a_question_without_enough_constraints_drops(
    constraints: str, reason: str, bind: Bind
) -> None:
    step, _ = bind(GENERATOR, script(constraints=constraints))
    outcomes: list[Outcome] = list(await step(seed(QUESTION)))
    assert told(outcomes) == [reason]


async def test_an_empty_question_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script())
    assert told(await step(seed())) == ["no_question"] and not chat.asked
