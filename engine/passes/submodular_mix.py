"""Mix tasks by what each adds to all: a budget for each task, then the best records of it.

Each task is the mean of its records' vectors. Graph cut chooses tasks one after the other that
are near to all and not near to each other; their gains become shares (second-order Taylor
softmax), the shares whole numbers of records, which sum to ``size`` exactly or to all there are.
No task gives more records than it has. Within a task facility location takes those that
represent it best, or the job's seed draws them. Earlier rounds' records count in the means and
in the budgets. A record without a value under ``task`` is dropped (``no_group``), one of a task
that got less than it has, ``over_quota``. The fact ``selection`` says task (``group``), budget
(``quota``), and the rank within the task.

Cost: that of facility location within each task (see there), or next to nothing; plus tasks
squared.

Source: Renduchintala, Bhatia, Ramakrishnan, "SMART: Submodular Data Mixture Strategy for
Instruction Tuning", 2024, arXiv:2403.08370 (graph cut with 0.4 over tasks, facility location
within them).
Differs: the vectors are the job's (filter ``embed``); no further split by prompt templates; large
tasks are not cut in two but compared by nearest neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import Candidates, Needs, gathered, seed_of
from engine.selection.facilities import facility_location
from engine.selection.graph_cut import Floats, cosines, graph_cut, taylor_softmax
from engine.selection.quotas import smart_split, top_up


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    size: int = Field(ge=1)
    """Records kept in all rounds together."""
    task: str = "task"
    """The fact that names a record's task, dots between levels; ``language`` is the record's."""
    tasks: int | None = Field(default=None, ge=1)
    """Tasks that get a budget; all if left out."""
    trade_off: float = Field(default=0.4, ge=0, le=0.5)
    """How much likeness among the chosen tasks costs (0..0.5)."""
    within: Literal["facility_location", "random"] = "facility_location"
    """How records are chosen within a task."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep each task's budget; see the module."""
    ask, seed = desk.params, seed_of(desk)
    with gathered(fresh, kept, desk, Needs(vectors=True, groups=(ask.task,))) as found:
        rows = _rows(found)
        order, gains = graph_cut(_kernel(found, rows), ask.tasks or len(rows), ask.trade_off)
        names = [list(rows)[at] for at in order]
        shares = dict(zip(names, taylor_softmax(gains), strict=True))
        there = Counter(found.groups) + found.have
        budgets = dict.fromkeys(rows, 0) | smart_split(ask.size, shares, there)
        takes = top_up(budgets, found.have)
        orders = _orders(found, rows, takes, ask, seed)
        drawn = {"seed": seed} if ask.within == "random" else {}
        yield from found.outcomes(found.by_group(orders, takes, budgets, **drawn))


def _rows(found: Candidates) -> dict[str, list[int]]:
    """Rows of the table by task, earlier rounds' first; tasks by name."""
    groups = found.before_groups + found.groups
    rows: dict[str, list[int]] = {name: [] for name in sorted(set(groups))}
    for row, name in enumerate(groups):
        rows[name].append(row)
    return rows


def _kernel(found: Candidates, rows: Mapping[str, Sequence[int]]) -> Floats:
    means = [found.vectors[its].mean(axis=0, dtype=np.float64) for its in rows.values()]
    return cosines(np.stack(means)) if means else np.zeros((0, 0))


def _orders(
    found: Candidates,
    rows: Mapping[str, Sequence[int]],
    takes: Mapping[str, int],
    ask: Params,
    seed: str,
) -> dict[str, list[int]]:
    """Candidates of each task in the order they are taken."""
    if ask.within == "random":
        return found.ordered(None, seed)
    before = len(found.before)
    orders: dict[str, list[int]] = {}
    for name, its in rows.items():
        old = sum(row < before for row in its)
        taken = list(range(old, len(its)))
        if takes[name]:
            picks = facility_location(found.vectors[its], range(old), takes[name])
            taken = picks.taken + picks.rest
        orders[name] = [its[row] - before for row in taken]
    return orders


PASS = Pass(settle, Params)
