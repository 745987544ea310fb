from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Record
from engine.verifiers.constraints import VERIFIER
from tests.conftest import Bind, seed

NO_COMMA = {"type": "punctuation:no_comma", "params": {}}
SHORT = {
    "type": "length_constraints:number_words",
    "params": {"relation": "less than", "count": 4},
}
CAPITAL = {"type": "change_case:english_capital", "params": {}}
QUOTED = {"type": "startend:quotation", "params": {}}


async def outcome(bind: Bind, record: Record, **params: Any) -> Record | Drop:
    step, chat = bind(VERIFIER, **params)
    [found] = await step(record)
    assert not chat.asked
    return found


def answered(response: str, *constraints: Any, language: str = "de") -> Record:
    return seed("Sag etwas.", language, response, constraints=list(constraints))


async def test_a_response_that_meets_every_constraint_is_kept_with_its_results(bind: Bind) -> None:
    kept = await outcome(bind, answered("Es regnet.", NO_COMMA, SHORT))
    assert isinstance(kept, Record)
    assert [each["type"] for each in kept.facts["constraint_results"]] == [
        "punctuation:no_comma", "length_constraints:number_words",
    ]  # fmt: skip
    assert {each["strict"] for each in kept.facts["constraint_results"]} == {"pass"}


async def test_one_that_breaks_a_constraint_drops_and_says_which_and_how(bind: Bind) -> None:
    drop = await outcome(bind, answered("Ja, es regnet.", NO_COMMA, SHORT))
    assert isinstance(drop, Drop) and drop.reason == "constraint_failed"
    assert drop.detail == "punctuation:no_comma: ',' at 2"
    assert [r["strict"] for r in drop.record.facts["constraint_results"]] == ["fail", "pass"]


async def test_loosely_read_an_opening_line_does_not_matter(bind: Bind) -> None:
    record = answered("Gerne, hier:\nEs regnet.", NO_COMMA)
    assert isinstance(await outcome(bind, record), Drop)
    kept = await outcome(bind, record, reading="loose")
    assert isinstance(kept, Record)
    [found] = kept.facts["constraint_results"]
    assert (found["strict"], found["loose"]) == ("fail", "pass")


async def test_a_share_of_the_constraints_may_be_enough(bind: Bind) -> None:
    record = answered("Ja, es regnet.", NO_COMMA, SHORT)
    assert isinstance(await outcome(bind, record, min_share=0.5), Record)
    assert isinstance(await outcome(bind, record, min_share=0.51), Drop)


async def test_capitals_in_chinese_are_undecided_and_that_is_no_pass(bind: Bind) -> None:
    record = answered("下雨了。", NO_COMMA, CAPITAL, language="zh")
    drop = await outcome(bind, record)
    assert isinstance(drop, Drop) and drop.reason == "constraint_undecided"
    assert "change_case:english_capital" in drop.detail
    kept = await outcome(bind, record, undecided="keep")
    assert isinstance(kept, Record)
    assert [r["strict"] for r in kept.facts["constraint_results"]] == ["pass", "skipped"]


async def test_nothing_decided_is_never_kept(bind: Bind) -> None:
    record = answered("下雨了。", CAPITAL, language="zh")
    drop = await outcome(bind, record, undecided="keep")
    assert isinstance(drop, Drop) and drop.reason == "constraint_undecided"


GERMAN = {"type": "language:response_language", "params": {"language": "de"}}


async def test_the_language_of_an_answer_is_undecided_where_it_is_too_short_to_tell(
    bind: Bind,
) -> None:
    drop = await outcome(bind, answered("Es regnet.", GERMAN))
    assert isinstance(drop, Drop) and drop.reason == "constraint_undecided"


async def test_the_language_of_an_answer_is_told(bind: Bind) -> None:
    long = "Es regnet seit gestern Abend, und die Wege im Park stehen unter Wasser."
    assert isinstance(await outcome(bind, answered(long, GERMAN, language="en")), Record)
    drop = await outcome(bind, answered("It has been raining since yesterday evening.", GERMAN))
    assert isinstance(drop, Drop) and drop.reason == "constraint_failed"
    assert drop.detail == "language:response_language: in en, wanted de"
    indonesian = {"type": "language:response_language", "params": {"language": "id"}}
    close = "Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang sama."
    assert isinstance(await outcome(bind, answered(close, indonesian)), Record)


async def test_capitals_in_a_language_are_both(bind: Bind) -> None:
    capitals = {"type": "change_case:english_capital", "params": {"language": "en"}}
    english = "IT HAS BEEN RAINING SINCE YESTERDAY EVENING AND THE PATHS ARE FLOODED."
    assert isinstance(await outcome(bind, answered(english, capitals)), Record)
    german = "ES REGNET SEIT GESTERN ABEND, UND DIE WEGE IM PARK STEHEN UNTER WASSER."
    drop = await outcome(bind, answered(german, capitals))
    assert isinstance(drop, Drop) and drop.reason == "constraint_failed"


@pytest.mark.parametrize(
    "constraints, said",
    [
        ([{"type": "keywords:rhyme", "params": {}}], "no constraint is of type"),
        ([NO_COMMA, {"type": "keywords:existence", "params": {"keywords": "tea"}}], "keywords"),
        ([{"type": "punctuation:no_comma", "params": {"x": 1}}], "x"),
        ("punctuation:no_comma", "no list"),
        ({"type": "punctuation:no_comma"}, "no list"),
        ([None], "type, params"),
    ],
)
@pytest.mark.parametrize("params", [{}, {"min_share": 0.01, "undecided": "keep"}])
async def test_what_is_no_constraint_drops_whatever_the_settings(
    bind: Bind, constraints: Any, said: str, params: dict[str, Any]
) -> None:
    drop = await outcome(bind, seed("Frage", "de", "Ja", constraints=constraints), **params)
    assert isinstance(drop, Drop) and drop.reason == "bad_constraint" and said in drop.detail


@pytest.mark.parametrize("facts", [{}, {"constraints": []}, {"constraints": None}])
async def test_a_record_without_constraints_is_not_waved_through(
    bind: Bind, facts: dict[str, Any]
) -> None:
    drop = await outcome(bind, seed("Frage", "de", "Ja", **facts))
    assert isinstance(drop, Drop) and drop.reason == "no_constraints"


async def test_a_record_without_a_response_drops(bind: Bind) -> None:
    drop = await outcome(bind, seed("Frage", "de", constraints=[NO_COMMA]))
    assert isinstance(drop, Drop) and drop.reason == "no_response"


@pytest.mark.parametrize(
    "response", [" \n", "\0", "\u200f", "\ud800", "x" * 1_000_000 + ",", "\u200f«نعم،»"]
)
async def test_odd_responses_end_in_a_drop_with_evidence(bind: Bind, response: str) -> None:
    drop = await outcome(bind, answered(response, NO_COMMA, QUOTED, language="ar"))
    assert isinstance(drop, Drop) and drop.reason == "constraint_failed"
    assert "punctuation:no_comma" in drop.detail and len(drop.detail) <= 500


@pytest.mark.parametrize("params", [{"min_share": 0}, {"reading": "kind"}, {"undecided": "pass"}])
def test_settings_that_would_let_all_through_are_mistakes(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VERIFIER.params.model_validate(params)
