"""Hashed character n-grams: a vector for any text in any script, without a model.

Every run of 2 to 4 characters (of one, too, where a character is a word: Han) is hashed to one
of 512 dimensions and a sign, so that strangers who share a dimension cancel out on average.
Repetition counts by its logarithm. Two texts are near when they are written alike: the vectors
know spelling, not meaning, and nothing of translations. That is enough to tell topics and
duplicates apart within a language, and it is the same on every machine.

Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009,
arXiv:0902.2206 (the signed hash); Bojanowski et al., "Enriching Word Vectors with Subword
Information", 2017, arXiv:1607.04606 (character n-grams as features).
Differs: nothing is learnt, and a text is taken as a whole, its white space as a character, since
many scripts have no words to cut.
"""

from __future__ import annotations

import numpy as np
import regex
from numpy.typing import NDArray

from engine.text.shingles import normalise

NAME = "hashed-ngrams"
"""What lineage calls these vectors."""
DIMENSION = 512
SIZES = (2, 3, 4)
"""Characters in an n-gram."""
_WORDLIKE = regex.compile(r"\p{Han}")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def vector(text: str) -> NDArray[np.float32]:
    """The text as 512 numbers of length 1 in all (L2); zeros for a text without a character."""
    plain = normalise(text)
    if not plain:
        return np.zeros(DIMENSION, np.float32)
    points = np.frombuffer(f" {plain} ".encode("utf-32-le"), "<u4").astype(np.uint64)
    found = [_hashes(points, size) for size in SIZES]
    if words := [] if plain.isascii() else _WORDLIKE.findall(plain):
        single = np.frombuffer("".join(words).encode("utf-32-le"), "<u4").astype(np.uint64)
        found.append(_hashes(single, 1))
    grams, counts = np.unique(np.concatenate(found), return_counts=True)
    signs = np.where(grams >> np.uint64(63), 1.0, -1.0)
    weights = signs * (1 + np.log(counts))
    summed = np.bincount((grams % DIMENSION).astype(np.int64), weights, DIMENSION)
    return (summed / (np.linalg.norm(summed) or 1.0)).astype(np.float32)


def _hashes(points: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """A 64-bit hash of every run of ``size`` code points; none where there are fewer."""
    count = len(points) - size + 1
    if count < 1:
        return np.zeros(0, np.uint64)
    mixed = np.full(count, size, np.uint64)
    for at in range(size):  # unsigned numbers wrap around, which is what a hash wants
        mixed = (mixed ^ points[at : at + count]) * _FACTOR
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX[0]
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX[1]
        mixed ^= mixed >> np.uint64(31)
    return mixed
