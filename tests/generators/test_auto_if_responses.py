from __future__ import annotations

import json
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.generators.auto_if_responses import GENERATOR
from engine.models.chat import Reply
from tests.conftest import Bind, seed
from tests.sandbox.walled import best

ASKED = "Nenne drei Flüsse in Kenia. Beende die Antwort mit einem Fragezeichen."
CHECKERS = [
    f"def evaluate(response):\n    return {body}"
    for body in ("response.endswith('?')", "'?' in response", "response[-1] == '?'")
]
BOTH, ONE, NONE = "Tana, Athi, Mara?", "Tana? Athi, Mara.", "Tana, Athi, Mara."
"""Answers that pass all three, one and none of the checkers."""


@pytest.fixture(autouse=True)
def walls() -> None:
    best()


def grade(score: int) -> str:
    return json.dumps({"reason": "Three rivers of Kenya.", "score": score})


def script(answers: Any, judge: Any) -> dict[str, Any]:
    return {"auto_if_responses/answer": answers, "auto_if_responses/judge": judge}


async def run(
    bind: Bind, answers: list[Any], *scores: int, **params: Any
) -> tuple[list[Outcome], int]:
    """The outcomes, and how often the judge was asked."""
    made = script(answers, list(map(grade, scores)))
    step, chat = bind(GENERATOR, made, answers=len(answers), **params)
    outcomes = await step(seed(ASKED, checkers=CHECKERS))
    return list(outcomes), sum("judge" in request.prompt for request in chat.asked)


def told(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    """Each answer with the one it beats, or why there is none."""

    def one(outcome: Outcome) -> tuple[str, str]:
        if isinstance(outcome, Drop):
            return outcome.reason, ""
        return outcome.last("assistant"), outcome.facts.get("rejected", "")

    return [one(outcome) for outcome in outcomes]


async def test_the_best_answer_is_judged_first_and_kept_with_rate_and_score(bind: Bind) -> None:
    outcomes, judged = await run(bind, [NONE, ONE, BOTH, NONE], 9)
    assert told(outcomes) == [(BOTH, "")] and judged == 1
    [kept] = outcomes
    assert isinstance(kept, Record)
    assert (kept.facts["pass_rate"], kept.facts["score"]) == (1.0, 9.0)
    assert kept.messages[0].content == ASKED


async def test_eight_is_not_above_eight_and_the_next_best_is_judged(bind: Bind) -> None:
    outcomes, judged = await run(bind, [NONE, ONE, BOTH], 8, 9)
    assert told(outcomes) == [(ONE, "")] and judged == 2
    [kept] = outcomes
    assert isinstance(kept, Record) and kept.facts["pass_rate"] == 0.3333


async def test_where_no_score_is_high_enough_the_query_drops(bind: Bind) -> None:
    outcomes, _ = await run(bind, [ONE, BOTH], 8, 3)
    assert told(outcomes) == [("low_score", "")]


async def test_the_mean_of_several_judgements_decides(bind: Bind) -> None:
    outcomes, _ = await run(bind, [BOTH], 10, 7, judgements=2)
    assert told(outcomes) == [(BOTH, "")]
    outcomes, _ = await run(bind, [BOTH], 9, 7, judgements=2)
    assert told(outcomes) == [("low_score", "")]


async def test_several_good_answers_are_rows_of_their_own(bind: Bind) -> None:
    outcomes, _ = await run(bind, [BOTH, ONE, BOTH, NONE], 9, 10, keep=3)
    assert told(outcomes) == [(BOTH, ""), (ONE, "")], "the same answer twice is one"
    assert len({each.id for each in outcomes if isinstance(each, Record)}) == 2


async def test_a_pair_has_a_winner_by_half_and_a_loser_by_nothing(bind: Bind) -> None:
    outcomes, judged = await run(bind, [ONE, NONE, BOTH, "Tana."], 9, make="pairs", keep=2)
    [pair] = told(outcomes)
    assert pair[0] == BOTH and pair[1] in (NONE, "Tana."), "a third is less than half: no winner"
    assert judged == 1


async def test_two_winners_and_two_losers_make_four_pairs(bind: Bind) -> None:
    answers = [BOTH, "Mara?", NONE, "Tana.", "Athi."]
    outcomes, _ = await run(bind, answers, 9, 9, make="pairs", keep=2, losers=2)
    pairs = told(outcomes)
    assert len(set(pairs)) == 4 and {won for won, _ in pairs} == {BOTH, "Mara?"}
    assert len({lost for _, lost in pairs}) == 2


@pytest.mark.parametrize(
    ("answers", "params", "reason"),
    [
        ([NONE, NONE], {}, "none_obeys"),
        ([BOTH, ONE], {"make": "pairs"}, "no_answer_fails"),
        ([ONE, NONE], {"make": "pairs"}, "none_obeys"),
        ([Reply(BOTH, "fake", truncated=True), ""], {}, "no_whole_answer"),
    ],
)
async def test_without_an_answer_to_keep_no_judge_is_asked(
    answers: list[Any], params: dict[str, Any], reason: str, bind: Bind
) -> None:
    outcomes, judged = await run(bind, answers, **params)
    assert told(outcomes) == [(reason, "")] and judged == 0


async def test_a_record_without_checkers_costs_no_call(bind: Bind) -> None:
    step, chat = bind(GENERATOR, script([], []))
    for record, reason in ((seed(ASKED), "no_checkers"), (seed(), "no_instruction")):
        [drop] = await step(record)
        assert isinstance(drop, Drop) and drop.reason == reason
    assert not chat.asked
