"""Facility location: take rows so that every row has a taken one near to it.

The value of a choice is the sum over all rows of the cosine with the nearest taken row (0 where
it is negative). It is submodular, so taking what gains most, again and again, reaches at least
1 - 1/e of the best; and gains only shrink, so an old one is an upper bound and few are counted
anew (lazy greedy). Sums are of whole numbers, hence exact: equal gains are equal.

A row is represented only by rows among its ``neighbours`` nearest. With as many as there are rows
nothing is left out. Finding the neighbours takes rows x rows x numbers in a vector: 100,000 rows
of 512 numbers take four minutes on two cores, twice as many four times as long. Memory
is 30 bytes a pair at the peak.

Libraries: apricot-select (unmaintained since 2021) and submodlib (C++, wheels for old Pythons)
were judged; the orders are submodlib's, see the test.

Source: Nemhauser, Wolsey, Fisher, "An analysis of approximations for maximizing submodular set
functions", 1978, doi:10.1007/BF01588971 (1 - 1/e); Minoux, "Accelerated greedy algorithms for
maximizing submodular set functions", 1978, doi:10.1007/BFb0006528 (lazy greedy); Wei, Iyer,
Bilmes, "Fast multi-stage submodular maximization", 2014, arXiv:1401.5439 (nearest neighbours only).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.selection.picks import Picks
from engine.selection.whole import UNIT, Table

PAIRS = 16_000_000
"""Pairs of rows that are held where the number of neighbours is not said: half a gigabyte."""
FEWEST = 64
"""Neighbours at least, then."""


class Blocks(NamedTuple):
    """How much is done at once; it decides time and memory, never the result."""

    products: int = 1 << 24
    """Products in one block, 64 MB."""
    sample: int = 8192
    """Rows among which as many as ``neighbours`` are found, to leave out what is farther."""


def fitting(count: int, pairs: int = PAIRS) -> int:
    """How many neighbours each of so many rows can have."""
    return min(count, max(FEWEST, pairs // max(1, count)))


def facility_location(
    table: Table,
    start: Sequence[int],
    count: int,
    neighbours: int | None = None,
    blocks: Blocks = Blocks(),  # noqa: B008 - a constant
) -> Picks:
    """Take ``count`` rows besides those in ``start``; of equals the first.

    The values are gains: 1 is one row represented by itself.

    Args:
        table: the rows, which are also what is to be represented.
        start: rows that are taken already.
        count: how many to take.
        neighbours: see the module; as many as ``PAIRS`` allows if left out.
        blocks: how much is done at once.
    """
    sites = _Sites(table, min(len(table), neighbours or fitting(len(table))), blocks)
    gains = sites.all_gains()
    for row in start:
        sites.open(row)
    free = sorted(set(range(len(table))) - set(start))
    heap = [(-gains[row], row) for row in free]
    heapq.heapify(heap)
    taken: list[int] = []
    gained: list[float | None] = []
    while heap and len(taken) < count and heap[0][0] < 0:
        row = heapq.heappop(heap)[1]
        bid = (-sites.gain(row), row)
        if heap and heap[0] < bid:
            heapq.heappush(heap, bid)
        else:
            taken.append(row)
            gained.append(-bid[0] / UNIT)
            sites.open(row)
    left = sites.all_gains()
    rest = sorted((row for _, row in heap), key=lambda row: (-left[row], row))
    more, rest = rest[: count - len(taken)], rest[count - len(taken) :]
    gained += [left[row] / UNIT for row in more]
    return Picks(taken + more, gained, rest, [left[row] / UNIT for row in rest])


class _Sites:
    """For each row whom it is near to, and how near each row is to an opened one."""

    def __init__(self, table: Table, neighbours: int, blocks: Blocks) -> None:
        self._count = len(table)
        pairs = _nearest(table, neighbours, blocks) if len(table) else iter(())
        parts = [list(column) for column in zip(*pairs, strict=True)] or [[], [], []]
        near, columns, rows = (_joined(parts.pop()) for _ in "ncr")  # half a gigabyte: no copies
        order = np.argsort(columns, kind="stable")
        self._near: Table = near.astype(np.float32, copy=False)[order]
        del near
        self._columns = columns[order].astype(np.int32, copy=False)
        self._rows = rows[order].astype(np.int32, copy=False)
        sizes = np.bincount(columns, minlength=self._count)
        self._ends = np.concatenate(([0], np.cumsum(sizes))).tolist()
        self._best = np.zeros(self._count, np.float32)

    def gain(self, row: int) -> float:
        """What opening this row would add."""
        its = slice(self._ends[row], self._ends[row + 1])
        more = self._near[its] - self._best[self._rows[its]]
        return float(np.maximum(more, 0).sum(dtype=np.float64))

    def all_gains(self) -> list[float]:
        """What each row would add."""
        more = np.maximum(self._near - self._best[self._rows], 0)
        summed: list[float] = np.bincount(self._columns, more, self._count).tolist()
        return summed

    def open(self, row: int) -> None:
        """Take a row."""
        its = slice(self._ends[row], self._ends[row + 1])
        served = self._rows[its]
        self._best[served] = np.maximum(self._best[served], self._near[its])


def _nearest(
    table: Table, neighbours: int, blocks: Blocks
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], Table]]:
    """Pairs of a row and one of its nearest with their product, where positive, by blocks."""
    count = len(table)
    step = max(1, blocks.products // count)
    for begin in range(0, count, step):
        near = table[begin : begin + step] @ table.T
        np.minimum(near, UNIT, out=near)
        at = np.flatnonzero(near >= _floors(near[:, : blocks.sample], neighbours)[:, None])
        value = near.ravel()[at].astype(np.int64)
        # one number that sorts by row, then from near to far, then by column
        keys = (at // count * (UNIT + 1) + UNIT - value) * count + at % count
        keys.sort()
        rows = keys // count // (UNIT + 1)
        firsts = np.searchsorted(rows, np.arange(len(near)))
        keys = keys[np.arange(len(keys)) - firsts[rows] < neighbours]
        rows = keys // count // (UNIT + 1)
        value = UNIT - keys // count % (UNIT + 1)
        columns = (keys % count).astype(np.int32)
        yield (rows + begin).astype(np.int32), columns, value.astype(np.float32)


def _floors(some: Table, neighbours: int) -> Table:
    """For each row a product that none of its nearest is below, 1 at least, from some columns."""
    if neighbours >= some.shape[1]:
        return np.ones(len(some), np.float32)
    at = some.shape[1] - neighbours
    return np.maximum(np.partition(some, at, axis=1)[:, at], 1)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, np.int32)
