"""How many seeds a round takes: from the past alone, and never more than was allowed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan import Feed, Plan, Target
from engine.rounds import BARREN, SMALLEST, End, Past, ending, feeds


def planned(accepted: int = 0, candidates: int = 0, size: int = 0, **weights: float) -> Plan:
    sources = tuple(
        Feed(name, lambda *_: iter(()), weight=w) for name, w in (weights or {"a": 1}).items()
    )
    return Plan(sources, (), {}, Target(accepted, candidates, size))


def done(**taken: int | dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """A round that is over."""
    return {
        n: c if isinstance(c, dict) else {"start": 0, "count": c} for n, c in taken.items()
    }, True


def counts(taken: dict[str, Any]) -> dict[str, int]:
    return {name: feed["count"] for name, feed in taken.items()}


def test_without_a_target_the_first_round_takes_all_there_is():
    assert feeds(planned(), [], 0) == {"a": {"start": 0, "count": -1}}


def test_the_first_round_takes_a_quarter_of_the_target_and_never_too_few():
    assert counts(feeds(planned(accepted=400), [], 0)) == {"a": 100}
    assert counts(feeds(planned(accepted=3), [], 0)) == {"a": SMALLEST}


def test_the_next_round_takes_what_is_missing_at_the_yield_so_far():
    past = [done(a=100)]
    assert counts(feeds(planned(accepted=100), past, 60)) == {"a": 74}
    assert counts(feeds(planned(accepted=100), past, 99)) == {"a": SMALLEST}
    assert counts(feeds(planned(accepted=100_000), past, 0)) == {"a": 400}


def test_the_next_round_starts_where_the_last_one_ended():
    past = [done(a=100), done(a=20)]
    assert feeds(planned(accepted=100), past, 60)["a"]["start"] == 120


def test_a_round_of_a_given_size_is_that_large():
    assert counts(feeds(planned(accepted=400, size=16), [], 0)) == {"a": 16}


def test_sources_share_a_round_by_weight_to_the_last_seed():
    assert counts(feeds(planned(size=10, a=3, b=1, c=1), [], 0)) == {"a": 6, "b": 2, "c": 2}
    assert counts(feeds(planned(size=1, a=1, b=5), [], 0)) == {"a": 1}


def test_a_source_that_is_spent_leaves_its_share_to_the_others():
    past = [done(a={"start": 0, "count": 2, "spent": True}, b=8)]
    assert feeds(planned(size=10, a=1, b=1), past, 0) == {"b": {"start": 8, "count": 10}}


def test_the_last_round_takes_only_the_candidates_that_are_left():
    plan = planned(accepted=100, candidates=12)
    assert counts(feeds(plan, [done(a=8)], 1)) == {"a": 4}
    assert ending(plan, [done(a=8)], 1, 0) is None
    assert ending(plan, [done(a=8), done(a=4)], 1, 0) is End.SPENT


@pytest.mark.parametrize(
    ("plan", "past", "accepted", "barren", "end"),
    [
        (planned(accepted=5), [], 0, 0, None),
        (planned(accepted=5), [done(a=8)], 5, 0, End.MET),
        (planned(accepted=5), [done(a=8)], 9, 0, End.MET),
        (planned(accepted=5), [done(a=8)], 4, 0, None),
        (planned(accepted=5), [done(a={"count": 2, "spent": True})], 4, 0, End.SPENT),
        (planned(accepted=5), [done(a=8)] * BARREN, 0, BARREN, End.BARREN),
        (planned(accepted=5), [done(a=8)] * BARREN, 0, BARREN - 1, None),
        (planned(), [done(a={"count": 2, "spent": True})], 2, 0, End.MET),
        (planned(), [], 0, 0, None),
        (planned(candidates=8), [done(a=8)], 0, 0, End.MET),
        (planned(accepted=5, a=1, b=1), [done(a={"count": 2, "spent": True}, b=9)], 0, 0, None),
    ],
)
def test_there_is_no_next_round_when(plan, past, accepted, barren, end):
    assert ending(plan, past, accepted, barren) is end


@given(
    st.integers(0, 300),
    st.integers(1, 200),
    st.integers(0, 20),
    st.dictionaries(
        st.sampled_from("abcde"),
        st.sampled_from([0.1, 0.2, 0.3, 0.7, 1, 3.3, 1e-9, 1e9]),
        min_size=1,
    ),
    st.data(),
)
def test_whatever_rounds_bring_the_candidates_are_spent_to_the_last_and_never_exceeded(
    accepted, candidates, size, weights, data
):
    plan = planned(accepted, candidates, size, **weights)
    past: Past = []
    got, taken = 0, 0
    while ending(plan, past, got, 0) is None:
        before = copy.deepcopy(past)
        this = feeds(plan, past, got)
        assert this == feeds(plan, copy.deepcopy(past), got)
        assert past == before
        assert this
        for feed in this.values():
            assert feed["count"] > 0
            real = data.draw(st.integers(0, feed["count"]))
            if real < feed["count"]:
                feed.update(count=real, spent=True)
            taken += real
        assert taken <= candidates
        got += data.draw(st.integers(0, 3))
        past.append((this, True))
    live = {n for n in weights} - {n for t, _ in past for n, f in t.items() if f.get("spent")}
    assert taken == candidates or not live or (accepted and got >= accepted)
