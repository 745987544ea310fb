from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
from pydantic import ValidationError

from engine.core import Drop, Outcome, Record
from engine.passes.task_coverage import PASS
from engine.text.task_types import kinds
from tests.conftest import seed, settle


def texts(count: int, language: str = "de", start: int = 0) -> list[Record]:
    return [replace(seed("Text", language), id=f"{language}{n}") for n in range(start, count)]


def counts(outcomes: list[Outcome]) -> Counter[tuple[str, str]]:
    return Counter(
        (each.language, name)
        for each in outcomes
        if isinstance(each, Record)
        for name in each.facts["task_types"]
    )


@pytest.mark.parametrize("count", [16, 40, 161])
def test_no_type_starves_in_any_language(count: int) -> None:
    outcomes = settle(PASS, [*texts(count), *texts(count // 2, "zh"), *texts(3, "hi")])
    found = counts(outcomes)
    for language in ("de", "zh", "hi"):
        spread = [found[language, name] for name in kinds()]
        assert max(spread) - min(spread) <= 1


def test_several_types_of_a_text_differ() -> None:
    outcomes = settle(PASS, texts(20), task_types=["qa", "qg", "te"], per_context=2)
    pairs = {frozenset(each.facts["task_types"]) for each in outcomes if isinstance(each, Record)}
    assert pairs <= {frozenset(pair) for pair in combinations(["qa", "qg", "te"], 2)}
    assert sorted(counts(outcomes).values()) == [13, 13, 14]


def test_a_later_round_goes_on_where_the_earlier_ones_stopped() -> None:
    first = [each for each in settle(PASS, texts(10)) if isinstance(each, Record)]
    second = settle(PASS, texts(16, start=10), kept=first)
    assert set(counts([*first, *second]).values()) == {1}


def test_stated_types_stay_and_count() -> None:
    stated = [each.with_facts(task_types="sentiment") for each in texts(5, "sw")]
    outcomes = settle(PASS, [*stated, *texts(4, "sw", start=0)], task_types=["sentiment", "qa"])
    assert counts(outcomes) == {("sw", "sentiment"): 5, ("sw", "qa"): 4}


def test_an_unknown_stated_type_drops() -> None:
    [drop] = settle(PASS, [seed("Text", task_types=["sonnet"])])
    assert isinstance(drop, Drop) and drop.reason == "unknown_task_type"
    with pytest.raises(ValidationError, match="no task type"):
        PASS.params.model_validate({"task_types": ["sonnet"]})


def test_the_same_records_get_the_same_types() -> None:
    assert settle(PASS, texts(30)) == settle(PASS, texts(30))
