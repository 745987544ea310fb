"""Changing every text of a record alike: its turns, and the texts among its facts.

A sink writes the facts beside the conversation, so what must not be in the one must not be in
the other: the document a task was made from, the input kept apart, the losing response.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from engine.core import Json, Record

ORIGIN = ("source", "licence", "split")
"""Facts that say where a record is from and goes to; never a text of it."""


def rewritten(
    record: Record, change: Callable[[str], str], spared: Collection[str] = ORIGIN
) -> Record:
    """The record with ``change`` made to its turns and facts; itself where nothing changed."""
    turns = tuple(_turned(message.content, change) for message in record.messages)
    facts = {
        name: value if name in spared else _changed(value, change)
        for name, value in record.facts.items()
    }
    same = all(new is m.content for new, m in zip(turns, record.messages, strict=True))
    if same and all(facts[name] is record.facts[name] for name in facts):
        return record
    pairs = zip(record.messages, turns, strict=True)
    return replace(record, messages=tuple(replace(m, content=t) for m, t in pairs), facts=facts)


def _turned(text: str, change: Callable[[str], str]) -> str:
    new = change(text)
    return text if new == text else new


def _changed(value: Json, change: Callable[[str], str]) -> Json:
    """A JSON value with its texts changed; the same one where none was."""
    if isinstance(value, str):
        return _turned(value, change)
    if isinstance(value, dict):
        new = {key: _changed(each, change) for key, each in value.items()}
        return value if all(new[key] is value[key] for key in new) else new
    if isinstance(value, list | tuple):
        several = [_changed(each, change) for each in value]
        same = all(a is b for a, b in zip(several, value, strict=True))
        return value if same else type(value)(several)
    return value
