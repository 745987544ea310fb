"""Which earlier texts share most shingles with a new one, without comparing with all of them.

A MinHash signature cut into bands proposes texts; 8 bits of each hash tell the hopeless
proposals from the others, all at once; what is left is cut into shingles again and compared by
the true Jaccard similarity. So a match is always true. Shingles are not kept: they would take
ten times the room of the text. Everything that is kept lies in arrays, and texts are taken in
blocks, so that a text costs some tens of microseconds and no Python object.

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
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.text.buckets import Buckets, Keys
from engine.text.growing import Growing
from engine.text.packed import Packed
from engine.text.shingles import jaccard, shingles
from engine.text.signatures import Signer, band_keys

Bytes = NDArray[np.uint8]

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

    Takes the text as UTF-8 and about 0.5 kB for each with the default settings, whatever its
    length.
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
        self._threshold, self._size = threshold, size
        self._bands, self._rows = banding(threshold, hashes, bands)
        used = self._bands * self._rows
        deviation = math.sqrt(threshold * (1 - threshold) / used)
        self._hopeless = (threshold - DEVIATIONS * deviation) * used - 1e-9
        self._signer = Signer(size, used, seed)
        self._buckets = Buckets(self._bands)
        self._low = Growing(used, np.uint8)  # the low 8 bits of every hash
        self._texts = Packed()
        self._filled = array("Q")  # the positions of texts with something in them

    def admit(self, text: str) -> Twin | None:
        """The first earlier text near to this one; where there is none, this one is added.

        An empty text is near to nothing and takes a position of its own.
        """
        return self.admit_all([text])[0]

    def admit_all(self, texts: Sequence[str]) -> list[Twin | None]:
        """As ``admit``, one after the other; a few thousand at once are fastest."""
        distinct = {text: row for row, text in enumerate(dict.fromkeys(filter(None, texts)))}
        signatures = self._signer.sign(list(distinct))
        keys, low = band_keys(signatures, self._bands, self._rows), signatures.astype(np.uint8)
        earlier, beside = self._earlier(keys, low), _Beside(keys)
        fates: dict[str, Twin] = {}
        twins: list[Twin | None] = []
        for text in texts:
            twin = fates.get(text)
            if text and twin is None:
                row = distinct[text]
                close = self._close(low, row, beside.near(row))
                near = [*sorted(earlier[row]), *(beside.position[at] for at in close)]
                twin = self._first(text, near)
                if twin is None:
                    beside.add(row, len(self._texts))
                fates[text] = twin or Twin(len(self._texts), 1.0)
            if twin is None:
                self._texts.append(text)
            twins.append(twin)
        new = list(beside.position)
        self._buckets.add(keys[new])
        self._low.extend(low[new])
        self._filled.extend(beside.position.values())
        return twins

    def _earlier(self, keys: Keys, low: Bytes) -> defaultdict[int, set[int]]:
        """For each row the positions of earlier blocks that may be near."""
        found: defaultdict[int, set[int]] = defaultdict(set)
        for rows, at in self._buckets.find(keys):
            hopeful = self._hopeful(self._low.rows[at], low[rows])
            for row, position in zip(rows[hopeful].tolist(), at[hopeful].tolist(), strict=True):
                found[row].add(self._filled[position])
        return found

    def _close(self, low: Bytes, row: int, others: list[int]) -> list[int]:
        if not others:
            return others
        hopeful = self._hopeful(low[others], low[row])
        return [other for other, may in zip(others, hopeful.tolist(), strict=True) if may]

    def _hopeful(self, left: Bytes, right: Bytes) -> NDArray[np.bool_]:
        """Whether as many bytes agree as would in texts at the threshold."""
        equal = (left == right).view(np.uint8)
        width = equal.shape[1]  # reduceat: a third of the time that sum(axis=1) takes
        counts = np.add.reduceat(equal.ravel(), np.arange(0, equal.size, width), dtype=np.uint16)
        hopeful: NDArray[np.bool_] = counts >= self._hopeless
        return hopeful

    def _first(self, text: str, positions: list[int]) -> Twin | None:
        pieces = shingles(text, self._size) if positions else set()
        for at in positions:
            similarity = jaccard(pieces, shingles(self._texts[at], self._size))
            if similarity >= self._threshold:
                return Twin(at, similarity)
        return None


class _Beside:
    """The texts of one block that were added, by the keys they share with others of it."""

    def __init__(self, keys: Keys) -> None:
        self.position: dict[int, int] = {}
        self._keys = keys
        self._shared = _repeated(keys)
        self._added: defaultdict[tuple[int, int], list[int]] = defaultdict(list)

    def near(self, row: int) -> list[int]:
        """The rows added that share a key with this one, in order."""
        found: set[int] = set()
        return sorted(found.union(*(self._added[name] for name in self._names(row))))

    def add(self, row: int, position: int) -> None:
        """Take ``row``, whose text goes to ``position``."""
        self.position[row] = position
        for name in self._names(row):
            self._added[name].append(row)

    def _names(self, row: int) -> list[tuple[int, int]]:
        columns = self._shared[row].nonzero()[0]
        return list(zip(columns.tolist(), self._keys[row, columns].tolist(), strict=True))


def _repeated(keys: Keys) -> NDArray[np.bool_]:
    """Which keys stand in another row of the same column, too."""
    order = np.argsort(keys, axis=0)
    ordered = np.take_along_axis(keys, order, axis=0)
    again = np.zeros(keys.shape, np.bool_)
    again[1:] = ordered[1:] == ordered[:-1]
    again[:-1] |= again[1:]
    found = np.empty_like(again)
    np.put_along_axis(found, order, again, axis=0)
    return found


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
