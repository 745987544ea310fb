"""Constraints on how long an answer is: words, sentences, paragraphs, and how one of them opens.

The two ways of telling paragraphs apart are the published ones: a line of ``***`` where they are
counted, an empty line where one of them has to begin with a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

import regex
from pydantic import BaseModel, Field, model_validator

from engine.constraints.keywords import Word, pool
from engine.constraints.kinds import (
    RELATIONS,
    AnyKind,
    Context,
    Found,
    Ground,
    Kind,
    Relation,
    counted,
    decided,
    exactly,
)
from engine.constraints.units import (
    QUOTES,
    bare,
    blank,
    fold,
    folded_word,
    marks_sentences,
    sentences,
    unit,
    words,
)
from engine.text.lengths import WORDS_PER_IDEOGRAPH, WORDS_PER_KANA, WORDS_PER_UNSPACED_LETTER
from engine.text.scripts import script

_RULE = regex.compile(r"\s?\*\*\*\s?")
_WORD_END = regex.compile(r"[\s.,?!'\"”»…。！？，、،؛؟।။።]")
_OPENERS = QUOTES + "¿¡"


class Words(BaseModel, extra="forbid", frozen=True):
    """So many words; characters in a language without spaces."""

    relation: Relation
    """How the number of words stands to ``count``."""
    count: int = Field(ge=1)
    """Words or characters, 1 and up."""


class Sentences(BaseModel, extra="forbid", frozen=True):
    """So many sentences."""

    relation: Relation
    """How the number of sentences stands to ``count``."""
    count: int = Field(ge=1)
    """Sentences, 1 and up."""


class Paragraphs(BaseModel, extra="forbid", frozen=True):
    """So many paragraphs with ``***`` between them."""

    count: int = Field(ge=1)
    """Paragraphs, 1 and up."""


class FirstWord(BaseModel, extra="forbid", frozen=True):
    """So many paragraphs with an empty line between them, one of which opens with a word."""

    count: int = Field(ge=1)
    """Paragraphs, 1 and up."""
    nth: int = Field(ge=1)
    """Which one opens with the word, from 1."""
    word: Word
    """Its first word, in either case."""

    @model_validator(mode="after")
    def _exists(self) -> Self:
        if self.nth > self.count:
            raise ValueError(f"there is no paragraph {self.nth} of {self.count}")
        return self


def number_words(text: str, params: Words, context: Context) -> Found:
    """As many words as asked for."""
    found = words(text, context.language)
    return counted(found, params.relation, params.count, unit(context.language))


def number_sentences(text: str, params: Sentences, context: Context) -> Found:
    """As many sentences as asked for, where the language marks them."""
    if not marks_sentences(context.language):
        return Found("skipped", f"{context.language} does not mark where a sentence ends")
    return counted(sentences(text), params.relation, params.count, "sentences")


def number_paragraphs(text: str, params: Paragraphs, context: Context) -> Found:
    """As many paragraphs as asked for; none between two rules is empty."""
    parts = _RULE.split(bare(text))
    inner = parts[1 if blank(parts[0]) else 0 : -1 if blank(parts[-1]) else None]
    if any(map(blank, inner)):
        return Found("fail", "an empty paragraph between two rules")
    return exactly(len(inner), params.count, "paragraphs")


def nth_paragraph_first_word(text: str, params: FirstWord, context: Context) -> Found:
    """As many paragraphs as asked for, and the one in question opens with the word."""
    parts = [part.strip() for part in bare(text).split("\n\n")]
    there = sum(not blank(part) for part in parts)
    if there != params.count or params.nth > len(parts):
        return exactly(there, params.count, "paragraphs")
    wanted = folded_word(params.word, context.language)
    head = parts[params.nth - 1].lstrip(_OPENERS)[: 4 * len(params.word) + 99]
    opening = fold(head, context.language)
    after = opening[len(wanted) : len(wanted) + 1]
    ends = unit(context.language) == "characters" or not after or _WORD_END.match(after)
    holds = opening.startswith(wanted) and bool(ends)
    return decided(holds, f"paragraph {params.nth} opens with {opening[:30]!r}")


def worth(language: str) -> float:
    """What one of what is counted is worth, in words of a language with spaces."""
    spaced = 1.0 if unit(language) == "words" else WORDS_PER_UNSPACED_LETTER
    return _WORTH.get(script(language), spaced)


def _draw_words(ground: Ground) -> Words:
    relation = ground.rng.choice(RELATIONS)
    count = ground.rng.randrange(40, 320, 20) / worth(ground.language)
    return Words(relation=relation, count=max(20, round(count / 10) * 10))


_WORTH = {"Hans": WORDS_PER_IDEOGRAPH, "Hant": WORDS_PER_IDEOGRAPH, "Jpan": WORDS_PER_KANA}


def _draw_sentences(ground: Ground) -> Sentences | None:
    if not marks_sentences(ground.language):
        return None
    relation = ground.rng.choice(RELATIONS)
    return Sentences(relation=relation, count=ground.rng.randint(4, 15))


def _draw_paragraphs(ground: Ground) -> Paragraphs:
    return Paragraphs(count=ground.rng.randint(2, 6))


def _draw_first_word(ground: Ground) -> FirstWord | None:
    words, count = pool(ground), ground.rng.randint(2, 5)
    if not words:
        return None
    nth = ground.rng.randint(1, count)
    return FirstWord(count=count, nth=nth, word=ground.rng.choice(words))


KINDS: Mapping[str, AnyKind] = MappingProxyType(
    {
        "length_constraints:number_words": Kind(Words, number_words, _draw_words),
        "length_constraints:number_sentences": Kind(Sentences, number_sentences, _draw_sentences),
        "length_constraints:number_paragraphs": Kind(
            Paragraphs, number_paragraphs, _draw_paragraphs
        ),
        "length_constraints:nth_paragraph_first_word": Kind(
            FirstWord, nth_paragraph_first_word, _draw_first_word
        ),
    }
)
