"""Which concepts of which sessions: counted by formula, drawn uniformly, never listed.

A course of twelve sessions with eight concepts each has 428,184 ways to take one to five
concepts from one session or from two: too many to list, easy to count. Each way has a number; a
number is turned into its way without looking at the others (combinatorial number system), so that
a uniform number is a uniform way, and different numbers are different ways.

A way across two sessions takes a concept from each that the other does not have. With n and m
concepts, none of them shared, these are S(n + m) - S(n) - S(m), where S(n) is the number of
subsets of 1 to ``most`` out of n.

Source: Li et al., "Synthetic Data (Almost) from Scratch" (GLAN), 2024, arXiv:2402.13064, section
2.4; Knuth, "The Art of Computer Programming", volume 4A, 2011, ISBN 978-0-201-03804-0, section
7.2.1.3; Bentley and Floyd, "Programming pearls: a sample of brilliance", 1987,
doi:10.1145/30401.315746 (drawing without repetition).
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from math import comb, prod
from typing import TypeVar

T = TypeVar("T")

Course = Sequence[Sequence[str]]
"""The concepts of each session; different texts within a session."""


@dataclass(frozen=True, slots=True)
class Way:
    """What a question is about."""

    sessions: tuple[int, ...]
    """One or two, by their place in the course."""
    concepts: tuple[str, ...]
    """Those of the first session before those of the second."""


def subsets(size: int, most: int) -> int:
    """Ways to take 1 to ``most`` out of ``size``."""
    return sum(comb(size, take) for take in range(1, most + 1))


def within(course: Course, most: int) -> int:
    """Ways to take 1 to ``most`` concepts of one session."""
    return sum(subsets(len(session), most) for session in course)


def across(course: Course, most: int) -> int:
    """Ways to take 2 to ``most`` concepts that no single one of two sessions has."""
    return sum(_pair(*pair, most) for pair in combinations(course, 2))


def drawn(course: Course, count: int, most: int, two: float, random: random.Random) -> list[Way]:
    """``count`` different ways, or all there are; a share ``two`` (0..1) of them across sessions.

    Where one kind has too few, the other stands in. Ways of a kind are drawn uniformly.
    """
    ones, twos = within(course, most), across(course, most)
    wanted = min(sum(random.random() < two for _ in range(count)), twos)
    single = min(count - wanted, ones)
    wanted = min(count - single, twos)
    found = nth_within(course, most, _numbers(ones, single, random))
    found += nth_across(course, most, _numbers(twos, wanted, random))
    random.shuffle(found)
    return found


def nth_within(course: Course, most: int, numbers: Iterable[int]) -> list[Way]:
    """The ways of these numbers, from 0 to ``within(course, most) - 1``."""
    places = list(range(len(course)))
    ends = list(accumulate(subsets(len(session), most) for session in course))
    found = (_located(places, ends, number) for number in numbers)
    return [Way((at,), _upto(course[at], most, number)) for at, number in found]


def nth_across(course: Course, most: int, numbers: Iterable[int]) -> list[Way]:
    """The ways of these numbers, from 0 to ``across(course, most) - 1``."""
    places = list(combinations(range(len(course)), 2))
    ends = list(accumulate(_pair(course[one], course[other], most) for one, other in places))
    found = (_located(places, ends, number) for number in numbers)
    return [Way(at, _crossed(course[at[0]], course[at[1]], most, number)) for at, number in found]


def _pair(first: Sequence[str], second: Sequence[str], most: int) -> int:
    """Subsets of both together that are subsets of neither."""
    shared = len(set(first) & set(second))
    sizes = len(first) + len(second) - shared, len(first), len(second), shared
    both, one, other, common = (subsets(size, most) for size in sizes)
    return both - one - other + common


def _crossed(
    first: Sequence[str], second: Sequence[str], most: int, number: int
) -> tuple[str, ...]:
    """By how many are only in the first, only in the second, and in both."""
    common = set(first) & set(second)
    alone = [[text for text in texts if text not in common] for texts in (first, second)]
    parts = [*alone, [text for text in first if text in common]]
    takes = list(_takes(most))
    ways = (prod(comb(len(part), n) for part, n in zip(parts, t, strict=True)) for t in takes)
    take, number = _located(takes, list(accumulate(ways)), number)
    numbers = list[int]()
    for part, n in zip(parts, take, strict=True):
        number, mine = divmod(number, comb(len(part), n))
        numbers.append(mine)
    chosen = zip(parts, take, numbers, strict=True)
    texts = {text for each in chosen for text in _subset(*each)}
    return tuple(dict.fromkeys(text for text in (*first, *second) if text in texts))


def _takes(most: int) -> Iterator[tuple[int, int, int]]:
    for total in range(2, most + 1):
        for one in range(1, total):
            for other in range(1, total - one + 1):
                yield one, other, total - one - other


def _upto(texts: Sequence[str], most: int, number: int) -> tuple[str, ...]:
    """The subset of 1 to ``most`` texts with this number, smaller ones first."""
    takes = range(1, most + 1)
    ends = list(accumulate(comb(len(texts), take) for take in takes))
    take, number = _located(takes, ends, number)
    return tuple(_subset(texts, take, number))


def _located(places: Sequence[T], ends: Sequence[int], number: int) -> tuple[T, int]:
    """The place that this number falls to, and its number there.

    ``ends`` has for each place how many ways there are up to and with it.
    """
    if not 0 <= number < (ends[-1] if ends else 0):
        raise IndexError(f"there is no way {number}")
    at = bisect_right(ends, number)
    return places[at], number - (ends[at - 1] if at else 0)


def _subset(texts: Sequence[str], take: int, number: int) -> list[str]:
    """The subset of ``take`` texts with this number, in lexicographic order of places."""
    found: list[str] = []
    for at, text in enumerate(texts):
        if len(found) == take:
            break
        if number < (with_it := comb(len(texts) - at - 1, take - len(found) - 1)):
            found.append(text)
        else:
            number -= with_it
    return found


def _numbers(total: int, count: int, random: random.Random) -> list[int]:
    """``count`` different numbers below ``total``, which may be larger than any index."""
    found: dict[int, None] = {}
    for top in range(total - count, total):
        number = random.randrange(top + 1)
        found[top if number in found else number] = None
    return list(found)
