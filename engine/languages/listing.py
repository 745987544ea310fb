"""The table of languages, as ``engine languages`` shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from engine.core import JobError
from engine.languages.codes import macrolanguage, systems
from engine.languages.ranking import claims
from engine.languages.table import Language, find, known, relatives
from engine.languages.tags import base
from engine.languages.writing import digits, has_case, quotes, segmentation

NAMED = ("tag", "639-3", "name", "own name")
KNOWN = ("scripts", "direction", "words", "tier", "identified", "family")
"""Heads of the table; ``identified``: whether the engine knows the language when it sees it."""


def matching(query: str) -> list[Language]:
    """Languages by tag, code, name, script, direction, family or tier; for no query all of them.

    A name or code of its own comes first, then what a tag means that is spelt otherwise (``zh_TW``,
    ``no``, ``arb_Arab``), then whatever has the word in it.

    Raises:
        JobError: nothing fits; the nearest is said.
    """
    word = query.strip().casefold()
    if exact := [each for each in known().values() if word in map(str.casefold, _own(each))]:
        return exact
    try:
        return [find(query)]
    except JobError:
        if found := [language for language in known().values() if _fits(language, word)]:
            return found
        raise


def _own(language: Language) -> tuple[str, ...]:
    """What names this language and no other."""
    return language.tag, language.iso639_3, language.name, language.own_name


def _fits(language: Language, word: str) -> bool:
    named = (language.name, language.own_name, language.family)
    codes = (*_own(language), language.tier, language.direction, *language.scripts)
    return any(word in text.casefold() for text in named) or word in map(str.casefold, codes)


def told(language: Language) -> dict[str, Any]:
    """One language as a JSON value: all fields, and what follows from them elsewhere.

    That is how others write it (null where they do not know it), how it is written, whether it is
    identified, and what is close.
    """
    tag = language.tag
    return {
        **asdict(language),
        "scripts": list(language.scripts),
        "iso639_1": base(tag) if len(base(tag)) == 2 else None,
        "macrolanguage": macrolanguage(tag) or None,
        "segmentation": segmentation(language),
        "has_case": has_case(language),
        "digits": list(digits(tag)),
        "quotes": list(quotes(tag)),
        "codes": {name: system.code(tag) or None for name, system in systems().items()},
        "identified": claims(tag),
        "close": sorted(relatives(tag)),
    }


def rows(languages: Iterable[Language]) -> list[tuple[str, ...]]:
    """The languages as a table with a head."""
    return [NAMED + KNOWN, *map(_row, languages)]


def _row(language: Language) -> tuple[str, ...]:
    return (
        language.tag,
        language.iso639_3,
        language.name,
        language.own_name,
        " ".join(language.scripts),
        language.direction,
        "spaced" if language.spaced else "unspaced",
        language.tier,
        "yes" if claims(language.tag) else "no",
        language.family,
    )
