from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.passes.k_center import PASS as K_CENTER
from engine.passes.weighted_coreset import PASS, Params
from tests.conftest import settle
from tests.passes.choosing import drops, ids, ranked, reasons, row, rows, said


def test_it_begins_with_the_weightiest_and_weighs_distances():
    records = [
        row("a", [1, 0], w=5),
        row("b", [0, 1], w=1),  # farther, and less weighty
        row("c", [0.7, 0.7], w=3),
    ]
    found = settle(PASS, records, size=2, weights=["w"])
    assert ranked(found) == ["a", "c"]
    assert said(found[2])["distance"] == pytest.approx(3 * 0.765, abs=0.01)
    assert said(found[2])["scores"] == {"w": 3}
    assert reasons(found) == {"b": "not_selected"}


def test_with_equal_weights_it_is_k_center():
    old = settle(K_CENTER, rows(1), size=1)
    plain = settle(K_CENTER, rows(80, start=1), old, size=30)
    even = [record.with_facts(w=2.0) for record in rows(80, start=1)]
    assert ranked(settle(PASS, even, old, size=30, weights=["w"])) == ranked(plain)


def test_the_weight_is_the_product_of_the_facts():
    records = [row("a", [1, 0], u=2, r=0.1), row("b", [0, 1], u=1, r=0.9)]
    assert ids(settle(PASS, records, size=1, weights=["u", "r"])) == ["b"]


def test_what_weighs_nothing_is_kept_only_when_nothing_else_is_left():
    records = [record.with_facts(w=n % 3) for n, record in enumerate(rows(60))]
    found = settle(PASS, records, size=40, weights=["w"])
    assert len(ids(found)) == 40
    assert all(said(each)["scores"]["w"] > 0 for each in found if said(each)["selected"])
    assert len(ids(settle(PASS, records, size=41, weights=["w"]))) == 41


def test_a_weight_below_zero_is_none():
    found = settle(PASS, [row("a", [1, 0], w=-1), row("b", [0, 1], w=0)], size=2, weights=["w"])
    assert ids(found) == ["b"]
    assert drops(found)["a"].detail == "-1 under w"


def test_without_a_weight_there_is_no_weighing():
    with pytest.raises(ValidationError):
        Params(size=3, weights=[])
