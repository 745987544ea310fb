"""MinHash signatures of many texts at once.

The shingles of a whole block of texts are hashed together, as columns of numbers; no shingle
becomes an object. A hash function of a signature is then one multiplication and one addition
over all of them, and one minimum for each text: about 6 microseconds a text of 85 characters
and 125 functions, where a compiled library that is asked text by text takes 20.

Source: Broder, "On the resemblance and containment of documents", 1997,
doi:10.1109/SEQUEN.1997.666900; Dietzfelbinger et al., "A Reliable Randomized Algorithm for the
Closest-Pair Problem", 1997, doi:10.1006/jagm.1997.0873 (multiply and take what is high: the
minimum is decided by the high bits).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.text.shingles import DENSE

LAST_POINT = 0x110000
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_BITS = 1 << 64


class Signer:
    """Makes signatures; two made with the same settings can be compared."""

    def __init__(self, size: int, hashes: int, seed: int) -> None:
        """Draw the hash functions.

        Args:
            size: characters in a shingle, see ``engine.text.shingles``.
            hashes: length of a signature.
            seed: 64 bits that decide the functions.
        """
        self._size, self._short = size, (size + 1) // 2
        drawn = _draws(seed, size + 1 + 2 * hashes)
        self._weights, self._per_length = drawn[:size] | np.uint64(1), drawn[size]
        low = drawn[size + 1 :].astype(np.uint32)
        self._factors, self._offsets = low[:hashes] | np.uint32(1), low[hashes:]

    def sign(self, texts: Sequence[str]) -> NDArray[np.uint32]:
        """One row for each text, none of them empty: for each function its least value."""
        hashes, starts = self._hashes(texts)
        least = np.empty((len(self._factors), len(texts)), np.uint32)
        each = np.empty(len(hashes), np.uint32)
        for number, factor in enumerate(self._factors if texts else ()):
            np.multiply(hashes, factor, out=each)  # wraps around, as it should
            each += self._offsets[number]
            np.minimum.reduceat(each, starts, out=least[number])
        return np.ascontiguousarray(least.T)

    def _hashes(self, texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """A hash of every shingle, text after text, and where each text's begin."""
        joined = "".join(texts)
        points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4")
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        left = np.repeat(ends, np.diff(ends, prepend=0)) - np.arange(len(points))
        found = self._windows(points, self._size)
        room = left >= self._size
        if not joined.isascii():
            is_dense = _dense_points()[points]
            np.copyto(found, self._windows(points, self._short), where=is_dense)
            room |= is_dense & (left >= self._short)
        for at in np.flatnonzero(_none_of_each(room, ends)).tolist():
            begin, length = ends[at] - len(texts[at]), len(texts[at])  # shorter than any piece
            found[begin] = self._windows(points[begin : begin + length], length)[0]
            room[begin] = True
        sizes = np.diff(np.cumsum(room)[ends - 1], prepend=0)
        return (found[room] >> np.uint64(32)).astype(np.uint32), np.cumsum(sizes) - sizes

    def _windows(self, points: NDArray[np.uint32], size: int) -> NDArray[np.uint64]:
        """A hash of ``size`` code points from every place on; nothing of use beyond the end."""
        summed = np.full(len(points), (int(self._per_length) * size) % _BITS, np.uint64)
        for at in range(min(size, len(points))):
            summed[: len(points) - at] += points[at:] * self._weights[at]
        return _mixed(summed)


def band_keys(signatures: NDArray[np.uint32], bands: int, rows: int) -> NDArray[np.uint32]:
    """A hash of each of ``bands`` stretches of ``rows`` values, for every signature."""
    cut = signatures[:, : bands * rows].reshape(-1, bands, rows)
    keys = np.zeros(cut.shape[:2], np.uint64)
    for row in range(rows):
        keys = (keys ^ cut[:, :, row]) * _STEP
        keys ^= keys >> np.uint64(29)
    return (_mixed(keys) >> np.uint64(32)).astype(np.uint32)


def _draws(seed: int, count: int) -> NDArray[np.uint64]:
    """``count`` numbers of 64 bits that depend on ``seed`` alone (SplitMix64)."""
    return _mixed(np.uint64(seed % _BITS) + np.arange(1, count + 1, dtype=np.uint64) * _STEP)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX[0]
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX[1]
    return numbers ^ (numbers >> np.uint64(31))


def _none_of_each(room: NDArray[np.bool_], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For which texts no place has room."""
    return np.diff(np.cumsum(room)[ends - 1], prepend=0) == 0 if len(ends) else room


@lru_cache(maxsize=1)
def _dense_points() -> NDArray[np.bool_]:
    """For every code point whether its pieces are the short ones."""
    table = np.zeros(LAST_POINT, np.bool_)
    table[[ord(found) for found in DENSE.findall("".join(map(chr, range(LAST_POINT))))]] = True
    table.flags.writeable = False
    return table
