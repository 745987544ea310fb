from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from engine.passes.deita_select import PASS, Params
from tests.conftest import settle
from tests.passes.choosing import drops, ids, ranked, reasons, row, said

ASK = {"score": "scores.mean"}


def at(id_: str, degrees: float, score: float):
    angle = math.radians(degrees)
    return row(id_, [math.cos(angle), math.sin(angle)], scores={"mean": score})


def test_the_best_is_kept_and_what_is_like_it_is_not():
    found = settle(PASS, [at("a", 0, 1), at("b", 10, 3), at("c", 50, 2)], **ASK)
    assert ids(found) == ["b", "c"]
    assert ranked(found) == ["b", "c"]
    drop = drops(found)["a"]
    assert drop.reason == "too_similar"
    assert drop.detail == "rank 3 of 3 by scores.mean; cosine 0.9848 with b"
    assert said(drop)["nearest"] == "b"


def test_what_is_like_a_dropped_record_only_is_kept():
    found = settle(PASS, [at("a", 0, 3), at("b", 20, 2), at("c", 40, 1)], **ASK)
    assert ids(found) == ["a", "c"]


@pytest.mark.parametrize("degrees, stays", [(25.5, False), (26.5, True)])
def test_the_threshold_is_a_cosine_of_nine_tenths(degrees, stays):
    found = settle(PASS, [at("a", 0, 2), at("b", degrees, 1)], **ASK)
    assert ("b" in ids(found)) == stays


def test_behind_the_last_that_has_room_nothing_is_compared():
    found = settle(PASS, [at("a", 0, 3), at("b", 90, 2), at("c", 0, 1)], size=2, **ASK)
    assert reasons(found) == {"c": "not_selected"}
    assert drops(found)["c"].detail == "rank 3 of 3 by scores.mean; 2 are selected"


def test_equal_scores_go_by_id():
    found = settle(PASS, [at("b", 0, 1), at("a", 5, 1), at("c", 2, 1)], **ASK)
    assert ids(found) == ["a"]


def test_what_earlier_rounds_kept_is_compared_first_whatever_its_score():
    old = settle(PASS, [at("old", 0, 1)], **ASK)
    found = settle(PASS, [at("new", 3, 9), at("far", 80, 2)], old, **ASK)
    assert reasons(found) == {"new": "too_similar"}
    assert "with old" in drops(found)["new"].detail


def test_without_a_size_all_that_differ_are_kept():
    found = settle(PASS, [at(f"r{n:02}", 30 * n, n) for n in range(12)], **ASK)
    assert len(ids(found)) == 12


def test_a_threshold_is_a_cosine():
    with pytest.raises(ValidationError):
        Params(threshold=1.1)
