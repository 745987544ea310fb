from __future__ import annotations

import pytest

from engine.passes.facility_location import PASS
from tests.conftest import settle
from tests.passes.choosing import by_rank, ids, ranked, row, rows, said

CROWD = [row(f"c{n}", [1, 0.05 * n, 0]) for n in range(6)]
PAIR = [row(f"p{n}", [0, 0.1 * n, 1]) for n in range(2)]
LONE = [row("l", [-1, 0, -1])]


def test_the_dense_are_represented_first_and_the_outlier_last():
    order = ranked(settle(PASS, [*LONE, *PAIR, *CROWD], size=3))
    assert [id_[0] for id_ in order] == ["c", "p", "l"]
    assert order[0] in ("c2", "c3")  # from the middle of the crowd


def test_what_earlier_rounds_kept_represents_already():
    old = settle(PASS, [CROWD[3]], size=1)
    found = settle(PASS, [*LONE, *PAIR, *CROWD[:3]], old, size=2)
    assert ids(found)[0][0] == "p"


def test_gains_are_in_records_and_never_grow():
    found = settle(PASS, rows(60), size=60)
    gains = [said(each)["gain"] for each in by_rank(found)]
    assert gains == sorted(gains, reverse=True)
    assert sum(gains) == pytest.approx(60, abs=0.1)  # each by itself, in the end


def test_a_record_represents_only_those_it_is_among_the_nearest_of():
    alone = settle(PASS, rows(40, copies=False), size=3, neighbours=1)
    assert [said(each)["gain"] for each in alone] == pytest.approx([1] * 40, abs=0.01)
    many = settle(PASS, rows(40, copies=False), size=3)
    assert max(said(each)["gain"] for each in many) > 3
