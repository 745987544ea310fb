"""Give each task the constraints of tasks that are like it, to try them on.

Tasks are compared by their vectors (those of the filter ``embed``), within a language. Of the
``neighbours`` nearest with a cosine of ``min_cosine`` or more, or with the same task type, the
constraints are gathered into the fact ``pool``, those of the nearest first, each once and none that
the task has itself. What material a task works on (the kind ``input``) is never taken over. A task
that is like no other has an empty pool. Tasks of earlier rounds give, too.

Cost: records squared x numbers in a vector: 20,000 records of 512 numbers take some 15 seconds
on two cores. Memory: a vector a record, and the constraints of all.

Source: Ma et al., "TCIA: A Task-Centric Instruction Augmentation Method for Instruction
Finetuning", 2025, arXiv:2508.20374 (constraints retrieved for the same or similar tasks).
Differs: the tasks are the job's own, where the paper takes another dataset apart; the vectors are
those of any embedder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selection.whole import UNIT, whole
from engine.spool import Spool
from engine.symbolic.states import FIXED, Constraint, constraints_in
from engine.text.embedding import embedded
from engine.text.growing import Growing
from engine.text.sameness import bare

ROWS = 1024
"""Rows in one product of matrices; it decides memory, never the result."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    neighbours: int = Field(default=10, ge=1)
    """Tasks that constraints are taken from, at most."""
    min_cosine: float = Field(default=0.5, ge=0, le=1)
    """Cosine (0..1) from which tasks are alike; what is right depends on the embedder."""
    size: int = Field(default=40, ge=1)
    """Constraints of a pool, at most."""


@dataclass(slots=True)
class Stock:
    """What is known of every task, fresh or kept, as columns."""

    ids: list[str] = field(default_factory=list)
    kinds: list[tuple[str, str]] = field(default_factory=list)
    """Language and task type."""
    constraints: list[list[Constraint]] = field(default_factory=list)
    vectors: Growing[np.float32] | None = None

    def add(self, record: Record, vector: NDArray[np.float32]) -> None:
        """One more task."""
        self.vectors = self.vectors or Growing(len(vector), np.float32)
        self.vectors.extend(whole(vector)[None])
        self.ids.append(record.id)
        self.kinds.append((record.language, bare(str(record.facts.get("task") or ""))))
        self.constraints.append(constraints_in(record.facts.get("constraints")))


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Gather the constraints of tasks that are alike; see the module."""
    with Spool[Record]() as spool:
        stock, rows = Stock(), list[int | None]()
        for blocks, is_fresh in zip(embedded(kept, fresh), (False, True), strict=True):
            for record, vector in (each for block in blocks for each in block):
                if is_fresh:
                    spool.put(record)
                    rows.append(None if vector is None else len(stock.ids))
                if vector is not None:
                    stock.add(record, vector)
        pools = _pools(stock, [row for row in rows if row is not None], desk.params)
        for row, record in zip(rows, spool, strict=True):
            pool = [] if row is None else next(pools)
            yield record.with_facts(pool=[each._asdict() for each in pool])


def _pools(stock: Stock, rows: list[int], ask: Params) -> Iterator[list[Constraint]]:
    """The pool of each of these rows, in order."""
    if stock.vectors is None:
        return
    table, places = stock.vectors.rows, np.argsort(np.argsort(stock.ids))
    tags, tasks = (_coded(names) for names in zip(*stock.kinds, strict=True))
    for begin in range(0, len(rows), ROWS):
        some = rows[begin : begin + ROWS]
        for row, near in zip(some, table[some] @ table.T / UNIT, strict=True):
            like = (near >= ask.min_cosine) | ((tasks == tasks[row]) & (stock.kinds[row][1] != ""))
            like &= tags == tags[row]
            like[row] = False
            found = np.flatnonzero(like)
            nearest = found[np.lexsort((places[found], -near[found]))][: ask.neighbours]
            yield _pool(stock, row, nearest.tolist(), ask.size)


def _coded(names: Sequence[str]) -> NDArray[np.int64]:
    """The same number for the same name."""
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(name, len(codes)) for name in names], np.int64)


def _pool(stock: Stock, row: int, alike: list[int], size: int) -> list[Constraint]:
    own = {each.key for each in stock.constraints[row]}
    found: dict[str, Constraint] = {}
    for each in (each for at in alike for each in stock.constraints[at]):
        if each.kind != FIXED and each.key not in own:
            found.setdefault(each.key, each)
    return list(found.values())[:size]


PASS = Pass(settle, Params)
