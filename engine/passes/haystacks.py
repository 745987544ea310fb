"""Haystacks: every document is followed by others of its language, until there is enough to read.

A long prompt takes more than one document. Each record goes on with its own text and those that
come after it in its language, round and round, up to so many characters (the fact ``haystack``, a
list of ``id`` and ``text``), so that every haystack begins somewhere else. Documents of different
licences or splits never meet in one.

Texts are held packed while the pass decides; a record carries as much text as its prompt will.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Drop, Json, Outcome, Record
from engine.kit import Desk, Pass
from engine.spool import Spool
from engine.text.packed import Packed


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    characters: int = Field(default=600_000, ge=1)
    """Characters from which on a haystack gets no further document. A token is about four in
    Latin letters and one to two in others: take four times the largest budget."""


class Shelf:
    """The documents that may stand in one haystack, in their order."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.texts = Packed()

    def put(self, record: Record) -> None:
        """One more document."""
        self.ids.append(record.id)
        self.texts.append(str(record.facts["document"]))

    def from_(self, first: int, characters: int) -> list[Json]:
        """Documents from the one with this number on, each once, until there is enough."""
        found: list[Json] = []
        for step in range(len(self.ids)):
            at = (first + step) % len(self.ids)
            found.append({"id": self.ids[at], "text": self.texts[at]})
            characters -= len(self.texts[at])
            if characters <= 0:
                break
        return found


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every record with its haystack; one without a text is dropped."""
    shelves: dict[str, Shelf] = {}
    taken: dict[str, int] = {}
    with Spool[Record]() as waiting:
        for record in fresh:
            waiting.put(record)
            if _text(record):
                shelves.setdefault(_group(record), Shelf()).put(record)
        for record in waiting:
            if not _text(record):
                yield Drop(record, "no_document")
                continue
            group = _group(record)
            number = taken[group] = taken.get(group, -1) + 1
            found = shelves[group].from_(number, desk.params.characters)
            yield record.with_facts(haystack=found)


def _text(record: Record) -> str:
    return str(record.facts.get("document") or "").strip()


def _group(record: Record) -> str:
    names = ("licence", "split")
    return "\x1f".join([record.language, *(str(record.facts.get(name, "")) for name in names)])


PASS = Pass(settle, Params)
