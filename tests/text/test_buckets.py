from __future__ import annotations

import numpy as np

from engine.text.buckets import SMALLEST, Buckets


def found(buckets: Buckets, keys: np.ndarray) -> set[tuple[int, int]]:
    return {
        pair
        for rows, at in buckets.find(keys)
        for pair in zip(rows.tolist(), at.tolist(), strict=True)
    }


def test_what_is_found_is_what_comparing_all_finds_while_the_tables_grow():
    rng = np.random.default_rng(5)
    buckets, all_keys = Buckets(4), np.zeros((0, 4), np.uint32)
    for size in (1, 3, 0, SMALLEST - 4, 1, 2 * SMALLEST, 50):
        keys = rng.integers(0, 900, (size, 4), np.uint32) * np.uint32(2654435761)
        asked = np.concatenate((keys[:20], rng.integers(0, 900, (5, 4), np.uint32)))
        rows, at = (asked[:, None] == all_keys[None]).any(axis=2).nonzero()
        assert found(buckets, asked) == set(zip(rows.tolist(), at.tolist(), strict=True))
        buckets.add(keys)
        all_keys = np.concatenate((all_keys, keys))


def test_keys_of_one_bucket_are_told_apart():
    buckets = Buckets(1)
    buckets.add(np.array([[5], [5 + SMALLEST], [5 + 2 * SMALLEST]], np.uint32))
    assert found(buckets, np.array([[5 + SMALLEST], [5 + 3 * SMALLEST]], np.uint32)) == {(0, 1)}


def test_a_key_counts_in_its_own_column_only():
    buckets = Buckets(2)
    buckets.add(np.array([[1, 2]], np.uint32))
    assert found(buckets, np.array([[2, 1], [1, 2]], np.uint32)) == {(1, 0)}
