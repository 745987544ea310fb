from __future__ import annotations

import math
from typing import Any

import pytest

from engine.core import Drop, Message, Record
from engine.models.chat import Request, Scores
from engine.verifiers.deita import VERIFIER
from tests.conftest import Bind
from tests.verifiers.toy import ODD, PAIRS, pair

LEVEL = {1: 0.05, 2: 0.05, 3: 0.1, 4: 0.5, 5: 0.1, 6: 0.0001}


def says(shares: dict[int, float]) -> Any:
    def score(request: Request) -> Scores:
        share = shares[int(request.messages[-1].content)]
        return Scores(("d",), (math.log(share),), "scorer-7b", key="k")

    return score


def script(complexity: dict[int, float] = LEVEL, quality: dict[int, float] = LEVEL) -> Any:
    return {"deita/complexity": says(complexity), "deita/quality": says(quality)}


def mean(shares: dict[int, float]) -> float:
    return sum(k * p for k, p in shares.items()) / sum(shares.values())


@pytest.mark.parametrize("language", PAIRS)
async def test_both_scores_are_expectations_over_six_digits(bind: Bind, language: str) -> None:
    better = {**LEVEL, 6: 0.15}
    step, chat = bind(VERIFIER, script(quality=better))
    [kept] = await step(pair(language))
    assert isinstance(kept, Record)
    found = kept.facts["scores_deita"]
    assert found["complexity"] == pytest.approx(mean(LEVEL), abs=1e-6)
    assert found["quality"] == pytest.approx(mean(better), abs=1e-6)
    assert found["deita"] == pytest.approx(mean(LEVEL) * mean(better), abs=1e-5)
    assert found["mass"] == pytest.approx(sum(LEVEL.values()), abs=1e-6)
    assert found["model"] == "scorer-7b"
    assert [name.partition("@")[0] for name in found["prompts"]] == [
        "deita/complexity",
        "deita/quality",
    ]
    assert len(chat.asked) == 12
    asked, said = PAIRS[language]
    complexity = next(r for r in chat.asked if r.prompt.startswith("deita/complexity"))
    assert asked in complexity.messages[1].content and said not in complexity.messages[1].content


async def test_a_conversation_is_the_sum_over_its_turns(bind: Bind) -> None:
    turns = tuple(m for language in ("de", "sw") for m in pair(language).messages)
    step, chat = bind(VERIFIER, script())
    [kept] = await step(Record("r", "de", turns))
    assert isinstance(kept, Record)
    found = kept.facts["scores_deita"]
    assert found["deita"] == pytest.approx(2 * mean(LEVEL) ** 2, abs=1e-5)
    assert len(found["turns"]["quality"]) == 2 and len(chat.asked) == 24
    step, chat = bind(VERIFIER, script(), max_turns=1)
    await step(Record("r", "de", turns))
    assert len(chat.asked) == 12


async def test_bounds_hold_for_the_product(bind: Bind) -> None:
    score = mean(LEVEL) ** 2
    step, _ = bind(VERIFIER, script(), min_score=score + 0.01)
    [drop] = await step(pair("ar"))
    assert isinstance(drop, Drop) and drop.reason == "low_score"


async def test_a_model_that_means_no_digit_has_not_scored(bind: Bind) -> None:
    faint = dict.fromkeys(range(1, 7), 1e-6)
    step, _ = bind(VERIFIER, script(quality=faint))
    [kept] = await step(pair("th"))
    assert isinstance(kept, Record) and "scores_deita" not in kept.facts
    assert kept.verdicts[-1].verdict == "skipped"
    step, _ = bind(VERIFIER, script(quality=faint), min_score=1)
    [drop] = await step(pair("th"))
    assert isinstance(drop, Drop) and drop.reason == "not_scorable"


@pytest.mark.parametrize("response", ODD)
async def test_odd_responses_end_clearly(bind: Bind, response: str) -> None:
    step, chat = bind(VERIFIER, script())
    record = Record("r", "hi", (Message("user", "नाम?"), Message("assistant", response)))
    [kept] = await step(record)
    assert isinstance(kept, Record)
    assert ("scores_deita" in kept.facts) == bool(response.strip()) == bool(chat.asked)
