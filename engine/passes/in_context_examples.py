"""Deal examples to records: pairs in the record's own language, to be shown to a model.

What cannot be trained within a run is shown instead: seed pairs to the model that labels, and in
the next iteration the best of what the iteration before has chosen, too. An example is a pair of
the source ``seeds``, and where ``score`` is given any pair that has at least ``min_score`` there;
a record is never its own example. Each record that is no seed pair leaves with the fact
``examples``, drawn by the job's seed and its id; where its language has fewer, it gets what there
is, perhaps none. Nothing is dropped.

What earlier rounds kept may be an example in a later one, never the other way round.

Source: Li et al., "Self-Alignment with Instruction Backtranslation", 2023, arXiv:2308.06259,
section 2.3 (the model of iteration k is made from the seeds and what iteration k - 1 chose).
Differs: made by examples in the prompt, not by training.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pydantic import BaseModel, Field

from engine.core import Json, Outcome, Record, stable_id
from engine.kit import Desk, Pass
from engine.selecting import seed_of, value_at
from engine.spool import Spool
from engine.text.lengths import words

FACT = "examples"


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    seeds: str = Field(default="seeds", min_length=1)
    """Name of the source whose pairs are always examples."""
    count: int = Field(default=3, ge=1, le=20)
    """Examples for a record, at most."""
    score: str = ""
    """The fact, dots between levels, with a score that makes other pairs examples; none where
    empty."""
    min_score: float = 4.5
    """What such a pair must have there, at least."""
    max_words: int = Field(default=200, ge=1)
    """Longer pairs are no examples: they leave no room in the prompt."""
    pool_limit: int = Field(default=200, ge=1)
    """Pairs held in memory for each language; drawn where there are more."""


class Drawn(NamedTuple):
    """A pair of the pool; the pool keeps those with the highest lot."""

    lot: str
    id: str
    instruction: str
    response: str


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every record, with its examples; see the module."""
    pools: dict[str, list[Drawn]] = {}
    seed = seed_of(desk)
    for record in kept:
        _join(record, pools, seed, desk.params)
    with Spool[Record]() as waiting:
        for record in fresh:
            _join(record, pools, seed, desk.params)
            waiting.put(record)
        ordered = {language: sorted(pool) for language, pool in pools.items()}
        for record in waiting:
            yield _dealt(record, ordered.get(record.language, []), desk)


def _join(record: Record, pools: dict[str, list[Drawn]], seed: str, ask: Params) -> None:
    instruction, response = record.last("user"), record.last("assistant")
    if not instruction.strip() or not response.strip() or not _good(record, ask):
        return
    if words(instruction) + words(response) > ask.max_words:
        return
    pool = pools.setdefault(record.language, [])
    drawn = Drawn(stable_id(seed, record.id), record.id, instruction, response)
    if len(pool) < ask.pool_limit:
        heapq.heappush(pool, drawn)
    else:
        heapq.heappushpop(pool, drawn)


def _good(record: Record, ask: Params) -> bool:
    if record.facts.get("source") == ask.seeds:
        return True
    score = value_at(record.facts, ask.score) if ask.score else None
    if isinstance(score, bool) or not isinstance(score, int | float):
        return False
    return score >= ask.min_score


def _dealt(record: Record, pool: list[Drawn], desk: Desk[Params]) -> Record:
    if record.facts.get("source") == desk.params.seeds:
        return record
    others = [each for each in pool if each.id != record.id]
    size = min(desk.params.count, len(others))
    chosen = desk.random("deal", record.id).sample(others, size)
    shown: list[Json] = [{"instruction": e.instruction, "response": e.response} for e in chosen]
    return record.with_facts(**{FACT: shown})


PASS = Pass(settle, Params)
