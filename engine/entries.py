"""What the ledger has entries of, how a record becomes bytes and back, and what writes them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from engine.core import Call, Drop, Hop, Message, Outcome, Record, Verdict
from engine.storage import Op

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls(
    at INTEGER PRIMARY KEY, key TEXT UNIQUE, prompt TEXT, role TEXT, model TEXT, tokens_in INTEGER,
    tokens_out INTEGER, truncated INTEGER, max_tokens INTEGER, seconds REAL, asked BLOB, text TEXT);
CREATE TABLE IF NOT EXISTS rounds(
    round INTEGER PRIMARY KEY, feeds TEXT, done INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS units(
    round INTEGER, stage INTEGER, pos INTEGER, id TEXT, status TEXT, attempts INTEGER, error TEXT,
    PRIMARY KEY(round, stage, pos)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS failed ON units(status) WHERE status = 'failed';
CREATE TABLE IF NOT EXISTS outcomes(
    round INTEGER, stage INTEGER, pos INTEGER, ord INTEGER, src TEXT, dst TEXT, id TEXT,
    language TEXT, reason TEXT, detail TEXT, body BLOB);
CREATE INDEX IF NOT EXISTS arrived ON outcomes(dst, round, stage, pos, ord);
CREATE INDEX IF NOT EXISTS dropped ON outcomes(round, stage, pos, ord) WHERE reason IS NOT NULL;
CREATE TABLE IF NOT EXISTS passes(
    round INTEGER, stage INTEGER, PRIMARY KEY(round, stage)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tallies(
    round INTEGER, stage INTEGER, step TEXT, entered INTEGER, kept INTEGER, dropped INTEGER,
    PRIMARY KEY(round, stage, step)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ways(
    before TEXT, after TEXT, PRIMARY KEY(before, after)) WITHOUT ROWID;
"""
"""The tables, as SQLite reads them."""


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


@dataclass(frozen=True, slots=True)
class Encoded:
    """A leaf that has become columns already, in the process that grew it."""

    columns: tuple[Any, ...]

    @property
    def dst(self) -> str | None:
        """What it waits for."""
        return None if self.columns[1] is None else str(self.columns[1])


Tally = Mapping[str, Sequence[int]]
"""Step -> (entered, kept, dropped) of one unit."""


def encode(leaf: Leaf | Encoded) -> tuple[Any, ...]:
    """Columns of a leaf: src, dst, id, language, reason, detail, body."""
    if isinstance(leaf, Encoded):
        return leaf.columns
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
            Hop(h["step"], h["parent"], tuple(Call(**c) for c in h["calls"]), _verdict(h))
            for h in raw["lineage"]
        ),
    )


def _verdict(hop: Mapping[str, Any]) -> Verdict | None:
    said = hop.get("verdict")
    return Verdict(**said) if said else None


def insert(rows: list[tuple[Any, ...]]) -> Op:
    """Write outcomes."""
    return lambda c: c.executemany("INSERT INTO outcomes VALUES(?,?,?,?,?,?,?,?,?,?,?)", rows)


def forget(c: sqlite3.Cursor, table: str, round: int, stage: int) -> None:
    """Delete what a table has of a stage of a round."""
    c.execute(f"DELETE FROM {table} WHERE round = ? AND stage = ?", (round, stage))


def put_meta(c: sqlite3.Cursor, key: str, value: str) -> None:
    """Write down a fact about the run as a whole."""
    c.execute("INSERT OR REPLACE INTO meta VALUES(?,?)", (key, value))


def count(c: sqlite3.Cursor, round: int, stage: int, tally: Tally) -> None:
    """Add what a unit or a pass did to the counts of its steps."""
    c.executemany(
        "INSERT INTO tallies VALUES(?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
        " entered = entered + excluded.entered, kept = kept + excluded.kept,"
        " dropped = dropped + excluded.dropped",
        [(round, stage, step, *counts) for step, counts in tally.items()],
    )
