from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.models.chat import Reply
from engine.verifiers.majority import VERIFIER
from tests.conftest import Bind, seed


async def voted(
    bind: Bind, answers: list[Any], language: str = "en", response: str = "", **params: Any
) -> Outcome:
    step, _ = bind(VERIFIER, {"majority/solve": answers}, samples=len(answers), **params)
    [outcome] = await step(seed("How many?", language, response))
    return outcome


async def test_what_most_say_is_kept_with_the_shortest_of_them(bind: Bind) -> None:
    said = ["Long way: \\boxed{42}", "\\boxed{42}", "the answer is 42", "\\boxed{7}"]
    kept = await voted(bind, said)
    assert isinstance(kept, Record) and kept.last("assistant") == "\\boxed{42}"
    told = {"answer": "42", "share": 0.75, "valid": 4, "samples": 4}
    assert kept.facts["majority"] == told
    first = await voted(bind, said, keep="first")
    assert isinstance(first, Record) and first.last("assistant") == "Long way: \\boxed{42}"


@pytest.mark.parametrize(
    ("language", "answers"),
    [
        ("de", ["\\boxed{½}", "Das Ergebnis ist 0,5.", "\\boxed{\\frac12}"]),
        ("ar", ["الإجابة هي ٤٢", "\\boxed{42}", "\\boxed{٤٢}"]),
        ("hi", ["उत्तर ४२ है।", "\\boxed{42}", "उत्तर: 42"]),
        ("th", ["คำตอบคือ ๔๒ บาท", "\\boxed{42}", "ตอบ 42"]),
        ("zh", ["答案是３万", "\\boxed{30000}", "答案：30,000"]),
        ("sw", ["Jibu ni 1,000.", "\\boxed{1000}", "jibu: elfu 1"]),
        ("en", ["\\boxed{2\\sqrt{2}}", "\\boxed{\\sqrt{8}}", "the answer is √8"]),
    ],
)
async def test_one_answer_is_one_vote_however_it_is_written(
    bind: Bind, language: str, answers: list[str]
) -> None:
    kept = await voted(bind, answers, language, timeout_s=60)
    assert isinstance(kept, Record), kept
    assert kept.facts["majority"]["share"] == 1


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (["\\boxed{1}", "\\boxed{1}", "\\boxed{2}", "\\boxed{2}"], "tied_vote"),
        (["\\boxed{1}", "\\boxed{1}", "\\boxed{2}", "\\boxed{3}"], "no_majority"),
        (["\\boxed{1}", "no idea", "none", "who knows"], "too_few_answers"),
        (["no idea", "no idea"], "too_few_answers"),
    ],
)
async def test_without_agreement_the_record_drops(
    bind: Bind, answers: list[str], reason: str
) -> None:
    drop = await voted(bind, answers)
    assert isinstance(drop, Drop) and drop.reason == reason


async def test_half_of_the_solutions_with_an_answer_are_enough(bind: Bind) -> None:
    assert isinstance(await voted(bind, ["\\boxed{1}", "\\boxed{1}", "?", "no idea"]), Record)


async def test_a_solution_that_was_cut_off_has_no_vote(bind: Bind) -> None:
    cut = Reply("\\boxed{7}", model="fake", truncated=True)
    drop = await voted(bind, [cut, cut, cut, "\\boxed{42}"])
    assert isinstance(drop, Drop) and drop.reason == "too_few_answers"


async def test_its_own_response_must_be_of_the_majority(bind: Bind) -> None:
    said = ["\\boxed{42}", "\\boxed{42}", "\\boxed{7}"]
    kept = await voted(bind, said, response="It is 42.0.", keep="own")
    assert isinstance(kept, Record) and kept.last("assistant") == "It is 42.0."
    for other in ("It is 7.", "Nobody knows."):
        drop = await voted(bind, said, response=other, keep="own")
        assert isinstance(drop, Drop) and drop.reason == "minority_answer"


async def test_the_solution_takes_the_place_of_an_earlier_response(bind: Bind) -> None:
    kept = await voted(bind, ["\\boxed{42}"] * 2, response="It is 7.")
    assert isinstance(kept, Record)
    assert [turn.role for turn in kept.messages] == ["user", "assistant"]


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_nothing_to_solve_costs_no_call(bind: Bind, text: str) -> None:
    step, chat = bind(VERIFIER, {"majority/solve": []})
    [drop] = await step(seed(text, "de"))
    assert isinstance(drop, Drop) and drop.reason == "no_instruction" and not chat.asked


@pytest.mark.parametrize("params", [{"samples": 1}, {"min_share": 0}, {"keep": "best"}])
def test_settings_that_cannot_be_are_mistakes_in_the_job(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VERIFIER.params.model_validate(params)
