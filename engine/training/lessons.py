"""Kept pairs as what a role learns from: its own prompt, and the target as the reply."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import orjson

from engine.core import Json, Record, stable_id
from engine.languages.names import english_name
from engine.prompting import Library
from engine.training.settings import RolePart, learnt

Lesson = dict[str, Json]
"""``prompt`` and ``completion``, each a list of turns, as trl reads them."""


def lessons(records: Iterable[Record], part: RolePart, library: Library) -> list[Lesson]:
    """One for each pair that the role learns from, in the order of the records."""
    found = []
    for record in records:
        sides = {"instruction": record.last("user"), "response": record.last("assistant")}
        if learnt(record.facts, part.where) and all(map(str.strip, sides.values())):
            found.append(_lesson(record, sides, part, library))
    return found


def _lesson(record: Record, sides: dict[str, str], part: RolePart, library: Library) -> Lesson:
    template = library.load(part.prompt, record.language)
    given = {
        **sides,
        "examples": [],
        "fence": stable_id("fence", record.id)[:12],
        "language": english_name(record.language),
    }
    turns = template.render({name: given[name] for name in template.header.inputs})
    asked = [{"role": turn.role, "content": turn.content} for turn in turns]
    said = [{"role": "assistant", "content": sides[part.target]}]
    return {"prompt": asked, "completion": said}


def written(found: Iterable[Lesson]) -> bytes:
    """As JSON Lines."""
    return b"".join(orjson.dumps(lesson) + b"\n" for lesson in found)


def digest(*parts: bytes) -> str:
    """8 hex digits that depend on these parts only."""
    mark = hashlib.blake2b(digest_size=4)
    for part in parts:
        mark.update(len(part).to_bytes(8, "little") + part)
    return mark.hexdigest()
