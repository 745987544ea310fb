from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.selection.graph_cut import taylor_softmax
from engine.selection.quotas import apportion, smart_split, spread, tempered, top_up, unimax

SIZES = {"de": 8000, "sw": 2000, "yo": 500}
groups = st.dictionaries(st.text("abcé文", min_size=1, max_size=3), st.integers(0, 60), max_size=6)


def test_shares_by_size_and_by_temperature_are_those_of_the_card():
    for temperature, shares in [(1, (0.7619, 0.1905, 0.0476)), (2, (0.5714, 0.2857, 0.1429))]:
        weights = tempered(SIZES, temperature)
        total = sum(weights.values())
        assert [round(weight / total, 4) for weight in weights.values()] == list(shares)
    assert spread(2100, tempered(SIZES, 1), SIZES) == {"de": 1600, "sw": 400, "yo": 100}
    assert spread(2100, tempered(SIZES, 2), SIZES) == {"de": 1200, "sw": 600, "yo": 300}


def test_unimax_is_that_of_the_card():
    assert unimax(6000, SIZES) == {"de": 3500, "sw": 2000, "yo": 500}


def test_a_high_temperature_treats_all_alike_and_an_empty_group_gets_nothing():
    assert spread(30, tempered({**SIZES, "xx": 0}, 1e6), {**SIZES, "xx": 0}) == {
        "de": 10,
        "sw": 10,
        "yo": 10,
        "xx": 0,
    }


def test_a_cap_limits_what_a_group_counts_for():
    assert tempered(SIZES, 1, 1000) == {"de": 1000, "sw": 1000, "yo": 500}


def test_largest_remainders_and_equals_by_order():
    assert apportion(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert apportion(10, {"a": 0.15, "b": 0.58, "c": 0.27}) == {"a": 1, "b": 6, "c": 3}
    assert apportion(5, {"a": 0, "b": 0}) == {"a": 0, "b": 0}
    assert apportion(5, {}) == {}


@given(st.integers(0, 500), groups)
def test_apportioned_counts_sum_to_the_total_and_are_off_by_less_than_one(total, weights):
    counts = apportion(total, weights)
    if whole := sum(weights.values()):
        assert sum(counts.values()) == total
        for name, weight in weights.items():
            assert abs(counts[name] - Fraction(total * weight, whole)) < 1


@given(st.integers(0, 400), groups, st.sampled_from([1.0, 2.0, 3.3]))
def test_spread_and_unimax_give_all_there_is_room_for_and_never_more(total, rooms, temperature):
    for counts in (spread(total, tempered(rooms, temperature), rooms), unimax(total, rooms)):
        assert list(counts) == list(rooms)
        assert sum(counts.values()) == min(total, sum(rooms.values()))
        assert all(0 <= counts[name] <= rooms[name] for name in rooms)


@given(st.integers(0, 400), groups)
def test_unimax_gives_each_its_room_or_as_much_as_anyone(total, rooms):
    counts = unimax(total, rooms)
    most = max(counts.values(), default=0)
    assert all(counts[name] == rooms[name] or counts[name] >= most - 1 for name in rooms)


def test_smart_splits_the_remainder_from_the_first():
    shares = dict(zip("abcd", taylor_softmax([3, 1, 0.5, 0.25]), strict=True))
    rooms = dict.fromkeys("abcd", 1000)
    assert smart_split(1000, shares, rooms) == {"a": 612, "b": 180, "c": 116, "d": 92}


def test_smart_gives_what_there_is_no_room_for_in_turns():
    shares = dict(zip("abc", [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)], strict=True))
    assert smart_split(12, shares, {"a": 1, "b": 9, "c": 4}) == {"a": 1, "b": 7, "c": 4}
    assert smart_split(99, shares, {"a": 1, "b": 9, "c": 4}) == {"a": 1, "b": 9, "c": 4}
    assert smart_split(5, {}, {"a": 3}) == {}


@given(st.integers(0, 300), st.lists(st.floats(-5, 20), min_size=1, max_size=5), st.data())
def test_smart_sums_to_the_total_or_to_all_there_is(total, gains, data):
    names = "abcde"[: len(gains)]
    rooms = {name: data.draw(st.integers(0, 80)) for name in names}
    counts = smart_split(total, dict(zip(names, taylor_softmax(gains), strict=True)), rooms)
    assert sum(counts.values()) == min(total, sum(rooms.values()))
    assert all(0 <= counts[name] <= rooms[name] for name in names)


def test_a_group_above_its_quota_takes_from_the_needs_of_the_others():
    assert top_up({"a": 10, "b": 10}, {"a": 4}) == {"a": 6, "b": 10}
    assert top_up({"a": 10, "b": 10}, {"a": 14}) == {"a": 0, "b": 6}
    assert top_up({"a": 10, "b": 10, "c": 10}, {"a": 25}) == {"a": 0, "b": 3, "c": 2}
    assert top_up({"a": 1}, {"a": 9}) == {"a": 0}


@given(groups, st.dictionaries(st.sampled_from("abc"), st.integers(0, 60)))
def test_needs_never_exceed_quotas_and_all_together_have_what_the_quotas_say(quotas, have):
    takes = top_up(quotas, have)
    had = sum(have.get(name, 0) for name in quotas)
    assert had + sum(takes.values()) == max(had, sum(quotas.values()))
    assert all(takes[name] <= max(0, quotas[name] - have.get(name, 0)) for name in quotas)


@pytest.mark.parametrize("temperature", [1, 1.5, 5])
def test_equal_groups_stay_equal(temperature):
    assert set(tempered({"a": 7, "b": 7}, temperature).values()) == {7 ** (1 / temperature)}
