"""The sheet of languages: ``taxonomies/languages.yaml``, read once.

What it says of each key stands at its head. Here is only what the file holds; what a tag means
is ``tags``, what a language is ``table``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from engine.shipped import folder, read


@dataclass(frozen=True, slots=True)
class Script:
    """A script, by its ISO 15924 code."""

    name: str
    direction: str
    """``ltr`` or ``rtl``."""
    spaced: bool
    """Whether blanks stand between words."""
    marks: str
    """Signs that end a sentence; empty where the script has none."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The parts of the file."""

    scripts: Mapping[str, Script]
    aliases: Mapping[str, str]
    """Lower-case tag -> the tag that is meant."""
    languages: Mapping[str, Mapping[str, Any]]
    close: Mapping[str, frozenset[str]]
    """Tag -> the languages that it is hard to tell from."""
    macros: Mapping[str, str]
    """Tag -> ISO 639-3 code of the macrolanguage it belongs to."""
    quotes: Mapping[str, tuple[str, ...]]
    """Tag -> the outer pair of quotation marks and the inner one."""


@cache
def sheet() -> Sheet:
    """The shipped sheet."""
    found = read(folder("taxonomies") / "languages.yaml")
    return Sheet(
        MappingProxyType({code: Script(**said) for code, said in found["scripts"].items()}),
        MappingProxyType({tag.lower(): meant for tag, meant in found["aliases"].items()}),
        MappingProxyType(found["languages"]),
        MappingProxyType(_relatives(found["close"])),
        MappingProxyType(_by_member(found["macro"])),
        MappingProxyType(
            {tag: tuple(marks.split()) for tag, marks in _by_member(found["quotes"]).items()}
        ),
    )


def _relatives(groups: list[list[str]]) -> dict[str, frozenset[str]]:
    members = {tag for group in groups for tag in group}
    return {
        tag: frozenset(other for group in groups if tag in group for other in group) - {tag}
        for tag in members
    }


def _by_member(groups: Mapping[str, str]) -> dict[str, str]:
    """Tag -> the head of the group that has it."""
    return {tag: head for head, members in groups.items() for tag in members.split()}
