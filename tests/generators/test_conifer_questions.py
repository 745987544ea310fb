from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.conifer_questions import GENERATOR
from engine.models.chat import Request
from tests.conftest import Bind, seed

REPLIES = sorted((Path(__file__).parent / "replies" / "conifer_questions").glob("*.txt"))
QUERY = "welcher hund passt gut in eine kleine wohnung"


def script(reframe: str, answerable: Any = "yes") -> dict[str, Any]:
    return {"conifer_questions/reframe": reframe, "conifer_questions/answerable": answerable}


def written(path: Path) -> tuple[str, str]:
    """What a model replied, and what must become of it."""
    reply, _, expected = path.read_text(encoding="utf-8").partition("\n=== outcome\n")
    return reply, expected.strip()


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
async def test_requests_as_models_write_them_are_kept_or_drop_by_rule(
    path: Path, bind: Bind
) -> None:
    reply, expected = written(path)
    step, _ = bind(GENERATOR, script(reply))
    outcomes = await step(seed(QUERY, language=path.stem.split("_")[0]))
    told = [each.reason if isinstance(each, Drop) else "keep" for each in outcomes]
    assert " ".join(told) == expected


async def test_what_cannot_be_answered_drops_alone(bind: Bind) -> None:
    def judge(request: Request) -> str:
        return "no" if "Foto" in str(request.inputs["question"]) else "Yes."

    asked = [
        "Erkläre Hunde.",
        "Beschreibe das Foto.",
        "Plane einen Tag mit Hund.",
        "Was frisst er?",
    ]
    step, _ = bind(GENERATOR, script(json.dumps({"instructions": asked}), judge), keep=2)
    outcomes = await step(seed(QUERY, licence="CC0-1.0"))
    kept = [each for each in outcomes if isinstance(each, Record)]
    assert [each.last("user") for each in kept] == ["Erkläre Hunde.", "Plane einen Tag mit Hund."]
    assert kept[0].facts["query"] == QUERY and kept[0].facts["licence"] == "CC0-1.0"
    reasons = sorted(each.reason for each in outcomes if isinstance(each, Drop))
    assert reasons == ["enough_questions", "not_answerable"]


async def test_a_judge_that_says_neither_word_loses_one_question_only(bind: Bind) -> None:
    def judge(request: Request) -> str:
        return "perhaps" if request.inputs["question"] == "Zwei Hunde?" else "yes"

    said = json.dumps({"instructions": ["Ein Hund?", "Zwei Hunde?", "Drei Hunde?"]})
    step, _ = bind(GENERATOR, script(said, judge))
    told = [each.reason if isinstance(each, Drop) else "keep" for each in await step(seed(QUERY))]
    assert told == ["keep", "keep", "no_verdict"]


@pytest.mark.parametrize(
    ("query", "language"), [("danke dir", "de"), ("Wort " * 51, "de"), ("谢谢", "zh"), ("", "hi")]
)
async def test_a_query_of_an_unfit_length_costs_no_call(
    query: str, language: str, bind: Bind
) -> None:
    step, chat = bind(GENERATOR, script("{}"))
    [drop] = await step(seed(query, language))
    assert isinstance(drop, Drop) and drop.reason == "unfit_query" and not chat.asked
