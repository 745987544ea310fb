"""The table of languages, as ``engine languages`` shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from engine.languages.ranking import claims
from engine.languages.table import Language, find, known, relatives


def matching(query: str) -> list[Language]:
    """Languages by tag, code, name, script, direction, family or tier; for no query all of them.

    Whatever has the word in it counts; where nothing has, the query is read as a tag (``zh_TW``).

    Raises:
        JobError: nothing fits; the nearest is said.
    """
    word = query.strip().casefold()
    found = [language for language in known().values() if _fits(language, word)]
    exact = [each for each in found if word in map(str.casefold, _own(each))]
    return exact or found or [find(query)]


def _own(language: Language) -> tuple[str, ...]:
    """What names this language and no other."""
    return language.tag, language.iso639_3, language.name, language.own_name


def _fits(language: Language, word: str) -> bool:
    named = (language.name, language.own_name, language.family)
    codes = (*_own(language), language.tier, language.direction, *language.scripts)
    return any(word in text.casefold() for text in named) or word in map(str.casefold, codes)


def told(language: Language) -> dict[str, Any]:
    """One language as a JSON value: all fields, whether it is identified, and what is close."""
    more = {"identified": claims(language.tag), "close": sorted(relatives(language.tag))}
    return {**asdict(language), "scripts": list(language.scripts), **more}


def rows(languages: Iterable[Language]) -> list[tuple[str, ...]]:
    """The languages as a table with a head."""
    head = ("tag", "639-3", "name", "own name", "scripts", "direction", "words", "tier", "family")
    return [head, *map(_row, languages)]


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
        language.family,
    )
