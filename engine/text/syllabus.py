"""A syllabus as models write it, read into class sessions: title, description, key concepts.

Only the form is read, never a word: a model that writes Hindi says neither "Session" nor "Key
concepts". Sessions open with headings (the shallowest depth that comes twice), else with counted
lines in bold type, else with counted lines. Bullets below are the key concepts, other lines the
description; where nothing is bulleted, the last line of the form ``label: one; two; three`` lists
them. What comes before the first session, and a session without a concept (an exam, a holiday),
belongs to nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import regex

from engine.text.lengths import words
from engine.text.sameness import bare

LONGEST = 20
"""Words of a key concept, at most: what is longer is prose."""

_HEADING = regex.compile(r"[ ]{0,3}(?P<marks>#{1,6})[ \t]+(?P<title>.*\S)")
_BOLD = regex.compile(r"[ ]{0,3}\*\*(?P<title>[^*]+)\*\*[ \t]*[:：]?[ \t]*")
_PLAIN = regex.compile(r"[ ]{0,1}(?P<title>\S.*)")
_COUNT = regex.compile(
    r"(?:第\s*[\p{Nd}一二三四五六七八九十百]+\s*[讲講课課章节節回次周週单元単]+\s*[:：、.]?"
    r"|[一二三四五六七八九十]+\s*[、:：.．]"
    r"|(?:\p{L}[\p{L}\p{M}]{0,20}\s*)?\p{Nd}{1,3}\s*[.:：、．)）।\-–—]+)\s*"
)
_BULLET = regex.compile(r"[ \t]*(?:[-*•·▪◦‣–+]|\(?\p{Nd}{1,2}[.)、．）])[ \t]+(?P<item>.*)")
_NOTHING = regex.compile(r"\s*(?:```\w*|~~~\w*|[-*_=—]{3,})?\s*")
_LABELLED = regex.compile(r"(?P<label>[^:：;；.。]{1,40})[:：]\s*(?P<rest>.*\S)")
_HEAD = regex.compile(r"\*\*(?P<head>[^*]+?)\s*(?:[:：]\s*\*\*|\*\*\s*[:：–—-])\s*(?P<rest>.*)")
_STARS = regex.compile(r"(\*{1,3})(?=\S)(.+?)(?<=\S)\1")
_SEPARATORS = tuple(
    regex.compile(rf"\s*[{signs}](?![^()（）]*[)）])\s*") for signs in (";；؛", ",，、،")
)


@dataclass(frozen=True, slots=True)
class Session:
    """A class session of a course."""

    title: str
    description: str
    concepts: tuple[str, ...]
    """What is to be understood, each a short phrase."""


def sessions(text: str) -> list[Session]:
    """The class sessions of a syllabus, in its order; empty where no form can be made out."""
    lines = text.splitlines()
    opens = _openings(lines)
    ends = [*list(opens)[1:], len(lines)]
    found = (
        made(title, lines[at + 1 : end])
        for (at, title), end in zip(opens.items(), ends, strict=False)
        if title
    )
    return [session for session in found if session.concepts]


def listed(value: object) -> list[Session]:
    """The sessions of a JSON list, as a record keeps them; what is no session is left out."""
    rows = [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
    found = []
    for row in rows:
        concepts = row.get("concepts")
        named = concepts if isinstance(concepts, list | tuple) else []
        kept = _distinct(text for text in named if isinstance(text, str))
        title, description = (str(row.get(key) or "").strip() for key in ("title", "description"))
        if title and kept:
            found.append(Session(title, description, kept))
    return found


def made(title: str, lines: Iterable[str]) -> Session:
    """A session from its title and the lines below it."""
    items, prose = list[str](), list[str]()
    for line in lines:
        bullet = _BULLET.fullmatch(line)
        if bullet:
            items.append(bullet["item"])
        elif not _NOTHING.fullmatch(line) and not _HEADING.match(line):
            prose.append(line.strip())
    if 0 < len(items) <= 3 and all(map(_list_behind, items[-1:])) and all(map(_labelled, items)):
        items, prose = [], prose + items
    if items:
        return Session(title, _joined(prose), _distinct(map(_concept, items)))
    at = next((n for n in range(len(prose) - 1, -1, -1) if _list_behind(prose[n])), None)
    if at is None:
        return Session(title, _joined(prose), ())
    return Session(title, _joined(prose[:at]), _distinct(_list_behind(prose[at])))


def _openings(lines: list[str]) -> dict[int, str]:
    """Line number -> the title of the session that opens there; empty where one only ends."""
    headings = {n: found for n, line in enumerate(lines) if (found := _HEADING.fullmatch(line))}
    depths = Counter(len(found["marks"]) for found in headings.values())
    depth = min((depth for depth, often in depths.items() if often > 1), default=0)
    if depth:
        above = {n: each for n, each in headings.items() if len(each["marks"]) <= depth}
        level = {n for n, each in above.items() if len(each["marks"]) == depth}
        counted = {n for n in level if _COUNT.match(_bare(above[n]["title"]))}
        some = counted if len(counted) > 1 else level
        return {n: _title(each["title"]) if n in some else "" for n, each in above.items()}
    for form in (_BOLD, _PLAIN):
        titles = [each["title"] if (each := form.fullmatch(line)) else "" for line in lines]
        opened = {n: _title(text) for n, text in enumerate(titles) if _COUNT.match(_bare(text))}
        if len(opened) > 1:
            return opened
    return {}


def _title(text: str) -> str:
    """Without its number and its dress; all of it where there is nothing else."""
    plain = _bare(text)
    return _COUNT.sub("", plain, count=1).strip(" :：") if _COUNT.match(plain) else plain


def _bare(text: str) -> str:
    return _STARS.sub(r"\2", text).strip(" \t*#:：")


def _concept(item: str) -> str:
    """The name of a concept, without what is said about it behind bold type."""
    head = _HEAD.match(item)
    if head:
        return head["head"] if head["rest"] else ""
    return "" if item.rstrip(" *").endswith((":", "：")) else _STARS.sub(r"\2", item)


def _labelled(line: str) -> bool:
    return _LABELLED.fullmatch(_STARS.sub(r"\2", line)) is not None


def _list_behind(line: str) -> list[str]:
    """Two or more phrases behind a label and a colon; empty where there are not."""
    found = _LABELLED.fullmatch(_STARS.sub(r"\2", line))
    for mark in _SEPARATORS if found else ():
        if found and len(phrases := mark.split(found["rest"])) > 1:
            return phrases
    return []


def _joined(prose: Iterable[str]) -> str:
    return " ".join(_HEAD.sub(r"\g<rest>", line).replace("**", "") for line in prose).strip()


def _distinct(phrases: Iterable[str]) -> tuple[str, ...]:
    """Each once, in order, without what is none."""
    plain = (" ".join(phrase.split()).strip(" .;；。।*") for phrase in phrases)
    found = {bare(phrase): phrase for phrase in _short(plain)}
    return tuple(found.values())


def _short(phrases: Iterable[str]) -> Iterator[str]:
    return (phrase for phrase in phrases if bare(phrase) and words(phrase) <= LONGEST)
