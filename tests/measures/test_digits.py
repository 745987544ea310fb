from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.measures.digits import expected
from engine.measures.losses import Undefined


def test_the_expectation_is_the_sum_of_digits_times_their_shares() -> None:
    found = expected({k: math.log(p) for k, p in {1: 0.1, 2: 0.2, 3: 0.1, 4: 0.4}.items()})
    # (0.1 + 0.4 + 0.3 + 1.6) / 0.8
    assert found.score == pytest.approx(3.0) and found.mass == pytest.approx(0.8)
    assert found.shares[4] == pytest.approx(0.5)


def test_a_model_that_is_sure_says_its_digit() -> None:
    assert expected({1: -9999.0, 5: 0.0, 6: -9999.0}).score == pytest.approx(5)


def test_a_model_that_means_something_else_gives_little_mass() -> None:
    found = expected(dict.fromkeys(range(1, 7), -20.0))
    assert found.score == pytest.approx(3.5) and found.mass < 1e-7


@pytest.mark.parametrize("logprobs", [{}, {1: -math.inf, 2: -math.inf}])
def test_without_a_probability_there_is_no_score(logprobs: dict[int, float]) -> None:
    with pytest.raises(Undefined):
        expected(logprobs)


@given(st.dictionaries(st.integers(1, 6), st.floats(-200, 0), min_size=1), st.floats(-50, 0))
def test_a_score_lies_among_its_digits_and_a_common_factor_does_not_move_it(
    logprobs: dict[int, float], factor: float
) -> None:
    found = expected(logprobs)
    assert min(logprobs) - 1e-9 <= found.score <= max(logprobs) + 1e-9
    assert sum(found.shares.values()) == pytest.approx(1)
    moved = expected({k: v + factor for k, v in logprobs.items()})
    assert moved.score == pytest.approx(found.score)
