"""Constraints on words and letters: which must occur, which must not, how often.

A keyword is found as a string, also inside a longer word ("cat" in "cats", "ev" in "evlerde"), as
the published definition has it and as languages that inflect need it. A forbidden word is found
as a word only; in scripts without spaces, where nobody can see where a word ends, as a string.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated

import regex
from pydantic import AfterValidator, BaseModel, Field

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
)
from engine.constraints.units import blank, folded, folded_word, letters, unit
from engine.text.scripts import share_in_script
from engine.text.tokens import UNSPACED, tokens

MIN_LETTERS = 4
"""A shorter word of an instruction is rarely one that says something."""
_BESIDE = rf"[[\p{{L}}\p{{M}}\p{{N}}_]--[{UNSPACED}]]"
"""What may not stand right beside a word."""
_LETTER = regex.compile(r"\p{L}")
_WHOLE = regex.compile(r"\X")


def _written(text: str) -> str:
    if blank(text) or not folded_word(text, ""):
        raise ValueError("nothing to look for")
    return text


def _one_letter(text: str) -> str:
    if _WHOLE.fullmatch(text) is None or not folded_word(_written(text), ""):
        raise ValueError(f"one letter, not {text!r}")
    return text


Word = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_written)]
"""A word or a phrase."""


class Existence(BaseModel, extra="forbid", frozen=True):
    """All of these occur."""

    keywords: tuple[Word, ...] = Field(min_length=1)
    """Words or phrases, in either case."""


class Frequency(BaseModel, extra="forbid", frozen=True):
    """A word occurs so often."""

    keyword: Word
    """Word or phrase, in either case."""
    relation: Relation
    """How the number of times stands to ``count``."""
    count: int = Field(ge=1)
    """Times, 1 and up."""


class Forbidden(BaseModel, extra="forbid", frozen=True):
    """None of these occurs."""

    words: tuple[Word, ...] = Field(min_length=1)
    """Words or phrases, in either case."""


class LetterFrequency(BaseModel, extra="forbid", frozen=True):
    """A letter occurs so often."""

    letter: Annotated[str, AfterValidator(_one_letter)]
    """One letter of any script, in either case; a sign will do, too."""
    relation: Relation
    """How the number of times stands to ``count``."""
    count: int = Field(ge=1)
    """Times, 1 and up."""


def existence(text: str, params: Existence, context: Context) -> Found:
    """Every keyword is somewhere in the text."""
    within = folded(text, context.language)
    missing = [w for w in params.keywords if folded_word(w, context.language) not in within]
    return decided(not missing, f"missing: {', '.join(missing)}")


def frequency(text: str, params: Frequency, context: Context) -> Found:
    """The keyword occurs as often as asked for; occurrences do not overlap."""
    found = folded(text, context.language).count(folded_word(params.keyword, context.language))
    return counted(found, params.relation, params.count, f"times {params.keyword!r}")


def forbidden(text: str, params: Forbidden, context: Context) -> Found:
    """None of the words is in the text."""
    within = folded(text, context.language)
    found = [w for w in params.words if _as_word(folded_word(w, context.language)).search(within)]
    return decided(not found, f"found: {', '.join(found)}")


def letter_frequency(text: str, params: LetterFrequency, context: Context) -> Found:
    """The letter occurs as often as asked for."""
    found = letters(text, params.letter, context.language)
    return counted(found, params.relation, params.count, f"times {params.letter!r}")


def pool(ground: Ground) -> list[str]:
    """Words an answer may be asked to have: the instruction's own, and the listed ones."""
    own = own_words(ground)
    return [*own, *(word for word in ground.stock.words if word.casefold() not in own)]


def own_words(ground: Ground) -> list[str]:
    """The longer words of the instruction; none in scripts where one cannot see its words."""
    if unit(ground.language) == "characters":
        return []
    found = dict.fromkeys(tokens(ground.instruction))
    words = [word for word in found if len(word) >= MIN_LETTERS and word.isalpha()]
    return [word for word in words if share_in_script(word, ground.language) == 1]


@lru_cache(maxsize=4096)
def _as_word(word: str) -> regex.Pattern[str]:
    return regex.compile(rf"(?<!{_BESIDE}){regex.escape(word)}(?!{_BESIDE})", regex.V1)


def _draw_existence(ground: Ground) -> Existence | None:
    words = pool(ground)
    return Existence(keywords=ground.some(words, 2, 3)) if len(words) > 1 else None


def _draw_frequency(ground: Ground) -> Frequency | None:
    relation = ground.rng.choice(RELATIONS)
    words = (own_words(ground) if relation == "less than" else []) or pool(ground)
    if not words:
        return None
    word, count = ground.rng.choice(words), ground.rng.randint(2, 4)
    return Frequency(keyword=word, relation=relation, count=count)


def _draw_forbidden(ground: Ground) -> Forbidden | None:
    own = own_words(ground)  # what an answer would use: other words are easily left out
    words = own if len(own) > 1 else pool(ground)
    return Forbidden(words=ground.some(words, 2, 4)) if len(words) > 1 else None


def _draw_letter(ground: Ground) -> LetterFrequency | None:
    native = [w for w in tokens(ground.instruction) if share_in_script(w, ground.language) == 1]
    found = sorted({letter for word in native for letter in _LETTER.findall(word)})
    if not found:
        return None
    relation = ground.rng.choice(RELATIONS)
    most = 5 if unit(ground.language) == "characters" else 12
    count = ground.rng.randint(2 if relation == "at least" else 4, most)
    return LetterFrequency(letter=ground.rng.choice(found), relation=relation, count=count)


KINDS: Mapping[str, AnyKind] = MappingProxyType(
    {
        "keywords:existence": Kind(Existence, existence, _draw_existence),
        "keywords:frequency": Kind(Frequency, frequency, _draw_frequency),
        "keywords:forbidden_words": Kind(Forbidden, forbidden, _draw_forbidden),
        "keywords:letter_frequency": Kind(LetterFrequency, letter_frequency, _draw_letter),
    }
)
