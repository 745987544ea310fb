"""Constraints on capitals; in a script without case they are neither met nor broken.

The two that name English in the published definition take the language as a parameter: the
answer's own where it is empty, so that they hold for every language with capitals. Where it is
given, the answer has to be in that language as well, which somebody must be able to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel, Field

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
from engine.constraints.units import bare, capital_words, cased, is_capital, is_lowercase
from engine.constraints.whole import Tag, spoken


class CapitalWords(BaseModel, extra="forbid", frozen=True):
    """So many words in capitals throughout."""

    relation: Relation
    """How the number of words stands to ``count``."""
    count: int = Field(ge=1)
    """Words, 1 and up."""


class Case(BaseModel, extra="forbid", frozen=True):
    """All letters in the same case."""

    language: Tag | None = None
    """BCP-47 tag the answer must be in as well; ``null`` for whatever it is to be in anyway."""


def capital_word_frequency(text: str, params: CapitalWords, context: Context) -> Found:
    """As many words in capitals as asked for."""
    if not cased(context.language):
        return _caseless(context.language)
    return counted(capital_words(bare(text)), params.relation, params.count, "capital words")


def capital(text: str, params: Case, context: Context) -> Found:
    """No letter is small."""
    return _all(is_capital(bare(text)), "not all in capitals", text, params, context)


def lowercase(text: str, params: Case, context: Context) -> Found:
    """No letter is a capital."""
    return _all(is_lowercase(bare(text)), "not all in small letters", text, params, context)


def _all(holds: bool, why: str, text: str, params: Case, context: Context) -> Found:
    if not cased(params.language or context.language):
        return _caseless(params.language or context.language)
    if not holds or params.language is None:
        return decided(holds, why)
    return spoken(text, params.language, context)


def _caseless(language: str) -> Found:
    return Found("skipped", f"{language} is not written in a script with capitals")


def _draw_words(ground: Ground) -> CapitalWords | None:
    if not cased(ground.language):
        return None
    relation = ground.rng.choice(RELATIONS)
    most = 8 if relation == "at least" else 15
    return CapitalWords(relation=relation, count=ground.rng.randint(2, most))


def _draw_case(ground: Ground) -> Case | None:
    return Case() if cased(ground.language) else None


KINDS: Mapping[str, AnyKind] = MappingProxyType(
    {
        "change_case:capital_word_frequency": Kind(
            CapitalWords, capital_word_frequency, _draw_words
        ),
        "change_case:english_capital": Kind(Case, capital, _draw_case),
        "change_case:english_lowercase": Kind(Case, lowercase, _draw_case),
    }
)
