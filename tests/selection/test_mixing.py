from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.selection.mixing import (
    assigned,
    by_temperature,
    by_unimax,
    complete,
    even,
    pinch,
    shared,
    sweep,
)

CARD = {"de": 8000, "sw": 2000, "yo": 500}


@pytest.mark.parametrize(
    "temperature, shares", [(1, (0.7619, 0.1905, 0.0476)), (2, (0.5714, 0.2857, 0.1429))]
)
def test_temperatures_are_the_golden_vectors_of_the_card(temperature, shares):
    plan = by_temperature(10_000, temperature, CARD)
    assert list(plan.quotas.values()) == [round(10_000 * share) for share in shares]
    assert sum(plan.quotas.values()) == 10_000


def test_unimax_is_the_golden_vector_of_the_card():
    assert by_unimax(6000, 1, CARD).quotas == {"de": 3500, "sw": 2000, "yo": 500}
    assert by_unimax(6000, 2, CARD).quotas == {"de": 2500, "sw": 2500, "yo": 1000}


def test_a_cap_counts_no_language_as_larger():
    assert by_temperature(450, 1, {"de": 800, "sw": 200, "yo": 50}, cap=200).quotas == {
        "de": 200,
        "sw": 200,
        "yo": 50,
    }


def test_declared_shares_are_exact_and_ties_go_by_tag():
    assert shared(10, {"sw": 0.3, "eu": 0.5, "de": 0.2}, {}).quotas == {"de": 2, "eu": 5, "sw": 3}
    assert shared(10, {"zh": 1 / 3, "ar": 1 / 3, "hi": 1 / 3}, {}).quotas["ar"] == 4
    # as binary fractions 0.1 * 5 and 0.3 * 5 have remainders that are not equal; they are
    assert shared(5, {"th": 0.1, "hi": 0.3, "de": 0.6}, {}).quotas == {"de": 3, "hi": 2, "th": 0}
    assert even(11, ["zh", "ar", "de"], {}).quotas == {"ar": 4, "de": 4, "zh": 3}


@given(
    st.integers(0, 5000),
    st.dictionaries(st.text("abcdefghij", min_size=2, max_size=3), st.integers(1, 99), min_size=1),
)
def test_quotas_are_within_one_of_their_share_and_sum_to_the_total(total, weights):
    plan = shared(total, weights, {})
    assert sum(plan.quotas.values()) == total
    whole = sum(weights.values())
    assert all(abs(n - total * weights[tag] / whole) < 1 for tag, n in plan.quotas.items())


def test_the_repetition_factor_is_the_quota_by_what_there_is():
    plan = shared(100, {"de": 0.5, "sw": 0.4, "yo": 0.1}, {"de": 200, "sw": 10})
    assert [plan.repetition(tag) for tag in plan.quotas] == [0.25, 4.0, None]
    assert plan.line("sw") == {"planned": 40, "there": 10, "repetition": 4.0}


def test_a_pinch_takes_its_examples_from_the_base_and_spreads_them():
    others = ["sw", "ar", "th"]
    assert pinch(100, "en", others, 8, {}).quotas == {"ar": 3, "en": 92, "sw": 3, "th": 2}
    assert pinch(100, "en", others, 0, {}).quotas == {"ar": 0, "en": 100, "sw": 0, "th": 0}


ORDER = ["en", "zh", "ar", "sw", "th"]


@pytest.mark.parametrize("mode, totals", [("grow", [3, 5, 8, 10, 12]), ("constant", [12] * 5)])
def test_a_sweep_states_its_mode_and_each_plan_has_the_languages_of_the_one_before(mode, totals):
    plans = [sweep(12, ORDER, take, mode, {}) for take in range(1, 6)]
    assert [set(plan.quotas) for plan in plans] == [set(ORDER[:k]) for k in range(1, 6)]
    assert {plan.kind for plan in plans} == {f"sweep_{mode}"}
    assert [sum(plan.quotas.values()) for plan in plans] == totals
    if mode == "grow":
        for small, large in itertools.pairwise(plans):
            assert small.quotas.items() <= large.quotas.items()


EVERY = {str(n): ORDER for n in range(60)}


def test_a_larger_pinch_keeps_what_a_smaller_one_took():
    small, large = (pinch(60, "en", ORDER[1:], k, {}) for k in (7, 41))
    one, other = (assigned(EVERY, plan.quotas, plan.deal) for plan in (small, large))
    assert len(one) == len(other) == 60
    moved = {id_: tag for id_, tag in one.items() if tag != "en"}
    assert len(moved) == 7 and moved.items() <= other.items()


def test_a_growing_sweep_adds_a_language_and_changes_nothing():
    plans = [sweep(60, ORDER, take, "grow", {}) for take in range(1, 6)]
    dealt = [assigned(EVERY, plan.quotas, plan.deal) for plan in plans]
    for small, large in itertools.pairwise(dealt):
        assert small.items() < large.items()


def test_one_language_an_example_is_a_part_of_all_languages_of_each():
    plan = even(12, ORDER, {})
    owners = assigned(EVERY, plan.quotas, plan.deal)
    whole = list(complete(EVERY, ORDER))[:12]
    assert sorted(owners) == sorted(whole)
    assert max(plan.quotas.values()) - min(plan.quotas.values()) <= 1


def test_examples_are_divided_anew_where_the_order_leaves_a_language_short():
    # in turn, ar would take 0 and en 1; then nothing is left for en
    there = {"0": ["ar", "en"], "1": ["ar", "en"], "2": ["ar"], "3": ["ar"]}
    owners = assigned(there, {"ar": 2, "en": 2}, (("ar", "en"),))
    assert owners == {"0": "en", "1": "en", "2": "ar", "3": "ar"}


def test_what_cannot_be_assigned_is_left_out():
    there = {"0": ["ar"], "1": ["ar"]}
    assert assigned(there, {"ar": 1, "zh": 3}, (("ar", "zh"),)) == {"0": "ar"}
    assert assigned({}, {"ar": 1}, (("ar",),)) == {}


def test_many_examples_take_no_time():
    there = {str(n): ORDER for n in range(100_000)}
    plan = even(100_000, ORDER, {})
    assert len(assigned(there, plan.quotas, plan.deal)) == 100_000
