"""ROUGE-L between token lists, and the nearest of many without comparing with all of them.

ROUGE-L is the F-measure of the longest common subsequence (LCS). ``Pool.nearest`` finds the
pool's most similar member exactly. Nothing is estimated; three upper bounds leave out whatever
cannot reach the floor:

- A match shares at least ``_least_shared`` tokens with the text asked about. So it holds one of
  the rarest ``n - least + 1`` of the text's n tokens, and only these are looked up in the
  inverted index (prefix filtering); the long lists of ``the`` and ``of`` are rarely touched.
- A member found with h hits shares at most ``h + least - 1`` tokens, at most its length, and at
  most those of its tokens that the text asked about has at all.
- The best bounds go first, and the search ends at the first bound below the best match so far.

What is left is compared by the bit-parallel LCS of rapidfuzz. A token that occurs again counts
as a token of its own (``the``, second ``the``, ...), which turns multisets into sets.

Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004, ACL W04-1013
(sentence-level ROUGE-L); Bayardo, Ma, Srikant, "Scaling Up All Pairs Similarity Search", 2007,
doi:10.1145/1242572.1242591 (prefix filtering).
Differs: the F-measure is computed in the order of operations of the library rouge-score, because
many pairs that are 0.7 on paper come out as 0.7000000000000001 there, and a threshold at 0.7
must decide as it does.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Match(NamedTuple):
    """A member of a pool: its position, in the order of adding, and its ROUGE-L (0..1)."""

    position: int
    similarity: float


def rouge_l(left: Sequence[str], right: Sequence[str]) -> float:
    """ROUGE-L F-measure (0..1) of two token lists; 0 when either is empty."""
    return f_measure(LCSseq.similarity(left, right), len(left), len(right))


def f_measure(lcs: int, left: int, right: int) -> float:
    """F-measure of an LCS of two lists with these lengths, to the last bit as rouge-score's."""
    if not lcs:
        return 0.0
    precision, recall = lcs / left, lcs / right
    return 2 * precision * recall / (precision + recall)


class Pool:
    """Token lists that can be asked for the one nearest to another.

    It takes about 8 bytes a token, 50 a member and 300 a distinct token, and holds up to 4
    billion of each.
    """

    def __init__(self, floor: float) -> None:
        """Prepare an empty pool; matches below ``floor`` (0..1) are not looked for."""
        self._floor = floor
        self._ids: dict[str, int] = {}
        self._tokens = array("I")  # of all members, one after the other
        self._ends = array("q", [0])  # where each member ends, after the start of the first
        self._holders: dict[int, array[int]] = {}  # token occurrence -> positions, ascending

    def add(self, tokens: Sequence[str]) -> None:
        """Append a member; an empty one takes a position and is near to nothing."""
        member = self._encode(tokens)
        for occurrence in _occurrences(member):
            self._holders.setdefault(occurrence, array("I")).append(len(self._ends) - 1)
        self._tokens.extend(member)
        self._ends.append(len(self._tokens))

    def nearest(self, tokens: Sequence[str]) -> Match | None:
        """The most similar member, the first of equals; None where none reaches the floor."""
        asked = self._encode(tokens)
        positions, bounds = self._candidates(asked)
        best = Match(-1, 0.0)
        for at in np.argsort(-bounds, kind="stable"):
            if bounds[at] < best.similarity:
                break
            match = self._compare(asked, int(positions[at]), best.similarity)
            if (match.similarity, -match.position) > (best.similarity, -best.position):
                best = match
        return best if best.similarity and best.similarity >= self._floor else None

    def _encode(self, tokens: Sequence[str]) -> array[int]:
        ids = self._ids
        return array("I", [ids.setdefault(token, len(ids)) for token in tokens])

    def _compare(self, asked: array[int], position: int, best: float) -> Match:
        member = self._tokens[self._ends[position] : self._ends[position + 1]]
        # One below the LCS that would tie with the best, so that rounding cannot cut off a tie.
        enough = max(0, int(max(best, self._floor) * (len(asked) + len(member)) / 2) - 1)
        lcs = LCSseq.similarity(asked, member, score_cutoff=enough)
        return Match(position, f_measure(lcs, len(asked), len(member)))

    def _candidates(self, asked: array[int]) -> tuple[Ints, Floats]:
        """Members that may reach the floor, in order of position, and bounds on their ROUGE-L."""
        least = _least_shared(len(asked), self._floor)
        positions, hits = self._prefix_hits(asked, least)
        ends = np.frombuffer(self._ends, np.int64)
        starts, lengths = ends[positions], ends[positions + 1] - ends[positions]
        able = _f_measures(hits + least - 1, len(asked), lengths) >= self._floor
        positions, starts, lengths = positions[able], starts[able], lengths[able]
        bounds = _f_measures(self._known(asked, starts, lengths), len(asked), lengths)
        able = bounds >= self._floor
        return positions[able], bounds[able]

    def _prefix_hits(self, asked: array[int], least: int) -> tuple[Ints, Ints]:
        """Members that hold one of the rarest tokens asked about, and how many of these."""
        lists = sorted((self._holders.get(o, _NOBODY) for o in _occurrences(asked)), key=len)
        rarest = lists[: len(lists) - least + 1]
        found = np.concatenate([_NONE, *(np.frombuffer(h, np.uint32) for h in rarest if h)])
        # Sorting the finds costs less than counting over the pool while they are few.
        if 16 * found.size < len(self._ends):
            return np.unique(found, return_counts=True)
        hits = np.bincount(found)
        positions = np.flatnonzero(hits)
        return positions, hits[positions]

    def _known(self, asked: array[int], starts: Ints, lengths: Ints) -> Ints:
        """How many tokens of each of these members are among those asked about."""
        if not starts.size:
            return _NONE
        is_asked = np.zeros(len(self._ids), np.bool_)
        is_asked[np.frombuffer(asked, np.uint32)] = True
        firsts = np.cumsum(lengths) - lengths
        places = np.arange(lengths.sum()) + np.repeat(starts - firsts, lengths)
        known = is_asked[np.frombuffer(self._tokens, np.uint32)[places]]
        return np.add.reduceat(known, firsts, dtype=np.int64)


_NOBODY: array[int] = array("I")
_NONE: Ints = np.zeros(0, np.int64)


def _occurrences(member: array[int]) -> list[int]:
    """The tokens as a set: the k-th occurrence of a token differs from the others."""
    seen: Counter[int] = Counter()
    keys = []
    for token in member:
        keys.append(token | seen[token] << 32)
        seen[token] += 1
    return keys


def _f_measures(lcs: Ints, left: int, right: Ints) -> Floats:
    """``f_measure`` of one text with many, for any upper bound on the LCS of at least 1."""
    lcs = np.minimum(lcs, np.minimum(left, right))
    precision, recall = lcs / left, lcs / right
    measures: Floats = 2 * precision * recall / (precision + recall)
    return measures


def _least_shared(length: int, floor: float) -> int:
    """Fewest tokens that a list of ``length`` shares with any list whose ROUGE-L is ``floor``.

    It is the length of the shortest list that can still reach the floor, all of it shared: a
    longer one needs a longer LCS.
    """
    least = max(1, int(floor * length / (2 - floor)) - 1)
    while length and f_measure(least, length, least) < floor:
        least += 1
    return least
