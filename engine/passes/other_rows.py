"""Other rows: each record gets a few rows of its own language that are not itself.

For forms that show solved examples before they ask (``cross_lingual_forms``): a record's example
has to be another row, of another word or article. The fact ``others`` holds the facts asked for and
the id of each, drawn by the job's seed and the record's id; a language with fewer rows gives what
it has, perhaps none. Nothing is dropped. What earlier rounds kept may be dealt in a later one.

Rows of different licences or splits never meet: put ``split`` before this pass, or what is held out
is shown, with its answer, to what is trained on.

Source: Philippy et al., "LuxInstruct: A Cross-Lingual Instruction Tuning Dataset For
Luxembourgish", 2025, arXiv:2510.07074 (few-shot forms made from a dictionary).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Json, Outcome, Record, stable_id
from engine.kit import Desk, Pass
from engine.selecting import seed_of
from engine.spool import Spool

FACT = "others"
APART = ("licence", "split")
"""Facts by which rows are kept apart, besides their language."""
Pool = list[tuple[str, str, int, dict[str, Json]]]
"""Lot, id, number and facts of the rows that may be dealt; those with the highest lots."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    facts: list[str] = Field(min_length=1)
    """The facts of a row that go along."""
    key: str = Field(default="", max_length=100)
    """The fact in which two rows are one for this purpose, such as ``headword``; none where
    empty."""
    count: int = Field(default=6, ge=1, le=50)
    """Rows for a record, at most."""
    pool_limit: int = Field(default=500, ge=1)
    """Rows held in memory for each language (licence, split); drawn where there are more."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every record, with its others; see the module."""
    pools: dict[str, Pool] = {}
    seed = seed_of(desk)
    with Spool[Record]() as waiting:
        for record in kept:
            _join(record, pools, seed, desk.params)
        for record in fresh:
            _join(record, pools, seed, desk.params)
            waiting.put(record)
        ordered = {group: sorted(pool) for group, pool in pools.items()}
        for record in waiting:
            yield _dealt(record, ordered.get(_group(record), []), desk)


def _join(record: Record, pools: dict[str, Pool], seed: str, ask: Params) -> None:
    facts = {name: record.facts[name] for name in (*ask.facts, ask.key) if name in record.facts}
    if not facts.keys() & {*ask.facts}:
        return  # nothing of it could be shown
    pool = pools.setdefault(_group(record), [])
    drawn = (stable_id(seed, record.id), record.id, len(pool), facts)
    if len(pool) < ask.pool_limit:
        heapq.heappush(pool, drawn)
    else:
        heapq.heappushpop(pool, drawn)


def _group(record: Record) -> str:
    return "\x1f".join([record.language, *(str(record.facts.get(name, "")) for name in APART)])


def _dealt(record: Record, pool: Pool, desk: Desk[Params]) -> Record:
    ask = desk.params
    own = record.facts.get(ask.key) if ask.key else None
    others = [
        {**facts, "id": id}
        for _, id, _, facts in pool
        if id != record.id and (own is None or facts.get(ask.key) != own)
    ]
    size = min(ask.count, len(others))
    dealt: list[Json] = desk.random("others", record.id).sample(others, size)
    return record.with_facts(**{FACT: dealt})


PASS = Pass(settle, Params)
