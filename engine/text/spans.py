"""Cut a long text where its author paused: at blank lines and Markdown headings.

A part is a span of the text, so it stays verbatim. Paragraphs and fenced blocks are never
broken, and a heading stays with what it heads. Works by lines alone, so it is the same for
every script; linear in the length of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import regex

Split = Literal["none", "paragraphs", "sections"]

_LINE = regex.compile(r"[^\n]*\n|[^\n]+")
_HEADING = regex.compile(r" {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*\s*$")
_FENCE = regex.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Part:
    """A span of a text, counted in characters."""

    start: int
    end: int
    section: str = ""
    """The heading it stands under; empty where there is none."""
    opens: bool = False
    """It begins with a heading."""

    def __len__(self) -> int:
        return self.end - self.start


def heading(text: str) -> str:
    """The first Markdown heading; ``""`` when there is none."""
    return next((block.section for block in _blocks(text, True) if block.opens), "")


def parts(text: str, split: Split, low: int, high: int, markdown: bool = True) -> list[Part]:
    """The spans of ``text``, in order, without the blank lines around them.

    Args:
        text: any text; one without a printed character has no parts.
        split: ``none``: one part; ``paragraphs``: anew at each paragraph; ``sections``: anew at
            each heading.
        low: a part shorter than this many characters takes in its neighbours.
        high: no part is grown beyond this; a longer paragraph is a part of its own.
        markdown: whether ``#`` makes a heading and three backticks a fence.
    """
    blocks = list(_blocks(text, markdown))
    if split == "none":
        return [_join(blocks[0], blocks[-1])] if blocks else []
    packed: list[Part] = []
    for block in blocks:
        pause = split == "paragraphs" or block.opens
        if packed and not (pause and len(packed[-1]) >= low) and _fits(packed[-1], block, high):
            packed[-1] = _join(packed[-1], block)
        else:
            packed.append(block)
    return _without_scraps(packed, low, high)


def _without_scraps(packed: list[Part], low: int, high: int) -> list[Part]:
    kept: list[Part] = []
    for part in packed:
        if kept and len(part) < low and _fits(kept[-1], part, high):
            kept[-1] = _join(kept[-1], part)
        else:
            kept.append(part)
    return kept


def _fits(first: Part, last: Part, high: int) -> bool:
    return last.end - first.start <= high


def _join(first: Part, last: Part) -> Part:
    return Part(first.start, last.end, first.section, first.opens)


def _blocks(text: str, markdown: bool) -> Iterator[Part]:
    """Paragraphs; a heading and a fenced block belong to the paragraph they touch."""
    section, fence = "", ""
    open_: Part | None = None
    waits = False  # only headings so far: the next paragraph belongs to them
    for match in _LINE.finditer(text):
        line, end = match[0], match.start() + len(match[0].rstrip())
        title = _HEADING.match(line) if markdown and not fence else None
        if not line.strip() and not fence:
            if open_ and not waits:
                yield open_
                open_ = None
            continue
        if title:
            section = title[1]
            if open_ and not waits:
                yield open_
                open_ = None
        start = open_ or Part(match.start(), end, section, bool(title))
        open_ = Part(start.start, max(end, start.end), start.section, start.opens)
        waits = bool(title)
        fence = _fence(line, fence) if markdown else ""
    if open_:
        yield open_


def _fence(line: str, inside: str) -> str:
    """The fence that is open after this line; ``""`` for none."""
    mark = _FENCE.match(line)
    if not mark:
        return inside
    if not inside:
        return str(mark[1])
    closes = line.strip().startswith(inside) and not line.strip().strip(inside[0])
    return "" if closes else inside
