"""Numbered lists, as they are shown to a model and as models write them.

Writing is exact; reading is lenient, because no two models keep to one form. A line that opens
with a number opens an item, whatever the number (models count from where they like), its
digits (``९.``, ``٩.``, ``９．``) and the dress around it (``8)``, ``**8.**``, ``### 8.``,
``Task 8:``). An item goes on over the lines below it and ends at a blank one; what stands
between an item and the next number, before the first and after the last (greetings, apologies,
offers of more) belongs to nothing. Deeper numbers belong to the item above them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import regex

_DRESS = r"(?:[-*•#>]+[ \t]+)?[*_]{0,3}"
_NUMBERED = regex.compile(
    rf"^(?P<indent>[ \t]*){_DRESS}"
    r"(?:[(\[（]?\d{1,3}(?:\s?\\?[.)\]:、．。）：]\)?|\s?[-–—](?=\s))|\p{L}+\s?\d{1,3}\s?[:：])"
    r"[*_]{0,3}(?!\d)[ \t]*"
)
_BULLET = regex.compile(r"^(?P<indent>[ \t]*)[-*•・–][ \t]+")
_FENCE = regex.compile(r"^\s*(?:```|~~~)\w*\s*$")


def numbered(items: Iterable[str], first: int = 1) -> str:
    """``items`` as lines ``1. ...``, each on one line and without a colon at its end."""
    lines = (" ".join(item.split()).rstrip(":：").rstrip() for item in items)
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=first))


def items(reply: str) -> list[str]:
    """The items of the numbered list in ``reply``, or of its bullets where nothing is numbered.

    Each is on one line, without its number; empty ones are left out.
    """
    lines = [line for line in reply.splitlines() if not _FENCE.match(line)]
    for mark in (_NUMBERED, _BULLET):
        if found := [item for item in map(_plain, _split(lines, mark)) if item]:
            return found
    return []


def _split(lines: Iterable[str], mark: regex.Pattern[str]) -> Iterator[str]:
    """The text from each mark to the next mark or blank line."""
    item: list[str] | None = None
    left: int | None = None  # how far the first mark is indented
    for line in lines:
        opened = mark.match(line)
        if opened and (left is None or len(opened["indent"]) <= left + 1):
            if item is not None:
                yield " ".join(item)
            left = len(opened["indent"]) if left is None else left
            item = [line[opened.end() :]]
        elif item is not None and line.strip():
            item.append(line)
        elif item is not None and "".join(item).strip():
            yield " ".join(item)
            item = None
    if item is not None:
        yield " ".join(item)


def _plain(item: str) -> str:
    """On one line, without bold type around the whole or around its heading."""
    text = " ".join(item.split())
    if text.startswith("**"):
        text = text[2:].replace("**", "", 1)
    if text.endswith("**") and text.count("**") % 2:
        text = text[:-2]
    return text.strip()
