from __future__ import annotations

import numpy as np
import pytest

from engine.selection.clusters import clusters
from engine.selection.whole import whole
from tests.selection.points import clumped, table


def test_every_row_is_in_one_cluster_and_none_is_empty():
    for count in (1, 2, 7, 60):
        found = clusters(table(50), count)
        assert sorted(row for rows in found for row in rows) == [*range(50)]
        assert len(found) <= min(count, 50) and all(rows == sorted(rows) for rows in found)


@pytest.mark.parametrize("start", [0, 1, 39])
def test_groups_that_lie_apart_are_found_wherever_it_starts(start):
    middles = np.eye(4, dtype=np.float32)
    noise = np.random.default_rng(1).normal(0, 0.03, (40, 4)).astype(np.float32)
    rows = middles[np.arange(40) % 4] + noise
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = clusters(whole(rows), 4, start)
    assert sorted(found) == [[*range(n, 40, 4)] for n in range(4)]


def test_each_row_is_nearest_to_the_middle_of_its_own_cluster():
    rows = table(200)
    found = clusters(rows, 6)
    middles = np.array([rows[each].sum(axis=0) for each in found], np.float64)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    near = rows @ middles.T
    own = np.empty(len(rows), int)
    for number, each in enumerate(found):
        own[each] = number
    assert (near.max(axis=1) - near[np.arange(len(rows)), own]).max() < 40  # 0.01 of a cosine


def test_copies_are_together_and_fewer_directions_than_clusters_make_fewer():
    one = whole(np.tile(np.array([[0.6, 0.8]], np.float32), (9, 1)))
    assert clusters(one, 3) == [[*range(9)]]
    assert clusters(clumped(30, 3), 3) == clusters(clumped(30, 3), 3)


def test_nothing_has_no_cluster():
    assert clusters(np.zeros((0, 4), np.float32), 3) == []
