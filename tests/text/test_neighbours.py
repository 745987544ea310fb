from __future__ import annotations

import numpy as np
import pytest

from engine.text.neighbours import Neighbours


def vectors(count: int, dimension: int = 32, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((40, dimension))
    made = centres[rng.integers(0, 40, count)] + rng.standard_normal((count, dimension)) / 2
    near = rng.random(count) < 0.3
    made[near] = made[rng.integers(0, count, near.sum())] + rng.standard_normal(dimension) / 50
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def by_hand(made: np.ndarray, threshold: float) -> list[int | None]:
    """Greedy, by comparing each with every kept one."""
    kept: list[int] = []
    twins: list[int | None] = []
    for row in range(len(made)):
        cosines = made[kept] @ made[row]
        near = bool(kept) and cosines.max() >= threshold
        twins.append(int(cosines.argmax()) if near else None)
        if not near:
            kept.append(row)
    return twins


@pytest.mark.parametrize("block", [1, 7, 300])
def test_decisions_are_those_of_comparing_each_with_every_kept_one(block):
    made = vectors(600)
    expected = by_hand(made, 0.95)
    index = Neighbours(32)
    found = [t for n in range(0, 600, block) for t in index.admit(made[n : n + block], 0.95)]
    agree = sum((t and t.position) == e for t, e in zip(found, expected, strict=True))
    assert agree >= 598  # half precision may turn a tie
    assert sum(t is not None for t in found) > 100
    assert len(index) == sum(t is None for t in found)


def test_the_nearest_come_from_near_to_far():
    made, asked = vectors(5000), vectors(50, seed=2)
    index = Neighbours(32)
    for n in range(0, 5000, 999):
        index.add(made[n : n + 999])
    found = index.nearest(asked, 5)
    cosines = asked @ made.T
    assert np.allclose(found.cosines, -np.sort(-cosines, axis=1)[:, :5], atol=2e-3)
    assert np.allclose(np.take_along_axis(cosines, found.positions, 1), found.cosines, atol=2e-3)


def test_beyond_the_exact_the_library_finds_the_same():
    made = vectors(6000, seed=3)
    exact, lists = Neighbours(32, exact=10_000), Neighbours(32, exact=2000)
    found = [
        [t is None for n in range(0, 6000, 500) for t in index.admit(made[n : n + 500], 0.95)]
        for index in (exact, lists)
    ]
    assert lists._lists and not exact._lists
    assert len(lists) == pytest.approx(len(exact), abs=6)
    assert sum(a == b for a, b in zip(*found, strict=True)) >= 5994


def test_where_there_are_few_or_none_the_rest_is_nobody():
    index = Neighbours(4)
    one = np.eye(4, dtype=np.float32)[:1]
    assert index.nearest(one, 2).positions.tolist() == [[-1, -1]]
    index.add(one)
    found = index.nearest(one, 2)
    assert found.positions.tolist() == [[0, -1]] and found.cosines.tolist() == [[1, -2]]


def test_ten_thousand_equal_vectors_leave_one_even_at_a_threshold_of_one():
    same = np.repeat(vectors(1), 10_000, axis=0)
    index = Neighbours(32)
    twins = [twin for n in range(0, 10_000, 1000) for twin in index.admit(same[n : n + 1000], 1.0)]
    assert twins[0] is None and {twin.position for twin in twins[1:]} == {0}
    assert max(twin.similarity for twin in twins[1:]) <= 1
