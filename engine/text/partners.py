"""A second record within a first, so that one step can make something of both.

Steps see one record. Where a method joins two, a pass puts the one into a fact of the other, whole,
and drops it; the step that joins them gives it back where nothing comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.core import JobError, Json, Message, Record

FACT = "partner"
"""The fact with the other record: ``id``, ``language``, ``messages`` and ``facts``."""


def carried(record: Record) -> Json:
    """A record as the fact of another."""
    turns = [{"role": m.role, "content": m.content} for m in record.messages]
    facts = dict(record.facts)
    return {"id": record.id, "language": record.language, "messages": turns, "facts": facts}


def partner(record: Record) -> Record | None:
    """The record that this one carries, under its own id and without a lineage; None without one.

    Raises:
        JobError: the fact is there and holds no record.
    """
    fact = record.facts.get(FACT)
    if fact is None:
        return None
    try:
        turns = tuple(Message(turn["role"], turn["content"]) for turn in fact["messages"])
        return Record(fact["id"], fact["language"], turns, dict(fact["facts"]))
    except (TypeError, KeyError, ValueError) as error:
        shown = sorted(fact) if isinstance(fact, Mapping) else type(fact).__name__
        raise JobError(f"record {record.id}: the fact {FACT!r} holds no record: {shown}") from error


def alone(record: Record) -> Record:
    """The record without its partner."""
    facts = {name: fact for name, fact in record.facts.items() if name != FACT}
    return replace(record, facts=facts)


def task(record: Record) -> dict[str, str]:
    """Instruction, input and output of a record that has the first two as facts."""
    given = {name: str(record.facts[name]) for name in ("instruction", "input")}
    return {**given, "output": record.last("assistant")}


def origin(records: Sequence[Record]) -> dict[str, Json]:
    """The facts ``source`` and ``licence`` of what is made from all of these."""
    named = {
        name: dict.fromkeys(str(e.facts[name]) for e in records if e.facts.get(name))
        for name in ("source", "licence")
    }
    return {name: " AND ".join(sorted(values)) for name, values in named.items() if values}
