from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.selection.facilities import Blocks, facility_location, fitting
from engine.selection.whole import UNIT
from tests.selection.points import clumped, table

SUBMODLIB = [4, 316, 175, 282, 107, 315, 150, 133, 321, 233, 37, 400, 119, 276, 260, 70, 81, 74]
SUBMODLIB += [463, 206, 240, 344, 371, 349, 128, 183, 95, 158, 115, 221, 387, 372, 474, 92, 72]
SUBMODLIB += [234, 404, 259, 424, 94]
"""What submodlib 0.0.3 (dense, lazy greedy) takes of ``table(500, 12, 3, positive=True)``."""


def kernel(rows, neighbours):
    """Products, positive, with only the nearest of each row; the first of equals."""
    products = np.clip(rows.astype(np.int64) @ rows.astype(np.int64).T, 0, UNIT)
    for row in products:
        order = np.lexsort((np.arange(len(row)), -row))
        row[order[neighbours:]] = 0
    return products


def counting_all(near, start, count):
    """The definition: what every row would add, anew before each pick; the first of equals."""
    best = near[:, list(start)].max(axis=1, initial=0)
    free = [row for row in range(len(near)) if row not in set(start)]
    taken = []
    for _ in range(min(count, len(free))):
        gains = [int(np.maximum(near[:, row] - best, 0).sum()) for row in free]
        row = free.pop(int(np.argmax(gains)))
        taken.append((row, max(gains) / UNIT))
        best = np.maximum(best, near[:, row])
    return taken


def test_the_order_is_that_of_submodlib():
    found = facility_location(table(500, 12, 3, positive=True), [], 40)
    assert found.taken == SUBMODLIB
    assert found.values[:3] == pytest.approx([292.1552, 35.6122, 16.915], abs=1e-3)


@given(
    st.integers(1, 50),
    st.integers(0, 4),
    st.integers(0, 50),
    st.sampled_from([1, 3, 10, 100]),
    st.integers(0, 4),
)
def test_it_takes_what_counting_all_takes(count, start, picks, neighbours, seed):
    rows = clumped(count, 6, seed)
    start = range(min(start, count))
    found = facility_location(rows, start, picks, neighbours)
    expected = counting_all(kernel(rows, neighbours), start, picks)
    assert list(zip(found.taken, found.values, strict=True)) == expected
    assert sorted([*start, *found.taken, *found.rest]) == list(range(count))


@pytest.mark.parametrize("products, sample", [(1, 8192), (500, 20), (4000, 37), (1 << 24, 100)])
@pytest.mark.parametrize("neighbours", [1, 5, 36, 120])
def test_neither_blocks_nor_samples_decide_anything(products, sample, neighbours):
    rows = clumped(120, 9)
    whole = facility_location(rows, [3], 50, neighbours)
    assert facility_location(rows, [3], 50, neighbours, Blocks(products, sample)) == whole


@pytest.mark.parametrize("seed", range(5))
def test_greedy_reaches_its_share_of_the_best(seed):
    near = kernel(table(12, 4, seed), 12)
    found = facility_location(table(12, 4, seed), [], 3)
    value = near[:, found.taken].max(axis=1).sum()
    best = max(near[:, list(some)].max(axis=1).sum() for some in combinations(range(12), 3))
    assert value >= (1 - 1 / np.e) * best
    assert sum(found.values) == pytest.approx(value / UNIT)


def test_gains_never_grow():
    found = facility_location(table(200), [], 200)
    assert all(a >= b for a, b in zip(found.values, found.values[1:], strict=False))
    assert found.rest == []


def test_of_identical_rows_the_first_represents_all_and_the_others_follow():
    found = facility_location(np.repeat(table(1), 7, axis=0), [], 4, 3)
    assert found.taken == [0, 1, 2, 3]
    assert found.values == pytest.approx([7, 0, 0, 0], abs=0.01)


def test_with_more_rows_than_pairs_allow_fewer_neighbours_are_compared():
    assert [fitting(count) for count in (0, 1, 4000, 100_000, 10**6)] == [0, 1, 4000, 160, 64]


def test_nothing_and_one_row():
    assert facility_location(table(0), [], 3).taken == []
    assert facility_location(table(1), [], 3).taken == [0]
    assert facility_location(table(3), range(3), 3).taken == []
