"""Take in a given order what is not too near to anything taken before.

A block of candidates is compared with all that is taken by one product of matrices, and then
within itself, one after the other; the result is that of going one by one. The cost is
candidates looked at x taken x numbers in a vector: for 100,000 candidates of 512 numbers, some
15 s for 10,000 taken and, at worst (all are taken), three and a half minutes on two cores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.selection.whole import Table, squares
from engine.text.growing import Growing


class Blocks(NamedTuple):
    """How much is done at once; it decides time and memory, never the result."""

    candidates: int = 512
    taken: int = 8192


class Look(NamedTuple):
    """What became of a candidate."""

    taken: bool
    nearest: int
    """The row that was nearest of those taken before; -1 where there was none."""
    cosine: float
    """And how near; -1 where there was none."""


def diverse(
    table: Table,
    chosen: int,
    order: Sequence[int],
    room: int,
    threshold: float,
    blocks: Blocks = Blocks(),  # noqa: B008 - a constant
) -> list[Look]:
    """Take up to ``room`` rows in ``order`` whose cosine with all taken is ``threshold`` or less.

    The first ``chosen`` rows of the table are taken from the start. The list is as long as
    candidates were looked at: those behind the last that had room are not in it.
    """
    taken = _Taken(table, chosen, blocks.taken)
    looks: list[Look] = []
    for begin in range(0, len(order), blocks.candidates):
        block = np.asarray(order[begin : begin + blocks.candidates])
        found = _look(block, taken, room, threshold)
        looks += found
        room -= sum(look.taken for look in found)
        if len(found) < len(block):
            break
    return looks


class _Taken:
    """The rows taken so far, side by side."""

    def __init__(self, table: Table, chosen: int, at_once: int) -> None:
        self.table, self._at_once = table, at_once
        self._lengths = np.sqrt(squares(table).astype(np.float64))
        self._rows: list[int] = []
        self._vectors = Growing(table.shape[1], np.float32)
        self.extend(list(range(chosen)))

    def extend(self, rows: list[int]) -> None:
        if rows:
            self._rows += rows
            self._vectors.extend(self.table[rows])

    def cosines(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of all pairs, rounded so that equal vectors have 1 and no more."""
        return self._rounded(self.table[one] @ self.table[other].T, one, other)

    def nearest(self, block: NDArray[np.int64]) -> tuple[list[int], list[float]]:
        """For each row of the block the nearest taken (of equals the first) and its cosine."""
        rows = np.full(len(block), -1)
        cosines = np.full(len(block), -1.0)
        vectors = self.table[block]
        for begin in range(0, len(self._rows), self._at_once):
            other = np.asarray(self._rows[begin : begin + self._at_once])
            stored = self._vectors.rows[begin : begin + self._at_once]
            found = self._rounded(vectors @ stored.T, block, other)
            best = found.argmax(axis=1)
            values = found[np.arange(len(block)), best]
            better = values > cosines
            rows[better], cosines[better] = other[best[better]], values[better]
        return rows.tolist(), cosines.tolist()

    def _rounded(
        self, products: Table, one: NDArray[np.int64], other: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        found = products / self._lengths[one][:, None]
        found /= self._lengths[other]
        rounded: NDArray[np.float64] = found.round(6, out=found)
        return rounded


def _look(block: NDArray[np.int64], taken: _Taken, room: int, threshold: float) -> list[Look]:
    """The looks at one block, as far as there is room; what is taken is added to ``taken``."""
    before = taken.nearest(block)
    beside = taken.cosines(block, block)
    looks: list[Look] = []
    new: list[int] = []
    for at, (row, cosine) in enumerate(zip(*before, strict=True)):
        if len(new) == room:
            break
        if new and beside[at, new].max() > cosine:
            nearest = new[int(beside[at, new].argmax())]
            row, cosine = int(block[nearest]), float(beside[at, nearest])
        fits = row < 0 or cosine <= threshold
        looks.append(Look(fits, row, cosine))
        if fits:
            new.append(at)
    taken.extend(block[new].tolist())
    return looks
