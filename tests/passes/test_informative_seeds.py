from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.core import Drop, Outcome, Record
from engine.passes.informative_seeds import PASS
from tests.conftest import seed, settle


def row(id_: str, tags: Sequence[str], score: Any = None) -> Record:
    facts: dict[str, Any] = {"label": {"tags": list(tags)}}
    if score is not None:
        facts["scores_ifd"] = {"ifd_perplexities": score}
    return replace(seed(f"Frage {id_} 问题", **facts), id=id_)


def marks(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    records = [each.record if isinstance(each, Drop) else each for each in outcomes]
    return {record.id: record.facts["informative"]["marks"] for record in records}


ROWS = [
    row("a", ["tides", "moon", "sea", "sun"], 0.9),
    row("b", ["tides", "moon", "sea"], 0.8),
    row("c", ["tides", "comets"], 0.7),
    row("d", ["tides"], 0.4),
    row("e", ["sun", "moon"], 1.2),
    row("f", ["sun"]),
]


def test_the_same_tags_and_scores_give_the_same_seeds() -> None:
    found = settle(PASS, ROWS, many=4, tail=1, hard_share=0.25, at_least=1)
    assert marks(found) == {
        "a": ["rich", "hard"], "b": [], "c": ["rare"], "d": [], "e": [], "f": [],
    }  # fmt: skip
    assert [each.id for each in found if isinstance(each, Record)] == ["a", "c"]
    reasons = {each.record.id: each.reason for each in found if isinstance(each, Drop)}
    assert reasons == dict.fromkeys("bdef", "not_informative")
    backwards = settle(PASS, ROWS[::-1], many=4, tail=1, hard_share=0.25, at_least=1)
    assert marks(backwards) == marks(found)


@pytest.mark.parametrize(("many", "rich"), [(1, "abcdef"), (3, "ab"), (4, "a"), (5, "")])
def test_rich_begins_at_as_many_tags_as_the_job_says(many: int, rich: str) -> None:
    found = marks(settle(PASS, ROWS, many=many))
    assert "".join(id_ for id_, said in found.items() if "rich" in said) == rich


@pytest.mark.parametrize(
    ("tail", "rare"), [(0, ""), (1, "c"), (2, "abc"), (3, "abcef"), (4, "abcdef")]
)
def test_rare_is_a_tag_on_few_records(tail: int, rare: str) -> None:
    found = marks(settle(PASS, ROWS, tail=tail))
    assert "".join(id_ for id_, said in found.items() if "rare" in said) == rare


@pytest.mark.parametrize(
    ("share", "hard"), [(0, ""), (0.24, ""), (0.25, "a"), (0.5, "ab"), (0.75, "abc"), (1, "abcd")]
)
def test_hard_are_the_highest_scores_below_one(share: float, hard: str) -> None:
    found = marks(settle(PASS, ROWS, hard_share=share))
    assert "".join(id_ for id_, said in found.items() if "hard" in said) == hard


def test_a_score_of_one_and_more_is_misled_and_not_hard() -> None:
    three = [row("a", ["x"], 0.999), row("b", ["x"], 1.0), row("c", ["x"], 1.001)]
    assert marks(settle(PASS, three, hard_share=1)) == {"a": ["hard"], "b": [], "c": []}


@pytest.mark.parametrize(("at_least", "kept"), [(0, 6), (1, 3), (2, 2), (3, 1)])
def test_as_many_marks_are_needed_as_the_job_says(at_least: int, kept: int) -> None:
    found = settle(PASS, ROWS, many=3, tail=2, hard_share=0.25, at_least=at_least)
    assert sum(isinstance(each, Record) for each in found) == kept


@pytest.mark.parametrize("score", [None, "0.9", True, float("nan"), [0.9]])
def test_what_is_no_number_has_no_mark(score: Any) -> None:
    [outcome] = settle(PASS, [row("a", [], score)], hard_share=1, at_least=0)
    assert isinstance(outcome, Record) and outcome.facts["informative"]["marks"] == []


def test_a_tag_that_earlier_rounds_kept_is_no_longer_rare() -> None:
    before = [row("k", ["comets"])]
    assert "rare" not in marks(settle(PASS, ROWS, before))["c"]


def test_no_record_is_no_error() -> None:
    assert settle(PASS, []) == []
