"""Pairs of vectors from two sets that mean the same, as a margin tells them.

Some vectors are near to everything, and what is near differs from language to language, so that
one threshold of cosine fits no pair of languages. A pair counts if each is the other's nearest
and their cosine stands out from the cosines of each with its nearest few.

Source: Artetxe and Schwenk, "Margin-based Parallel Corpus Mining with Multilingual Sentence
Embeddings", 2019, doi:10.18653/v1/P19-1309 (ratio margin, k = 4, mutual best).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.text.neighbours import SLACK, Neighbours, Vectors

Halves = NDArray[np.float16]

NEAREST = 4
"""Neighbours that say what is usual."""
BLOCK = 1024


class Match(NamedTuple):
    """A row of either set, their cosine, and by what factor it is above the usual."""

    left: int
    right: int
    margin: float
    cosine: float


def matches(left: Halves, right: Halves, margin: float, cosine: float) -> Iterator[Match]:
    """The mutual nearest with at least this margin and this cosine, by row of ``left``.

    A set of one has nothing to stand out from, and matches nothing.
    """
    if min(len(left), len(right)) < 2:
        return
    (to_right, usual_right), (to_left, usual_left) = _near(left, right), _near(right, left)
    rows = np.arange(len(left))
    mutual = rows[to_left[to_right[:, 0][rows]][:, 0] == rows]
    for row in mutual.tolist():
        other = int(to_right[row, 0])
        usual = (usual_right[row] + usual_left[other]) / 2
        here = float(left[row].astype(np.float32) @ right[other].astype(np.float32))
        if here >= cosine - SLACK and here >= margin * usual:
            yield Match(row, other, here / max(float(usual), 1e-3), min(here, 1.0))


def _near(asking: Halves, among: Halves) -> tuple[NDArray[np.int64], Vectors]:
    """The nearest of ``among`` to each, and the mean cosine with the nearest few."""
    index = Neighbours(among.shape[1])
    for first in range(0, len(among), BLOCK):
        index.add(among[first : first + BLOCK].astype(np.float32))
    count = min(NEAREST, len(among))
    found = [
        index.nearest(asking[first : first + BLOCK].astype(np.float32), count)
        for first in range(0, len(asking), BLOCK)
    ]
    positions = np.concatenate([each.positions for each in found])
    return positions, np.concatenate([each.cosines for each in found]).mean(axis=1)
