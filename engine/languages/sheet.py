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
    """The file's four parts."""

    scripts: Mapping[str, Script]
    aliases: Mapping[str, str]
    """Lower-case tag -> the tag that is meant."""
    languages: Mapping[str, Mapping[str, Any]]
    close: Mapping[str, frozenset[str]]
    """Tag -> the languages that it is hard to tell from."""


@cache
def sheet() -> Sheet:
    """The shipped sheet."""
    found = read(folder("taxonomies") / "languages.yaml")
    return Sheet(
        MappingProxyType({code: Script(**said) for code, said in found["scripts"].items()}),
        MappingProxyType({tag.lower(): meant for tag, meant in found["aliases"].items()}),
        MappingProxyType(found["languages"]),
        MappingProxyType(_relatives(found["close"])),
    )


def _relatives(groups: list[list[str]]) -> dict[str, frozenset[str]]:
    members = {tag for group in groups for tag in group}
    return {
        tag: frozenset(other for group in groups if tag in group for other in group) - {tag}
        for tag in members
    }
