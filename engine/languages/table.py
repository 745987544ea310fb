"""Languages: what the engine knows of each, by its tag.

``known()`` is the table, ``find(tag)`` one language of it, in whatever spelling. The table is data,
``taxonomies/languages.yaml``; a tag with a script or a region is the same language in that script,
under the name CLDR has for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from engine.core import JobError
from engine.languages.names import english_name
from engine.languages.sheet import sheet
from engine.languages.tags import base, normalise

Tier = Literal["high", "mid", "low"]


@dataclass(frozen=True, slots=True)
class Language:
    """One language."""

    tag: str
    """BCP-47, as ``tags.normalise`` spells it."""
    iso639_3: str
    name: str
    """In English, as a prompt says it."""
    own_name: str
    scripts: tuple[str, ...]
    """ISO 15924, the usual one first."""
    direction: str
    """``ltr`` or ``rtl``, of the first script."""
    spaced: bool
    """Whether blanks stand between words."""
    sentence_marks: str
    """Signs that end a sentence; empty where its script marks none."""
    tier: Tier
    """How much text there is."""
    family: str


@lru_cache(maxsize=1)
def known() -> Mapping[str, Language]:
    """Every language of the table, by tag."""
    return MappingProxyType({tag: _row(tag, said) for tag, said in sheet().languages.items()})


def find(tag: str) -> Language:
    """The language of a tag, in the script that it names.

    Raises:
        JobError: nobody knows it; the nearest is said.
    """
    spelt = normalise(tag)
    row = known().get(spelt) or known().get(base(spelt))
    if row is None:  # und, mul, zxx
        raise JobError(f"{tag!r} names no language")
    return row if row.tag == spelt else _variety(row, spelt)


def relatives(tag: str) -> frozenset[str]:
    """Languages that a text in this one is easily taken for."""
    return sheet().close.get(base(normalise(tag)), frozenset())


def _row(tag: str, said: Mapping[str, Any]) -> Language:
    usual = sheet().scripts[said["scripts"][0]]
    return Language(
        tag,
        said["iso"],
        said["name"],
        said["own"],
        tuple(said["scripts"]),
        usual.direction,
        usual.spaced,
        said.get("marks", usual.marks),
        said["tier"],
        said["family"],
    )


def _variety(row: Language, tag: str) -> Language:
    """The language as a tag with script or region means it."""
    named = [part for part in tag.split("-")[1:] if len(part) == 4 and part in sheet().scripts]
    row = replace(row, tag=tag, name=english_name(tag))
    if not named or named[0] == row.scripts[0]:
        return row
    script = sheet().scripts[named[0]]
    scripts = (named[0], *(code for code in row.scripts if code != named[0]))
    marks = script.marks
    return replace(
        row,
        scripts=scripts,
        direction=script.direction,
        spaced=script.spaced,
        sentence_marks=marks,
    )
