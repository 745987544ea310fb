from __future__ import annotations

import pytest

from engine.passes.k_center import PASS
from tests.conftest import settle
from tests.passes.choosing import by_rank, ids, ranked, row, rows, said

LINE = {"a": [1, 0], "b": [0.9, 0.1], "c": [0, 1], "d": [-1, 0.1], "e": [0.1, 0.9]}


def line(names: str):
    return [row(name, LINE[name]) for name in names]


def test_the_farthest_from_what_is_kept_come_first():
    old = settle(PASS, line("a"), size=1)
    found = settle(PASS, line("bcde"), old, size=3)
    assert ranked(found) == ["d", "c"]
    distances = [said(each)["distance"] for each in by_rank(found)]
    assert distances[0] == pytest.approx(2, abs=0.01)
    assert distances == sorted(distances, reverse=True)


def test_copies_are_kept_only_when_nothing_else_is_left():
    twins = [row(f"t{n}", [1, 0, 0]) for n in range(3)]
    others = [row("x", [0, 1, 0]), row("y", [0, 0, 1])]
    assert {"x", "y"} < set(ids(settle(PASS, twins + others, size=3)))
    assert len(ids(settle(PASS, twins + others, size=4))) == 4


def test_the_start_is_drawn_and_has_no_distance():
    found = settle(PASS, rows(100), size=20, start=8)
    drawn = [each for each in found if "distance" not in said(each)]
    assert sorted(said(each)["rank"] for each in drawn) == list(range(1, 9))
    more = settle(PASS, rows(100), size=20, start=9)
    assert set(ranked(found)[:8]) < set(ranked(more)[:9])


def test_a_start_larger_than_the_size_is_cut_to_it():
    assert len(ids(settle(PASS, rows(50), size=4, start=100))) == 4


def test_a_round_adds_so_many_until_the_size_is_reached():
    pool, old = rows(100), []
    for expected in (30, 30, 10, 0):
        fresh = [record for record in pool if record.id not in {each.id for each in old}]
        found = settle(PASS, fresh, old, size=70, per_round=30, start=10)
        assert len(ids(found)) == expected
        old += [each for each in found if said(each)["selected"]]
