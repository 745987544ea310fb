"""Which earlier texts share most shingles with a new one, without comparing with all of them.

A MinHash signature cut into bands proposes texts (rensa, in Rust); 8 bits of each hash tell the
hopeless proposals from the others, all at once; what is left is cut into shingles again and
compared by the true Jaccard similarity. So a match is always true. Shingles are not kept: they
would take ten times the room of the text.

Source: Broder, "On the resemblance and containment of documents", 1997,
doi:10.1109/SEQUEN.1997.666900; Indyk and Motwani, "Approximate Nearest Neighbors", 1998,
doi:10.1145/276698.276876 (banding); Li and König, "b-Bit Minwise Hashing", 2010,
doi:10.1145/1772690.1772759 (8 bits are enough to estimate).
Differs: as false proposals are found out, the bands are chosen for what is missed, and not to
balance both errors.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Set
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash, RMinHashLSH

from engine.text.shingles import jaccard, shingles

RECALL = 0.95
"""Chance (0..1) that a pair exactly at the threshold is proposed, at least."""
DEVIATIONS = 4
"""A proposal is given up when its estimate is so many standard deviations below the threshold:
that loses 3 in 100,000 true pairs, and spares texts from one template most comparisons."""


class Twin(NamedTuple):
    """An earlier text: its position, in the order of adding, and its Jaccard similarity."""

    position: int
    similarity: float


class Index:
    """Texts that can be asked for the first one near to another.

    Takes the text and about 2 kB for each with the default settings, whatever its length.
    """

    def __init__(
        self, threshold: float, size: int, hashes: int, bands: int | None, seed: int
    ) -> None:
        """Prepare an empty index.

        Args:
            threshold: Jaccard similarity (above 0, to 1) from which two texts are near.
            size: characters in a shingle.
            hashes: hash functions in a signature, at most; the bands may leave some over.
            bands: how many bands; ``banding`` decides where None.
            seed: 64 bits that decide the hash functions.
        """
        self._threshold, self._size, self._seed = threshold, size, seed
        count, rows = banding(threshold, hashes, bands)
        self._hashes = count * rows
        deviation = math.sqrt(threshold * (1 - threshold) / self._hashes)
        self._hopeless = (threshold - DEVIATIONS * deviation) * self._hashes - 1e-9
        self._lsh = RMinHashLSH(threshold, self._hashes, count)
        self._texts: list[str] = []
        self._sizes = array("L")
        self._bytes = bytearray()  # the low 8 bits of every hash, text after text

    def admit(self, text: str) -> Twin | None:
        """The first earlier text near to this one; where there is none, this one is added.

        An empty text is near to nothing and takes a position of its own.
        """
        pieces = shingles(text, self._size)
        sketch = RMinHash(self._hashes, self._seed)
        sketch.update(pieces)
        low = np.array(sketch.digest(), np.uint32).astype(np.uint8)
        twin = self._first(pieces, self._hopeful(self._lsh.query(sketch), low)) if text else None
        if twin is None:
            if text:
                self._lsh.insert(len(self._texts), sketch)
            self._texts.append(text)
            self._sizes.append(len(pieces))
            self._bytes += low.tobytes()
        return twin

    def _hopeful(self, proposed: list[int], low: NDArray[np.uint8]) -> list[int]:
        positions = np.array(sorted(proposed), np.int64)
        kept = np.frombuffer(self._bytes, np.uint8).reshape(-1, self._hashes)[positions]
        equal = (kept == low).sum(axis=1)
        return [int(at) for at in positions[equal >= self._hopeless]]

    def _first(self, pieces: Set[str], positions: list[int]) -> Twin | None:
        for at in positions:
            fewer, more = sorted((len(pieces), self._sizes[at]))
            if fewer / more < self._threshold:
                continue
            similarity = jaccard(pieces, shingles(self._texts[at], self._size))
            if similarity >= self._threshold:
                return Twin(at, similarity)
        return None


def banding(threshold: float, hashes: int, bands: int | None = None) -> tuple[int, int]:
    """How many bands of how many rows a signature of up to ``hashes`` hashes is cut into.

    The most rows (the fewest false proposals) with which a pair at the threshold is proposed
    with chance ``RECALL``; one row where even that is out of reach.
    """
    if bands:
        return bands, hashes // bands
    fitting = (
        rows
        for rows in range(hashes, 1, -1)
        if 1 - (1 - threshold**rows) ** (hashes // rows) >= RECALL
    )
    rows = next(fitting, 1)
    return hashes // rows, rows
