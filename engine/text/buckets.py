"""Which earlier rows have the same key in the same column: the tables behind banding.

A chained hash table in arrays of 32-bit numbers, one table a column: for each bucket the last
position in it, for each position the one before it in its bucket. A dictionary of 25 million
keys takes 2.5 GB; this takes 12 to 16 bytes a key. Whole blocks are looked up and added at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.text.growing import Growing

Keys = NDArray[np.uint32]
NOBODY = -1
SMALLEST = 1 << 10
"""Buckets a column has at first; a power of two, as ever."""


class Buckets:
    """Rows of keys; a row's position is how many were added before it (up to 2**31)."""

    def __init__(self, columns: int) -> None:
        """Empty tables for so many columns."""
        self._keys = Growing(columns, np.uint32)
        self._before = Growing(columns, np.int32)
        self._last = np.full((columns, SMALLEST), NOBODY, np.int32)

    def add(self, keys: Keys) -> None:
        """Append rows."""
        first = len(self._keys)
        self._keys.extend(keys)
        self._before.extend(np.empty(keys.shape, np.int32))
        columns, buckets = self._last.shape
        if len(self._keys) > buckets:
            wider = 1 << (len(self._keys) - 1).bit_length()
            del self._last  # both together would be the peak
            self._last = np.full((columns, wider), NOBODY, np.int32)
            first = 0
        for column in range(columns):
            self._link(column, first)

    def find(self, keys: Keys) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32]]]:
        """Pairs of a row of ``keys`` and an earlier position with which it shares a key.

        They come in batches, in no order, and once for each key that is shared: texts from one
        template share keys by the million, so what is done with them is done batch by batch.
        """
        asking, column = np.indices(keys.shape).reshape(2, -1)
        at = self._last[column, (keys & self._mask).ravel()]
        while (live := at != NOBODY).any():
            asking, column, at = asking[live], column[live], at[live]
            equal = self._keys.rows[at, column] == keys[asking, column]
            if equal.any():
                yield asking[equal], at[equal]
            at = self._before.rows[at, column]

    @property
    def _mask(self) -> np.uint32:
        return np.uint32(self._last.shape[1] - 1)

    def _link(self, column: int, first: int) -> None:
        """Put the positions from ``first`` on into their buckets."""
        buckets = self._keys.rows[first:, column] & self._mask
        order = np.argsort(buckets, kind="stable")
        buckets, positions = buckets[order], (first + order).astype(np.int32)
        again = buckets[1:] == buckets[:-1]
        before = self._last[column][buckets]
        before[1:][again] = positions[:-1][again]
        self._before.rows[positions, column] = before
        final = np.append(~again, True)[: len(buckets)]
        self._last[column][buckets[final]] = positions[final]
