"""Word n-grams of a text in any script, as numbers.

An n-gram is a run of tokens that is n words long. With spaces between words that is n tokens;
a character of a script without spaces is worth a fixed share of a word (``engine.text.lengths``),
so that 8 words are 13 Han characters, 27 kana or 32 letters of Thai. Where an n-gram ends depends
on its own tokens only, so that it is found again in whatever it is quoted.

Source: Brown et al., "Language Models are Few-Shot Learners", 2020, arXiv:2005.14165, appendix C
(word n-grams, lower-cased and without punctuation).
Differs: scripts without spaces; a 64-bit hash stands for the n-gram (two different ones agree
once in 10**19).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.text.clean import clean
from engine.text.lengths import tokens_per_word
from engine.text.tokens import tokens

PARTS = 20
"""Lengths are counted in twentieths of a word, in which every share is a whole number."""
_BASE, _LETTER_BASE = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_WHOLE = 1 << 64

Hashes = NDArray[np.uint64]


class Windows(NamedTuple):
    """The n-grams of a text, in order, and where each begins and ends, in parts of a word."""

    hashes: Hashes
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]


class Gauged:
    """A text as tokens with their lengths."""

    def __init__(self, text: str) -> None:
        """Cut ``text`` into tokens."""
        found = tokens(clean(text))
        self._at = np.concatenate(([0], np.cumsum(_lengths(found), dtype=np.int64)))
        self._sums = _prefixes(_token_hashes(found), _BASE)

    @property
    def words(self) -> float:
        """Length in words."""
        return int(self._at[-1]) / PARTS

    def windows(self, words: int) -> Windows:
        """All runs of tokens that are just ``words`` words long, or a part of one longer."""
        ends = np.searchsorted(self._at, self._at + PARTS * words)
        first = np.flatnonzero(ends < len(self._at))
        ends = ends[first]
        summed = (self._sums[ends] - self._sums[first]) * _powers(_inverse(_BASE), first)
        hashes = _mixed(summed ^ (ends - first).astype(np.uint64))
        return Windows(hashes, self._at[first], self._at[ends])


def _lengths(found: Sequence[str]) -> list[int]:
    first = {token[0]: token for token in found}
    length = {letter: round(PARTS / tokens_per_word([token])) for letter, token in first.items()}
    return [length[token[0]] for token in found]


def _token_hashes(found: Sequence[str]) -> Hashes:
    points = np.frombuffer("".join(found).encode("utf-32-le"), "<u4").astype(np.uint64)
    sums = _prefixes(_mixed(points + np.uint64(1)), _LETTER_BASE)
    ends = np.cumsum([len(token) for token in found], dtype=np.int64)
    begins = np.concatenate((np.zeros(1, np.int64), ends))[: len(found)]
    return _mixed((sums[ends] - sums[begins]) * _powers(_inverse(_LETTER_BASE), begins))


def _prefixes(numbers: Hashes, base: int) -> Hashes:
    """For each place the sum of all numbers before it, each times the base's power of its place.

    Unsigned numbers wrap around; the difference of two prefixes times the inverse power is then
    the same wherever a run of numbers stands.
    """
    sums = np.zeros(len(numbers) + 1, np.uint64)
    np.cumsum(numbers * _powers(base, np.arange(len(numbers))), out=sums[1:])
    return sums


def _powers(base: int, exponents: NDArray[np.int64]) -> Hashes:
    if not len(exponents):
        return np.zeros(0, np.uint64)
    table = np.full(int(exponents[-1]) + 1, base, np.uint64)  # exponents come in order
    table[0] = 1
    return np.cumprod(table)[exponents]


def _inverse(base: int) -> int:
    return pow(base, -1, _WHOLE)


def _mixed(numbers: Hashes) -> Hashes:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _MIX[0]
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _MIX[1]
    return numbers ^ (numbers >> np.uint64(31))
