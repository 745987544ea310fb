from __future__ import annotations

import random

import pytest

from engine.text.levels import by_category, levels_fault, spread

QUESTION = "Erkläre den Umzug."


@pytest.mark.parametrize("count", [5, 6, 8, 10, 14])
def test_every_level_takes_one_or_two_categories_of_its_own(count: int) -> None:
    categories = {f"k{n}": [f"k{n} {v}" for v in range(1 + n % 4)] for n in range(count)}
    for at in range(50):
        levels = spread(categories, 5, random.Random(at))
        kinds = [{value.split()[0] for value in level} for level in levels]
        assert len(levels) == 5 and all(1 <= len(own) <= 2 for own in kinds)
        assert sum(map(len, kinds)) == len(set().union(*kinds)) == min(count, 10)
        for level, own in zip(levels, kinds, strict=True):
            there = sum(len(categories[kind]) for kind in own)
            assert min(2, there) <= len(set(level)) == len(level) <= 3


def test_the_same_draws_give_the_same_levels() -> None:
    categories = {str(n): [f"{n}a", f"{n}b"] for n in range(7)}
    first, second = (spread(categories, 5, random.Random(3)) for _ in range(2))
    assert first == second != spread(categories, 5, random.Random(4))


def test_blank_constraints_and_categories_without_any_are_left_out() -> None:
    listed = [("स्थान", ["गाँव", " गाँव", ""]), ("时间", ["  "]), ("Ton", [])]
    assert by_category(listed) == {"स्थान": ["गाँव"]}
    assert by_category([]) == {}


@pytest.mark.parametrize(
    ("levels", "fault"),
    [
        (["Erkläre A.", "Erkläre A und B."], ""),
        (["说明甲。", "说明甲和乙，并举例。"], ""),
        (["", "Erkläre A und B."], "empty_level"),
        ([QUESTION, "Erkläre A und B."], "same_level"),
        (["Erkläre A", "ERKLÄRE  A"], "same_level"),
        (["Erkläre A und B.", "Erkläre A."], "levels_do_not_grow"),
        (["Erkläre A.", "Erkläre B."], "levels_do_not_grow"),
        (["a", "b " * 500_000], ""),
    ],
)
def test_levels_differ_from_each_other_and_the_question_and_grow(
    levels: list[str], fault: str
) -> None:
    assert levels_fault(QUESTION, levels) == fault
