"""How much of a text repeats itself: n-grams, lines, and one unit over and over.

Three pictures of the same disease, because each sees what the others miss: a paragraph told
twice (n-grams), a list whose items are all the same (lines), and a model stuck on one word or
one character (units). All are linear in the length of the text, in any script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt
import regex

from engine.text.lengths import words

LONGEST_UNIT = 48
"""Characters in the longest unit looked for; a longer loop shows in the n-grams."""
SHORTEST_REPEATED_LINE = 3
"""Words."""

# What can be a unit: letters, marks, digits, emoji, and the marks that end a sentence loudly.
# Not rules, leaders and table borders (----, ....., ║): those repeat by design.
_UNIT = regex.compile(r"[\p{L}\p{M}\p{N}!?！？。，、।؟\p{Extended_Pictographic}]+")
_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True, slots=True)
class Run:
    """One unit, led many times in a row."""

    unit: str
    times: int
    share: float
    """Of all letters, digits and emoji of the text, 0..1."""


def repeated_ngrams(found: Sequence[str], n: int) -> float:
    """Share (0..1) of the tokens that lie in an n-gram which occurred earlier in the text.

    Overlaps count once, and the first occurrence does not count: it is what could be deleted
    with nothing lost. 0 for a text shorter than ``n``.
    """
    if len(found) <= n:
        return 0.0
    ids: dict[str, int] = {}
    numbers = count(1)
    text = np.array([ids.get(t) or ids.setdefault(t, next(numbers)) for t in found])
    names = _windows(text, n)
    first = np.zeros(len(names), dtype=bool)
    first[np.unique(names, return_index=True)[1]] = True
    covered = np.zeros(len(text) + 1, dtype=np.int64)
    again = np.flatnonzero(~first)
    np.add.at(covered, again, 1)
    np.add.at(covered, again + n, -1)
    return float(np.count_nonzero(np.cumsum(covered)[:-1])) / len(text)


def _windows(text: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """A number for each run of ``n`` items; the same number exactly where the run is the same.

    Runs of 1, 2, 4, ... are numbered in turn, each from a pair of shorter ones, so there are
    no hashes and no collisions.
    """
    names, width = text, 1
    while width < n:
        step = min(width, n - width)
        pairs = names[:-step] * (int(names.max()) + 1) + names[step:]
        names = np.unique(pairs, return_inverse=True)[1].astype(np.int64)
        width += step
    return names


def repeated_lines(text: str) -> float:
    """Share (0..1) of the characters in lines with letters that copy an earlier line.

    A line below three words is never a copy: a column of labels or code has many alike.
    """
    lines = Counter(map(str.strip, text.splitlines()))
    lines = Counter({line: n for line, n in lines.items() if _LETTER.search(line)})
    total = sum(len(line) * n for line, n in lines.items())
    copies = sum(
        len(line) * (n - 1)
        for line, n in lines.items()
        if n > 1 and words(line) >= SHORTEST_REPEATED_LINE
    )
    return copies / total if total else 0.0


def longest_run(text: str, least: int = 8) -> Run | None:
    """The unit whose repetition in a row takes most of the text; ``None`` below ``least`` times.

    Spaces and case do not matter: ``Ha ha, ha`` is ``ha`` three times.
    """
    solid = "".join(_UNIT.findall(text)).lower()
    codes = np.frombuffer(solid.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    best = max(_runs(codes, least), default=(0, 0, 0))
    length, begin, period = best[0], best[1], -best[2]
    if not length:
        return None
    return Run(solid[begin : begin + period], length // period, length / len(solid))


def _runs(codes: npt.NDArray[np.uint32], least: int) -> Iterable[tuple[int, int, int]]:
    """The longest run of each period: length in characters, begin, minus the period."""
    for period in range(1, min(LONGEST_UNIT, len(codes) // least) + 1):
        differs = np.flatnonzero(codes[period:] != codes[:-period])
        edges = np.concatenate(([-1], differs, [len(codes) - period]))
        gaps = np.diff(edges)
        at = int(gaps.argmax())
        length = int(gaps[at]) - 1 + period
        if length >= least * period:
            yield length, int(edges[at]) + 1, -period
