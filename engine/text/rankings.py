"""Several texts put in order by a judge: the letters they are shown under, the order, the pairs.

A judge that is shown responses likes the place of one as well as the response. So they are shown
in an order that is drawn, under letters, and what comes back is mapped to the texts again. An order
is strict: every letter once, no ties. It is asked for as such, so a reply with a letter too many or
too few is one of the wrong shape, and is asked for again with what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from random import Random
from typing import Any, Literal, NamedTuple

import regex
from pydantic import BaseModel, Field, create_model, field_validator

MOST = 6
"""Texts that one judge orders, at most: of more, small models lose some."""
Which = Literal["best_worst", "adjacent", "all"]
"""Which pairs are made: the first and the last, each with the next, or each with all below it."""
_LETTER = regex.compile(r"(?<!\p{L})\p{L}(?!\p{L})")


class Ranking(BaseModel, extra="forbid"):
    """What a judge says of several texts."""

    reasons: str = Field(min_length=1)
    ranking: list[str]
    """The letters, the best text's first."""

    @field_validator("ranking", mode="before")
    @classmethod
    def _listed(cls, said: object) -> object:
        """``"B > A"`` is read as the list that it means, and ``"Response B"`` as its letter."""
        if isinstance(said, str):
            return _LETTER.findall(said.upper())
        return [_bare(each) for each in said] if isinstance(said, list) else said

    @field_validator("ranking")
    @classmethod
    def _strict(cls, said: list[str]) -> list[str]:
        wanted = letters(len(said))
        twice = [letter for letter in wanted if said.count(letter) > 1]
        missing = [letter for letter in wanted if letter not in said]
        if twice or missing:
            told = f"{', '.join(twice)} more than once, {', '.join(missing)} missing"
            raise ValueError(f"not a strict order of {', '.join(wanted)}: {told}")
        return said


class Pair(NamedTuple):
    """Two places in a list of texts."""

    chosen: int
    rejected: int


def letters(count: int) -> tuple[str, ...]:
    """The letters under which so many texts are shown, ``MOST`` at most."""
    return tuple("ABCDEF"[:count])


@lru_cache(maxsize=MOST)
def ranking_of(count: int) -> type[Ranking]:
    """The type of a reply that orders so many texts: 2 to ``MOST``."""
    letter: Any = Literal[letters(count)]
    several = (list[letter], Field(min_length=count, max_length=count))
    return create_model(f"RankingOf{count}", __base__=Ranking, ranking=several)


def rankable(given: object) -> list[str]:
    """The texts of a fact where they can be ranked: 2 to ``MOST``, each another one; else none.

    A blank one, or one that is no text, is none to rank, and without it the places would not fit.
    """
    texts = given if isinstance(given, list) else []
    if not all(isinstance(each, str) and each.strip() for each in texts):
        return []
    return list(texts) if 2 <= len(texts) == len(set(texts)) <= MOST else []


def shuffled(count: int, random: Random) -> list[int]:
    """The places of so many texts in the order in which they are shown."""
    return random.sample(range(count), count)


def ordered(ranking: Sequence[str], shown: Sequence[int]) -> list[int]:
    """The places of the texts, the best first, of letters that stand for ``shown``."""
    names = letters(len(shown))
    return [shown[names.index(letter)] for letter in ranking]


def ranks(order: Sequence[int]) -> list[int]:
    """The rank of each text, 1 for the best, by its place."""
    return [order.index(place) + 1 for place in range(len(order))]


def pairs(order: Sequence[int], which: Which) -> list[Pair]:
    """The pairs that an order gives, the widest apart first where all are wanted."""
    if which == "best_worst":
        return [Pair(order[0], order[-1])]
    if which == "adjacent":
        return [Pair(*two) for two in pairwise(order)]
    return [Pair(*two) for two in combinations(order, 2)]


def _bare(said: object) -> object:
    found = _LETTER.findall(said.upper()) if isinstance(said, str) else []
    return found[0] if len(found) == 1 else said
