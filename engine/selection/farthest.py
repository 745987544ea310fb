"""Farthest first: take the row farthest from all that is taken, again and again.

The greedy answer to the k-center problem: no row shall be far from a taken one; at most twice as
far as with the best choice there is. With weights, a distance counts by the weight of the row.

Distances to the nearest taken row only shrink, so an old one is an upper bound: only a row whose
bound is the highest has to be measured anew. Every 64 picks one product of matrices
brings all rows up to date. So the result is that of measuring all rows at each pick, and the cost
is rows x picks x numbers in a vector, at the speed of matrix products: 1,000 of 100,000 rows of
512 numbers in seconds.

Source: Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985,
doi:10.1016/0304-3975(85)90224-5 (the factor of two); Minoux, "Accelerated greedy algorithms for
maximizing submodular set functions", 1978, doi:10.1007/BFb0006528 (old values as bounds).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.selection.picks import Picks, none_of
from engine.selection.whole import SCALE, Table, squares

BEYOND = np.iinfo(np.int32).max
"""A distance before anything is taken."""

Floats = NDArray[np.float64]


class Blocks(NamedTuple):
    """How much is done at once; it decides time and memory, never the result."""

    picks: int = 64
    """Picks after which all rows are brought up to date."""
    rows: int = 8192
    """Rows in one product of matrices."""
    patience: int = 2000
    """Rows measured one by one since all were, after which all are measured at once."""


def farthest_first(
    table: Table,
    start: Sequence[int],
    count: int,
    weights: Floats | None = None,
    blocks: Blocks = Blocks(),  # noqa: B008 - a constant
) -> Picks:
    """Take ``count`` rows besides those in ``start``, for weight x distance (0..2) to the nearest.

    Nothing is far from nothing: without a start none is taken.

    Of equals the first is taken. Where nothing is left that has weight and differs from the taken
    rows, the others follow, the heaviest first.
    """
    if not start:
        return none_of(len(table))
    weight = np.ones(len(table)) if weights is None else weights
    reach = _Reach(table, weight, blocks)
    for row in start:
        reach.take(row)
    taken: list[int] = []
    reached: list[float | None] = []
    count = min(count, len(table) - len(set(start)))
    while len(taken) < count:
        row = reach.farthest()
        if reach.bound[row] <= 0:
            break
        taken.append(row)
        reached.append(float(reach.bound[row]))
        reach.take(row)
    reach.measure()
    left = np.flatnonzero(reach.bound >= 0)
    rest = left[np.lexsort((left, -weight[left], -reach.bound[left]))].tolist()
    copies, rest = rest[: count - len(taken)], rest[count - len(taken) :]
    reached += [0.0] * len(copies)
    return Picks(taken + copies, reached, rest, reach.bound[rest].tolist())


class _Reach:
    """For each row weight x distance to the nearest taken one, or more; -1 for taken rows."""

    def __init__(self, table: Table, weight: Floats, blocks: Blocks) -> None:
        self._table, self._weight, self._blocks = table, weight, blocks
        self._squares = squares(table)
        self._nearest = np.full(len(table), BEYOND, np.int32)
        self._centres = np.empty((blocks.picks, table.shape[1]), np.float32)
        self._centre_squares = np.empty(blocks.picks, np.int32)
        self._pending = self._measured = 0
        self._known = np.zeros(len(table), np.int32)
        self.bound = np.where(weight > 0, np.inf, 0.0)

    def farthest(self) -> int:
        """The row with the greatest value, which is exact; the first of equals."""
        while True:
            row = int(self.bound.argmax())
            if self._known[row] == self._pending:
                return row
            self._measured += 1
            if self._measured > self._blocks.patience:
                self.measure()
            else:
                self._measure(slice(row, row + 1), int(self._known[row]))

    def take(self, row: int) -> None:
        """Count a row among the taken."""
        self._centres[self._pending] = self._table[row]
        self._centre_squares[self._pending] = self._squares[row]
        self._pending += 1
        self.bound[row] = -1
        if self._pending == self._blocks.picks:
            self.measure()

    def measure(self) -> None:
        """Bring every row up to date."""
        for begin in range(0, len(self._table), self._blocks.rows):
            self._measure(slice(begin, begin + self._blocks.rows), 0)
        self._known[:] = 0
        self._pending = self._measured = 0

    def _measure(self, rows: slice, known: int) -> None:
        """Bring some rows up to date that know so many of the pending centres."""
        centres = self._centres[known : self._pending]
        if not len(centres):
            return
        products = (self._table[rows] @ centres.T).astype(np.int32)
        found = self._centre_squares[known : self._pending] - 2 * products
        found += self._squares[rows, None]
        nearest = np.minimum(self._nearest[rows], found.min(axis=1))
        self._nearest[rows], self._known[rows] = nearest, self._pending
        free = self.bound[rows] >= 0
        self.bound[rows][free] = (self._weight[rows] * np.sqrt(nearest) / SCALE)[free]
