from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import Drop, Record
from engine.kit import Desk
from engine.passes.safety_quota import PASS, Params, is_safety
from tests.conftest import seed, settle


def row(number: int, language: str = "en", category: str = "", **safety: object) -> Record:
    facts = {"safety": {"stratum": "safety", "category": category, **safety}} if category else {}
    return replace(seed("?", language, "!", **facts), id=f"r{number}")


def general(count: int) -> list[Record]:
    return [row(n, "de") for n in range(count)]


def safety(counts: dict[tuple[str, str], int]) -> list[Record]:
    cells = [cell for cell, count in counts.items() for _ in range(count)]
    return [row(10_000 + n, *cell) for n, cell in enumerate(cells)]


def kept(outcomes: list[object]) -> list[Record]:
    return [each for each in outcomes if isinstance(each, Record)]


@given(
    st.integers(0, 120),
    st.integers(0, 60),
    st.sampled_from([0.0, 0.01, 0.03, 0.05, 0.1, 0.3, 0.5, 0.9, 1.0]),
)
def test_the_count_is_exact(others, there, share):
    outcomes = settle(PASS, general(others) + safety({("en", "crime"): there}), share=share)
    stay = sum(map(is_safety, kept(outcomes)))
    exact = Fraction(str(share))
    most = there if share == 1 else int(others * exact / (1 - exact))
    assert stay == min(there, most)
    assert len(outcomes) == others + there and len(kept(outcomes)) == others + stay
    if stay:
        assert Fraction(stay, others + stay) <= exact


def test_large_languages_and_categories_do_not_crowd_out_small_ones():
    counts = {("en", "crime"): 500, ("en", "hate"): 3, ("sw", "crime"): 4, ("ar", "weapons"): 50}
    outcomes = kept(settle(PASS, general(97 * 8) + safety(counts), share=0.03))
    stay = Counter((r.language, r.facts["safety"]["category"]) for r in outcomes if is_safety(r))
    assert stay == {
        ("en", "crime"): 7,
        ("en", "hate"): 3,
        ("sw", "crime"): 4,
        ("ar", "weapons"): 10,
    }


def test_what_earlier_rounds_kept_counts():
    first = kept(settle(PASS, general(97) + safety({("en", "crime"): 9}), share=0.03))
    assert sum(map(is_safety, first)) == 3
    more = [replace(r, id=f"x{r.id}") for r in general(97) + safety({("th", "crime"): 9})]
    second = kept(settle(PASS, more, first, share=0.03))
    assert [r.language for r in second if is_safety(r)] == ["th"] * 3


def test_a_round_that_had_too_many_before_adds_none():
    before = safety({("en", "crime"): 50})
    outcomes = settle(PASS, general(10) + safety({("de", "hate"): 5}), before, share=0.03)
    assert sum(isinstance(each, Drop) for each in outcomes) == 5


def test_drops_say_why_and_in_which_part():
    outcomes = settle(PASS, safety({("hi", "hate"): 2}), share=0.03)
    drops = [each for each in outcomes if isinstance(each, Drop)]
    assert {(d.reason, d.detail) for d in drops} == {("over_safety_quota", "hi, hate: 0 kept")}


def test_who_stays_is_drawn_by_the_jobs_seed_and_not_by_order():
    records = general(97) + safety({("en", "crime"): 40})

    def stay(order, job_seed):
        desk = Desk(Params(), "safety_quota", job_seed)
        return {r.id for r in kept(list(PASS.settle(order, (), desk))) if is_safety(r)}

    assert stay(records, "1") == stay(records[::-1], "1") != stay(records, "2")


def test_other_records_pass_at_once_and_nothing_is_counted_as_safety_by_mistake():
    def arriving():
        yield row(1)
        raise AssertionError("asked for a second record before the first outcome was taken")

    assert next(PASS.settle(arriving(), iter(()), Desk(Params(), "q", "1"))).id == "r1"
    odd = [
        replace(row(n), facts={"safety": value}) for n, value in enumerate([None, 3, "safety", {}])
    ]
    assert len(kept(settle(PASS, odd, share=0))) == 4


@pytest.mark.parametrize("records", [[], safety({("en", "x"): 10_000})])
def test_nothing_and_ten_thousand_of_one_kind_have_a_clear_outcome(records):
    assert kept(settle(PASS, records)) == []
    assert len(kept(settle(PASS, records, share=1))) == len(records)
