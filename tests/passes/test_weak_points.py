from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.passes.weak_points import PASS
from tests.conftest import seed, settle


def row(id_: str, category: str, weakness: str = "", language: str = "de") -> Record:
    label = {"category": category, "macro": category.partition("/")[0]}
    return replace(seed(language=language, label=label, weakness=weakness or f"W {id_}"), id=id_)


ROWS = [
    row("a", "maths/algebra"),
    row("b", "maths/sets"),
    row("c", "maths/algebra"),
    row("d", "maths/algebra", "w A"),
    row("e", "maths/algebra", "混淆", "zh"),
]


def told(**params: Any) -> dict[str, str]:
    outcomes = settle(PASS, ROWS, **params)
    return {
        (each.record if isinstance(each, Drop) else each).id: (
            each.reason if isinstance(each, Drop) else f"keep {each.facts['failures']}"
        )
        for each in outcomes
    }


def test_failures_of_one_language_and_field_become_one_record() -> None:
    assert told() == {
        "a": "keep 3", "b": "keep 1", "c": "told_together", "d": "told_together", "e": "keep 1",
    }  # fmt: skip
    assert told(by="label.macro")["a"] == "keep 4"


def test_each_weakness_is_listed_once_and_not_too_many() -> None:
    [first, *_] = settle(PASS, ROWS)
    assert isinstance(first, Record) and len(first.facts["weaknesses"]) == 2  # "W a" and "w A"
    [first, *_] = settle(PASS, ROWS, shown=1)
    assert isinstance(first, Record) and len(first.facts["weaknesses"]) == 1


@pytest.mark.parametrize(("at_least", "kept"), [(1, "abe"), (2, "a"), (3, "a"), (4, "")])
def test_chance_is_no_weak_point(at_least: int, kept: str) -> None:
    found = told(at_least=at_least)
    assert "".join(sorted(id_ for id_, said in found.items() if said.startswith("keep"))) == kept
    assert {said for said in found.values()} <= {
        "keep 3", "keep 1", "told_together", "too_few_failures",
    }  # fmt: skip


def test_the_points_with_most_failures_go_first() -> None:
    assert told(size=1) == {
        "a": "keep 3", "b": "minor_weakness", "c": "told_together", "d": "told_together",
        "e": "minor_weakness",
    }  # fmt: skip


def test_a_point_of_an_earlier_round_is_not_told_again() -> None:
    outcomes = settle(PASS, ROWS, [row("k", "maths/algebra")])
    assert [each.reason for each in outcomes if isinstance(each, Drop)] == ["known_weakness"] * 3


def test_every_record_has_one_outcome() -> None:
    assert sorted(told()) == list("abcde") and settle(PASS, []) == []
