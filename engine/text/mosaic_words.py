"""What a mosaic says of its instructions, in the language at hand.

Read from ``taxonomies/mosaic.yaml``; a language is added there, without code, and in one that is
missing nothing is said in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, Field

from engine.text.phrasebooks import entry_for, phrasebook

Sentences = tuple[str, ...]
Order = Literal[
    "fixed",
    "reverse",
    "alphabetical",
    "reverse_alphabetical",
    "words",
    "reverse_words",
    "characters",
    "reverse_characters",
    "odd_even",
    "even_odd",
]
Mask = Literal[
    "listed",
    "longest_words",
    "shortest_words",
    "longest_characters",
    "shortest_characters",
    "odd",
    "even",
]


class Words(BaseModel, extra="forbid", frozen=True):
    """One language's entry; the file says what each is."""

    comma: str
    between: str
    format: Sentences = Field(min_length=1)
    single: Sentences = Field(min_length=1)
    numbered: Sentences = Field(min_length=1)
    numbered_above: Sentences = Field(min_length=1)
    tagged: Sentences = Field(min_length=1)
    tags: tuple[tuple[str, str], ...] = Field(min_length=1)
    orders: Mapping[Order, Sentences]
    masks: Mapping[Mask, Sentences]


@lru_cache(maxsize=1)
def listed() -> Mapping[str, Words]:
    """Every language there is, by its tag."""
    return phrasebook("mosaic", Words)


def words_for(language: str) -> Words | None:
    """The words of a tag or of its base language; ``None``: not listed."""
    return entry_for(listed(), language)
