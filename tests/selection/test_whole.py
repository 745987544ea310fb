from __future__ import annotations

import numpy as np
import pytest

from engine.selection.whole import UNIT, squares, whole
from tests.selection.points import points, table


@pytest.mark.parametrize("numbers", [1, 3, 384, 4096])
def test_every_product_is_that_of_whole_numbers_and_no_sum_is_rounded(numbers):
    made = table(40, numbers)
    exact = made.astype(np.int64) @ made.astype(np.int64).T
    assert (made @ made.T == exact).all()
    assert (squares(made) == exact.diagonal()).all()
    assert exact.max() < 2**24


def test_the_worst_vector_of_the_largest_size_stays_within_what_a_float32_counts():
    numbers = 36_000
    even = whole(np.full((1, numbers), 1 / np.sqrt(numbers), np.float32))
    assert squares(even)[0] < 2**24


def test_a_cosine_is_kept_to_a_thousandth():
    vectors = points(200, 64)
    made = whole(vectors)
    assert np.abs(made @ made.T / UNIT - vectors @ vectors.T).max() < 1e-3
