"""Numbers into the figures of a report: counts, bars, rings, and how a number is written.

Pure functions; where a figure is drawn and in which colours is the template's.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from unicodedata import combining, east_asian_width

from engine.text.rouge import Pool
from engine.text.verbs import Opening

COARSE = (0, *(2**n for n in range(24)))
FINE = (0, 1, *sorted({2**n for n in range(1, 24)} | {3 * 2**n for n in range(23)}))
"""Where the bars of a length histogram begin: one, or two, for every doubling."""
BARS = 12
"""Most bars that are fine: the numbers below more would run into each other on a phone."""


Words = list[tuple[str, int, list[tuple[str, int]]]]
"""First words, most frequent first: word, count, its most frequent second words with counts."""


def histogram(lengths: Iterable[Counter[int]]) -> list[tuple[int, int]]:
    """(from, count) of the bars, side by side; each ends where the next one begins."""
    together = Counter[int]()
    for counter in lengths:
        together.update(counter)
    fine = _bars(together, FINE)
    return fine if len(fine) <= BARS else _bars(together, COARSE)


def _bars(lengths: Counter[int], edges: Sequence[int]) -> list[tuple[int, int]]:
    bars = Counter[int]()
    for length, count in lengths.items():
        bars[bisect_right(edges, length) - 1] += count
    return [(edges[at], bars[at]) for at in range(min(bars), max(bars) + 1)] if bars else []


def median(counts: Counter[int]) -> float:
    """The median of values that are given with how often each occurs; 0 of none."""
    total, seen, middle = counts.total(), 0, list[int]()
    for value in sorted(counts):
        before, seen = seen, seen + counts[value]
        middle += [value for at in ((total - 1) // 2, total // 2) if before <= at < seen]
    return sum(middle) / 2


def nearness(texts: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, Any]:
    """Each text's ROUGE-L with the nearest other of its language, in 20 bars from 0 to 1."""
    groups = [group for group in texts.values() if len(group) > 1]
    found = [similarity for group in groups for similarity in nearest(group)]
    bars = Counter(min(19, int(similarity * 20)) for similarity in found)
    return {
        "compared": len(found),
        "alone": sum(len(group) for group in texts.values()) - len(found),
        "bars": [bars[at] for at in range(20)],
        "close": sum(similarity > 0.7 for similarity in found),
        "median": sorted(found)[len(found) // 2] if found else 0.0,
    }


def nearest(texts: Sequence[Sequence[str]]) -> list[float]:
    """ROUGE-L (0..1) of each text with the most similar of the others, in their order.

    A pool is asked before the text is added to it, once in this order and once in the other:
    so no text meets itself, and every other is met.
    """

    def one_way(order: Iterable[Sequence[str]]) -> Iterator[float]:
        pool = Pool(0.0)
        for text in order:
            match = pool.nearest(text)
            yield match.similarity if match else 0.0
            pool.add(text)

    return list(map(max, one_way(texts), reversed(list(one_way(reversed(texts))))))


def words_of(openings: Counter[Opening], firsts: int, seconds: int) -> Words:
    """The most frequent first words, each with its count and its most frequent second words."""
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for (first, second), count in openings.items():
        after[first][second] += count
    top = most(Counter({first: counter.total() for first, counter in after.items()}))[:firsts]
    return [(w, n, [s for s in most(after[w]) if s[0]][:seconds]) for w, n in top]


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a ring, from and to in turns (0..1) clockwise from the top."""

    begin: float
    end: float
    word: str
    count: int
    hue: int
    outer: bool


def slices(words: Words) -> Iterator[Slice]:
    """The two rings: first words inside, and over each its second words."""
    total = sum(count for _, count, _ in words)
    begin = 0.0
    for at, (first, count, seconds) in enumerate(words):
        hue = round(360 * at / len(words)) + 190
        yield Slice(begin, begin + count / total, first, count, hue, False)
        inner = begin
        for second, times in seconds:
            yield Slice(inner, inner + times / total, second, times, hue, True)
            inner += times / total
        begin += count / total


def arc(part: Slice, near: float, far: float) -> str:
    """The outline of a slice between two radii, as an SVG path around (0, 0)."""
    end = min(part.end, part.begin + 0.9999)  # a full turn would begin where it ends: nothing
    long = int(end - part.begin > 0.5)

    def at(turn: float, radius: float) -> str:
        angle = 2 * math.pi * turn
        return f"{radius * math.sin(angle):.1f} {-radius * math.cos(angle):.1f}"

    return (
        f"M{at(part.begin, far)}A{far} {far} 0 {long} 1 {at(end, far)}"
        f"L{at(end, near)}A{near} {near} 0 {long} 0 {at(part.begin, near)}Z"
    )


def most(counts: Counter[str]) -> list[tuple[str, int]]:
    """The counts, highest first, equals by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def share(part: float, whole: float) -> str:
    """A share in per cent; never 0 % of something, never 100 % of less than all."""
    if not whole:
        return "–"
    cents = 100 * part / whole
    if 0 < cents < 0.1:
        return "<0.1 %"
    return ">99.9 %" if 99.95 <= cents < 100 else f"{cents:.1f} %"


def compact(number: float) -> str:
    """At most four characters: 950, 1.2k, 34k, 5.6M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if number >= size * 0.9995:  # 999,950 is 1M, not 1000k
            return f"{number / size:.1f}".removesuffix(".0")[:4].rstrip(".") + unit
    return f"{number:g}"


def along(length: float, farthest: float) -> str:
    """Where a length is on a logarithmic axis up to ``farthest``, in per cent with two digits."""
    return f"{100 * math.log1p(length) / math.log1p(max(farthest, 1)):.2f}"


def fit(word: str, letters: float) -> str:
    """As much of a word as fits in the room of so many letters; wide characters take two."""
    room = letters * 2 / 1.15  # a letter is about 1.15 halves of its height wide
    wide = [0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in word]
    if sum(wide) <= room:
        return word
    keep = sum(total <= room - 1 for total in accumulate(wide))
    return word[:keep] + "…"
