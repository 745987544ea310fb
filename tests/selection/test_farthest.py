from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.selection.farthest import Blocks, farthest_first
from engine.selection.whole import SCALE
from tests.selection.points import clumped, table


def distances(rows):
    exact = rows.astype(np.int64)
    square = (exact * exact).sum(axis=1)
    return np.sqrt(square[:, None] + square - 2 * exact @ exact.T) / SCALE


def measuring_all(rows, start, count, weights):
    """The definition: all distances anew before each pick; the first of equals."""
    apart = distances(rows)
    taken = list(start)
    while len(taken) < len(start) + count:
        reach = weights * apart[:, taken].min(axis=1)
        reach[taken] = -1
        if reach.max() <= 0:
            break
        taken.append(int(reach.argmax()))
    return taken[len(start) :]


@given(
    st.integers(2, 70),
    st.integers(1, 5),
    st.integers(0, 60),
    st.booleans(),
    st.integers(0, 5),
)
def test_it_picks_what_measuring_all_picks(count, start, picks, weighted, seed):
    rows = clumped(count, 9, seed)
    weights = np.arange(count) % 4 / 2 if weighted else np.ones(count)
    start, picks = range(min(start, count)), min(picks, count - min(start, count))
    found = farthest_first(rows, start, picks, weights)
    expected = measuring_all(rows, start, picks, weights)
    assert found.taken[: len(expected)] == expected
    assert len(found.taken) == picks
    assert sorted([*start, *found.taken, *found.rest]) == list(range(count))


@pytest.mark.parametrize("blocks", [Blocks(1, 7, 1), Blocks(5, 1000, 0), Blocks(64, 3, 9)])
def test_neither_blocks_nor_patience_decide_anything(blocks):
    rows = clumped(200, 20)
    whole = farthest_first(rows, range(70), 90)
    assert farthest_first(rows, range(70), 90, blocks=blocks) == whole


@pytest.mark.parametrize("seed", range(5))
def test_no_row_is_more_than_twice_as_far_as_with_the_best_choice(seed):
    rows = table(12, 3, seed)
    apart = distances(rows)
    found = [0, *farthest_first(rows, [0], 2).taken]
    best = min(apart[:, list(some)].min(axis=1).max() for some in combinations(range(12), 3))
    assert apart[:, found].min(axis=1).max() <= 2 * best


def test_weights_of_one_are_no_weights():
    rows = clumped(60, 7)
    assert farthest_first(rows, [0], 30, np.ones(60)) == farthest_first(rows, [0], 30)


def test_rows_without_weight_come_after_all_others_even_after_copies():
    rows = np.concatenate([table(6), table(6)[:2]])
    weights = np.array([1, 1, 0, 1, 0, 1, 0.5, 1])
    found = farthest_first(rows, [0], 7, weights)
    assert set(found.taken[:3]) == {1, 3, 5}
    assert found.taken[3:] == [7, 6, 2, 4]  # copies by weight, then what has none
    assert found.values[3:] == [0, 0, 0, 0]


def test_of_identical_rows_the_first_are_taken():
    rows = np.repeat(table(1), 6, axis=0)
    assert farthest_first(rows, [2], 3).taken == [0, 1, 3]


def test_values_are_distances_that_never_grow():
    rows = table(80)
    found = farthest_first(rows, [5], 40)
    assert found.values == sorted(found.values, reverse=True)
    assert found.values[0] == pytest.approx(distances(rows)[5].max())
    assert found.rest_values == sorted(found.rest_values, reverse=True)
    assert found.rest_values[0] <= found.values[-1]


def test_nothing_is_taken_without_a_start():
    assert farthest_first(table(3), [], 2).taken == []
    assert farthest_first(table(0), [], 2).rest == []
