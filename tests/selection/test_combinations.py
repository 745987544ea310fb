"""Ways to take concepts are counted by formula, numbered without gaps and drawn uniformly."""

import random
from collections import Counter
from itertools import chain, combinations
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.selection.combinations import (
    Way,
    across,
    drawn,
    nth_across,
    nth_within,
    subsets,
    within,
)

COURSE = (("a", "b", "c"), ("d", "e"), ("Winkel", "角", "a"))
texts = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=5)


def chosen(most, *sessions):
    """Every subset of 1 to ``most`` of these concepts, by listing them."""
    pool = list(dict.fromkeys(chain(*sessions)))
    return [set(each) for take in range(1, most + 1) for each in combinations(pool, take)]


def listed_across(course, most):
    found = []
    for pair in combinations(range(len(course)), 2):
        one, two = (set(course[at]) for at in pair)
        subsets = (each for each in chosen(most, *(course[at] for at in pair)))
        found += [(pair, frozenset(s)) for s in subsets if not s <= one and not s <= two]
    return found


def test_the_formulas_are_the_papers():
    assert subsets(8, 5) == comb(8, 1) + comb(8, 2) + comb(8, 3) + comb(8, 4) + comb(8, 5) == 218
    twelve = [[f"{session}.{n}" for n in range(8)] for session in range(12)]
    assert within(twelve, 5) == 12 * 218
    pair = sum(comb(16, k) for k in range(2, 6)) - 2 * sum(comb(8, k) for k in range(2, 6))
    assert across(twelve, 5) == comb(12, 2) * pair == 425_568


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, max_size=4), st.integers(1, 6))
def test_numbers_and_ways_are_the_same_in_number_and_each_way_has_one(course, most):
    ones = nth_within(course, most, range(within(course, most)))
    assert len(set(ones)) == len(ones)
    wanted = [((at,), each) for at, s in enumerate(course) for each in chosen(most, s)]
    assert Counter((w.sessions, frozenset(w.concepts)) for w in ones) == Counter(
        (at, frozenset(each)) for at, each in wanted
    )
    twos = nth_across(course, most, range(across(course, most)))
    found = Counter((way.sessions, frozenset(way.concepts)) for way in twos)
    assert found == Counter(listed_across(course, most))
    for way in twos:
        assert len(set(way.concepts)) == len(way.concepts) <= most


@pytest.mark.parametrize("nth", [nth_within, nth_across])
def test_there_is_no_way_beyond_the_last(nth):
    with pytest.raises(IndexError):
        nth(COURSE, 5, [10_000])


def test_every_way_is_drawn_as_often_as_another():
    times = Counter(
        way for seed in range(4000) for way in drawn(COURSE, 2, 3, 0.5, random.Random(seed))
    )
    for kind, total in ((1, within(COURSE, 3)), (2, across(COURSE, 3))):
        seen = [often for way, often in times.items() if len(way.sessions) == kind]
        mean = sum(seen) / total
        assert len(seen) == total and 3800 < sum(seen) < 4200, "half of them across sessions"
        chi_square = sum((often - mean) ** 2 / mean for often in seen)
        freedom = total - 1
        assert chi_square < freedom + 4 * (2 * freedom) ** 0.5


def test_no_way_is_drawn_twice_and_all_there_are_where_more_are_asked_for():
    total = within(COURSE, 5) + across(COURSE, 5)
    for share in (0, 0.3, 1):
        ways = drawn(COURSE, 10_000, 5, share, random.Random(1))
        assert len(ways) == len(set(ways)) == total
    assert all(len(w.sessions) == 1 for w in drawn(COURSE, 9, 5, 0, random.Random(1)))
    assert all(len(w.sessions) == 2 for w in drawn(COURSE, 9, 5, 1, random.Random(1)))


def test_one_kind_stands_in_for_the_other():
    alone = [["a", "b"]]
    assert set(drawn(alone, 9, 5, 1, random.Random(1))) == {
        Way((0,), ("a",)),
        Way((0,), ("b",)),
        Way((0,), ("a", "b")),
    }
    assert drawn([], 3, 5, 0.5, random.Random(1)) == drawn([[], []], 3, 5, 0.5, random.Random(1))
    assert drawn(COURSE, 4, 1, 1, random.Random(1)), "one concept is never of two sessions"


def test_a_course_with_more_ways_than_a_machine_word_is_drawn_from_at_once():
    huge = [[f"{session}.{n}" for n in range(12_000)] for session in range(6)]
    assert across(huge, 5) > 1 << 64
    ways = drawn(huge, 50, 5, 0.5, random.Random(3))
    assert len(set(ways)) == 50
    for way in ways:
        assert 1 <= len(way.concepts) <= 5
        assert {int(text.split(".")[0]) for text in way.concepts} == set(way.sessions)
