from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.selection.diverse import Blocks, Look, diverse
from tests.selection.points import clumped, table


def one_by_one(rows, chosen, order, room, threshold):
    """The definition: each candidate against everything taken, in plain floats."""
    unit = rows.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    taken, looks = list(range(chosen)), []
    for row in order:
        if room == 0:
            break
        cosines = [round(float(unit[row] @ unit[other]), 6) for other in taken]
        fits = not cosines or max(cosines) <= threshold
        looks.append((row, fits))
        if fits:
            taken.append(row)
            room -= 1
    return looks


@given(
    st.integers(1, 60),
    st.integers(0, 10),
    st.integers(0, 40),
    st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]),
    st.integers(0, 5),
)
def test_it_decides_as_one_by_one_does(count, chosen, room, threshold, seed):
    rows = clumped(count + chosen, 5, seed)
    order = list(range(chosen, count + chosen))
    random.Random(seed).shuffle(order)
    looks = diverse(rows, chosen, order, room, threshold)
    expected = one_by_one(rows, chosen, order, room, threshold)
    assert [(row, look.taken) for row, look in zip(order, looks, strict=False)] == expected


@pytest.mark.parametrize("block, beside", [(1, 1), (3, 2), (7, 50), (512, 8192)])
def test_the_size_of_a_block_decides_nothing(block, beside):
    rows = clumped(150, 12)
    whole = diverse(rows, 4, range(4, 150), 60, 0.95)
    assert diverse(rows, 4, range(4, 150), 60, 0.95, Blocks(block, beside)) == whole


def test_a_look_names_the_nearest_taken_and_a_copy_has_cosine_one():
    rows = np.concatenate([table(3, 16), table(3, 16)[1:2]])
    looks = diverse(rows, 0, [0, 1, 2, 3], 9, 0.99)
    assert looks[0] == Look(True, -1, -1.0)
    assert looks[3] == Look(False, 1, 1.0)


def test_a_threshold_of_one_takes_copies_too():
    rows = np.repeat(table(1), 5, axis=0)
    assert [look.taken for look in diverse(rows, 0, range(5), 9, 1.0)] == [True] * 5


def test_it_does_not_look_behind_the_last_that_has_room():
    looks = diverse(table(2000, 30), 0, range(2000), 3, 0.9)
    assert [look.taken for look in looks].count(True) == 3
    assert looks[-1].taken and len(looks) < 100
    assert diverse(table(5), 0, range(5), 0, 0.9) == []
    assert diverse(table(5), 2, [], 5, 0.9) == []
