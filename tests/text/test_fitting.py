"""The largest size that fits, found in few measurements."""

from __future__ import annotations

import random
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.fitting import Fit


def searched(fit: Fit, costs: list[int]) -> Fit:
    seen = set()
    while not fit.done:
        size = fit.size()
        assert fit.least <= size <= fit.most and size not in seen, "nothing is measured twice"
        seen.add(size)
        fit = fit.measured(size, costs[size])
    return fit


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=200),
    st.lists(st.integers(0, 50), min_size=1, max_size=200),
    st.integers(1, 3000),
    st.integers(0, 5),
)
def test_what_fits_is_the_largest_whatever_weights_say(
    weights: list[int], costs: list[int], budget: int, least: int
) -> None:
    many = min(len(weights), len(costs))
    weighed, priced = (list(accumulate(each[:many])) for each in (weights, costs))
    found = searched(Fit(budget, weighed, least), priced)
    right = [size for size in range(least, many) if priced[size] <= budget]
    assert found.fits == (max(right) if right else -1)
    assert found.tries <= 12 + 9


@pytest.mark.parametrize(("low", "high"), [(20, 60), (3, 400)])
@pytest.mark.parametrize("rate", [0.25, 0.4, 0.9, 1.7])
def test_a_few_measurements_suffice_where_tokens_go_with_bytes(
    rate: float, low: int, high: int
) -> None:
    rng = random.Random(f"{rate} {low}")
    tries = []
    for _ in range(30):
        sizes = [rng.randint(low, high) for _ in range(8000)]
        tokens = [max(1, round(size * rate * rng.uniform(0.8, 1.25))) for size in sizes]
        weights, costs = (list(accumulate(each, initial=90)) for each in (sizes, tokens))
        found = searched(Fit(rng.randint(2_000, 130_000), weights, 1), costs)
        tries.append(found.tries)
    assert sum(tries) / len(tries) <= 5.5 and max(tries) <= 9


def test_nothing_fits_where_the_smallest_is_too_large() -> None:
    assert searched(Fit(5, [10, 20, 30], 1), [9, 9, 9]).fits == -1
    assert Fit(5, [10], 1).done, "there is no size of any use"
    assert searched(Fit(5, [10, 20, 30], 0), [1, 2, 3]).fits == 2, "all there is"
