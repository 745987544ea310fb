"""Pivot blocks: a response that first says instruction and answer in a pivot language.

Three blocks under headings: the instruction in the pivot language, the response in it, the response
in the record's own. Headings are data, a fixed one for each language and block
(``taxonomies/pivot.yaml``), so that the last block can be cut out of whatever a model tuned on them
writes: models dress headings up (``**Response in English:**``), leave the colon out, or go on in
the same line. Three things can come of it: ``ok``; ``monolingual``, without any heading: the model
answered at once; ``not_found``: it began with the pivot and did not come to its own language.

Source: Zhang et al., "PLUG: Leveraging Pivot Language in Cross-Lingual Instruction Tuning", 2023,
arXiv:2311.08711, section 3 (the blocks and how a response is extracted).
Differs: headings are ours, for more languages; a text in which a heading stands cannot be composed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import regex
from pydantic import BaseModel, Field

from engine.text.phrasebooks import entry_for, phrasebook

Code = Literal["ok", "monolingual", "not_found"]
FILE = "pivot"
GAP = "\n\n"


class Headings(BaseModel, extra="forbid", frozen=True):
    """The headings of one language, without a colon."""

    instruction: str = Field(min_length=3)
    response: str = Field(min_length=3)


@dataclass(frozen=True, slots=True)
class Row:
    """What the blocks say."""

    instruction: str
    """In the pivot language."""
    pivot_response: str
    response: str
    """In the record's own language."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read in a text."""

    code: Code
    row: Row
    """A block that is not there is empty; without headings, the response is the whole text."""


@lru_cache(maxsize=1)
def _book() -> Mapping[str, Headings]:
    return phrasebook(FILE, Headings)


def headings(pivot: str, language: str) -> tuple[str, str, str] | None:
    """The three headings for this pivot and language; ``None`` where one is not worded."""
    first, last = entry_for(_book(), pivot), entry_for(_book(), language)
    if first is None or last is None or first.response == last.response:
        return None
    return first.instruction, first.response, last.response


def composed(row: Row, heads: tuple[str, str, str]) -> str:
    """The blocks under their headings; ``""`` where they could not be told apart again.

    That is so where one is empty, or holds a heading.
    """
    blocks = zip(heads, (row.instruction, row.pivot_response, row.response), strict=True)
    text = GAP.join(f"{head}:\n{block}" for head, block in blocks)
    return text if parsed(text, heads) == Read("ok", row) else ""


def parsed(text: str, heads: tuple[str, str, str]) -> Read:
    """The blocks of a text that a model wrote or ``composed`` did."""
    places = [_place(text, head) for head in heads]
    if all(place is None for place in places):
        return Read("monolingual", Row("", "", text))
    begins = [place[0] if place else len(text) for place in places]
    blocks = [
        _block(text[place[1] : min([b for b in begins if b >= place[1]], default=len(text))], at)
        if place
        else ""
        for at, place in enumerate(places)
    ]
    row = Row(*blocks)
    return Read("ok" if row.response.strip() else "not_found", row)


def _block(text: str, at: int) -> str:
    """A block without what stands between it and the next heading; the last one is as it is."""
    return text if at == 2 else text.removesuffix(GAP) if text.endswith(GAP) else text.rstrip()


def _place(text: str, head: str) -> tuple[int, int] | None:
    """Where a heading begins and its block does: at the beginning of a line, dressed or bare."""
    found = _pattern(head).search(text)
    return found.span() if found else None


@lru_cache(maxsize=1024)
def _pattern(head: str) -> regex.Pattern[str]:
    words = r"[ \t\u00a0]+".join(map(regex.escape, head.split()))
    before, after = r"^[ \t]*[#>*_]*[ \t]*[*_\[【]*", r"[*_\]】]*[ \t\u00a0]*"
    return regex.compile(
        rf"{before}{words}{after}(?:[:：][*_]*[ \t]*(?:\r?\n)?|\r?\n)", regex.M | regex.I
    )
