"""Texts that must not appear elsewhere, and how much of which one another text holds.

Each text is known by its word n-grams; one that is shorter than an n-gram, by shorter ones. Of
another text all n-grams are looked up at once, and for every known text that shares some, the
share of it that they cover is counted. The n-grams lie sorted in arrays, 24 bytes each.

Source: Lambert et al., "Tülu 3: Pushing Frontiers in Open Language Model Post-Training", 2024,
arXiv:2411.15124, section 3.2 (8-grams; the share of a test instance that is covered).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.text.windows import PARTS, Gauged, Hashes, Windows


class Leak(NamedTuple):
    """A known text, by the order of adding, and the share (0..1) of it that was found."""

    item: int
    share: float


class _Shelf(NamedTuple):
    """The n-grams of one length, by hash."""

    hashes: Hashes
    items: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]


class Leaks:
    """Known texts that can be looked for in others."""

    def __init__(self, texts: Iterable[str], words: int, shortest: int) -> None:
        """Know ``texts``.

        Args:
            texts: what is not to be found.
            words: length of an n-gram, in words.
            shortest: texts of fewer words are not looked for, as they stand everywhere.
        """
        found: defaultdict[int, list[tuple[int, Windows]]] = defaultdict(list)
        lengths = []
        for item, text in enumerate(texts):
            gauged = Gauged(text)
            lengths.append(gauged.words)
            if gauged.words >= shortest:
                level = min(words, int(gauged.words))
                found[level].append((item, gauged.windows(level)))
        self._words = np.array(lengths)
        self._shelves = {level: _shelf(entries) for level, entries in sorted(found.items())}
        self.known = sum(map(len, found.values()))

    def most(self, texts: Sequence[str]) -> Leak | None:
        """The known text most of which is in ``texts``, together; None where nothing is."""
        gauged = [Gauged(text) for text in texts]
        best: Leak | None = None
        for level, shelf in self._shelves.items():
            found = [np.zeros(0, np.uint64), *(each.windows(level).hashes for each in gauged)]
            at = _places(shelf.hashes, np.unique(np.concatenate(found)))
            leak = self._most_covered(shelf, at) if len(at) else None
            if leak and (best is None or leak.share > best.share):
                best = leak
        return best

    def _most_covered(self, shelf: _Shelf, at: NDArray[np.int64]) -> Leak:
        order = np.lexsort((shelf.begins[at], shelf.items[at]))
        items, begins, ends = (column[at][order] for column in shelf[1:])
        first = np.flatnonzero(np.diff(items, prepend=-1))
        far = int(ends.max()) + 1
        rank = np.repeat(np.arange(len(first)), np.diff(first, append=len(items)))
        begins, ends = begins + rank * far, ends + rank * far  # items one behind the other
        before = np.concatenate(([0], np.maximum.accumulate(ends)[:-1]))
        covered = np.add.reduceat(np.maximum(ends - np.maximum(begins, before), 0), first)
        shares = covered / PARTS / self._words[items[first]]
        most = int(np.argmax(shares))
        return Leak(int(items[first[most]]), float(shares[most]))


def _shelf(entries: Sequence[tuple[int, Windows]]) -> _Shelf:
    hashes = np.concatenate([windows.hashes for _, windows in entries])
    items = np.repeat([item for item, _ in entries], [len(w.hashes) for _, w in entries])
    begins = np.concatenate([windows.begins for _, windows in entries])
    ends = np.concatenate([windows.ends for _, windows in entries])
    order = np.argsort(hashes, kind="stable")
    return _Shelf(hashes[order], items[order], begins[order], ends[order])


def _places(known: Hashes, wanted: Hashes) -> NDArray[np.int64]:
    """Where the wanted hashes stand among the known, which are sorted and may repeat."""
    left = np.searchsorted(known, wanted)
    inside = left < len(known)
    left, wanted = left[inside], wanted[inside]
    there = known[left] == wanted
    left, wanted = left[there], wanted[there]
    counts = np.searchsorted(known, wanted, side="right") - left
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    places: NDArray[np.int64] = np.repeat(left, counts) + within
    return places
