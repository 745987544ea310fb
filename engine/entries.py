"""What the ledger has entries of, and how a record becomes bytes and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from engine.core import Call, Drop, Hop, Message, Outcome, Record


@dataclass(frozen=True, slots=True)
class Unit:
    """One record's way through one stage."""

    round: int
    stage: int
    pos: int
    record: Record
    entry: str = ""
    """The step that it enters; empty for a seed, which enters every step that reads its source."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where one record of a unit ended up."""

    src: str
    """The step or pass that let it go."""
    dst: str | None
    """What it waits for: a step or pass of a later stage, ``""`` the sink, ``None`` dropped."""
    outcome: Outcome


Tally = Mapping[str, Sequence[int]]
"""Step -> (entered, kept, dropped) of one unit."""


def encode(leaf: Leaf) -> tuple[Any, ...]:
    """Columns of a leaf: src, dst, id, language, reason, detail, body."""
    outcome = leaf.outcome
    if isinstance(outcome, Drop):
        record, why, detail = outcome.record, outcome.reason, outcome.detail
    else:
        record, why, detail = outcome, None, None
    return leaf.src, leaf.dst, record.id, record.language, why, detail, orjson.dumps(record)


def decode(body: bytes) -> Record:
    """A record from the JSON that the ledger keeps."""
    raw = orjson.loads(body)
    return Record(
        raw["id"],
        raw["language"],
        tuple(Message(m["role"], m["content"]) for m in raw["messages"]),
        raw["facts"],
        tuple(
            Hop(h["step"], h["parent"], tuple(Call(**c) for c in h["calls"]))
            for h in raw["lineage"]
        ),
    )
