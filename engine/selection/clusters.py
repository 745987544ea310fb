"""Clusters of rows: spherical k-means that comes to the same clusters on every machine.

It starts from rows that are far from each other (``farthest_first``), gives each row to the centre
with the largest product, and moves each centre to the middle of its rows, until nothing changes or
``STEPS`` are done. Centres are whole numbers as rows are (see ``whole``), so products are exact and
equals go to the first centre. A centre without rows stays where it is.

Source: Dhillon, Modha, "Concept decompositions for large sparse text data using clustering", 2001,
doi:10.1023/A:1007612920971 (spherical k-means); Gonzalez, "Clustering to minimize the maximum
intercluster distance", 1985, doi:10.1016/0304-3975(85)90224-5 (the start).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.selection.farthest import farthest_first
from engine.selection.whole import SCALE, Table, squares

STEPS = 25
"""Moves of the centres, at most."""
ROWS = 8192
"""Rows in one product of matrices; it decides memory, never the result."""


def clusters(table: Table, count: int, start: int = 0) -> list[list[int]]:
    """Rows by cluster, each in order; at most ``count``, none of them empty.

    Args:
        table: the rows, as whole numbers.
        count: how many clusters, 1 or more.
        start: the row that is the first centre.
    """
    if not len(table):
        return []
    first = farthest_first(table, [start], min(count, len(table)) - 1).taken
    centres = table[[start, *first]]
    owners = _owners(table, centres)
    for _ in range(STEPS):
        centres = _middles(table, owners, centres)
        moved = _owners(table, centres)
        if np.array_equal(moved, owners):
            break
        owners = moved
    found = [np.flatnonzero(owners == at).tolist() for at in range(len(centres))]
    return [rows for rows in found if rows]


def _owners(table: Table, centres: Table) -> NDArray[np.int64]:
    """The centre of each row; the first of equals."""
    starts = range(0, len(table), ROWS)
    parts = [(table[at : at + ROWS] @ centres.T).argmax(axis=1) for at in starts]
    owners: NDArray[np.int64] = np.concatenate(parts).astype(np.int64)
    return owners


def _middles(table: Table, owners: NDArray[np.int64], centres: Table) -> Table:
    """The direction in the middle of each cluster; sums of whole numbers are exact in float64."""
    sums = np.zeros(centres.shape, np.float64)
    np.add.at(sums, owners, table)
    largest = np.abs(sums).max(axis=1, keepdims=True)
    even = np.rint(sums / np.maximum(largest, 1) * SCALE).astype(np.float32)
    lengths = np.sqrt(squares(even).astype(np.float64))[:, None]
    middles = np.rint(even / np.maximum(lengths, 1) * SCALE).astype(np.float32)
    kept: Table = np.where(largest > 0, middles, centres)
    return kept
