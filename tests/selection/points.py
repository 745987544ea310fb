"""Vectors for tests, the same with every version of every library."""

from __future__ import annotations

import random

import numpy as np

from engine.selection.whole import Table, whole


def points(count: int, numbers: int = 8, seed: int = 1, positive: bool = False) -> Table:
    """Vectors of length 1."""
    rng = random.Random(seed)
    draw = (lambda: rng.random() ** 3) if positive else (lambda: rng.gauss(0, 1))
    drawn = np.array([[draw() for _ in range(numbers)] for _ in range(count)]).reshape(
        count, numbers
    )
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def table(count: int, numbers: int = 8, seed: int = 1, positive: bool = False) -> Table:
    """The same as whole numbers."""
    return whole(points(count, numbers, seed, positive))


def clumped(count: int, centres: int, seed: int = 1) -> Table:
    """Whole numbers again, in tight groups, with exact copies among them."""
    rng = random.Random(seed)
    middle, noise = points(centres, seed=seed), points(count, seed=seed + 1)
    drawn = middle[[rng.randrange(centres) for _ in range(count)]] + 0.2 * noise
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    drawn[1::5] = drawn[0 : len(drawn[1::5]) * 5 : 5]
    return whole(drawn.astype(np.float32))
