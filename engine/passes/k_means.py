"""Keep a record for each of as many clusters as are wanted: the one nearest the middle.

The records are clustered by their vectors (those of the filter ``embed``) into as many clusters as
there is room for, and of each the record nearest its centre is kept: what is typical of every part
of the corpus, where ``k_center`` keeps what is at its edges. Where there are fewer clusters than
wanted records, because many are copies, the second nearest follow, then the third. A record
without a text has no vector and is dropped (``no_vector``). The fact ``selection`` says the rank
and, as ``cosine`` (-1..1), how near the record is to its centre.

What earlier rounds kept counts against the size, and does not move a centre.

Cost: at most 25 times records x clusters x numbers in a vector: 1,000 of 100,000 records of 512
numbers are 2.6 times 10**12 products, a minute or two on two cores. Memory 4 kB a record.

Source: Köksal et al., "LongForm: Effective Instruction Tuning with Reverse Instructions", 2023,
arXiv:2304.08460, section 3 (10,000 documents of C4: one for each of 10,000 clusters).
Differs: spherical k-means that begins with records far from each other, so that the clusters are
the same at every start (``engine.selection.clusters``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import Needs, gathered, seed_of
from engine.selection.clusters import clusters
from engine.selection.picks import Picks, none_of
from engine.selection.whole import Table


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    size: int = Field(ge=1)
    """Records kept in all rounds together: so many clusters, where there is room."""
    per_round: int | None = Field(default=None, ge=1)
    """Records kept in one round, at most."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the most typical of each cluster; see the module."""
    ask, seed = desk.params, seed_of(desk)
    with gathered(fresh, kept, desk, Needs(vectors=True)) as found:
        room = min(found.room(ask.size), ask.per_round or ask.size)
        before = len(found.before)
        start = found.drawn(seed)[0] if found.ids else 0
        picks = typical(found.vectors[before:], room, start)
        shifted = picks._replace(
            taken=[before + row for row in picks.taken], rest=[before + row for row in picks.rest]
        )
        yield from found.outcomes(found.by_picks(shifted, "cosine", seed=seed))


def typical(table: Table, count: int, start: int) -> Picks:
    """The rows nearest the centres of ``count`` clusters, then the next nearest of each.

    Equals stand in the order of the table; larger clusters come first.
    """
    if not count or not len(table):
        return none_of(len(table))
    found = sorted(clusters(table, count, start), key=lambda rows: (-len(rows), rows[0]))
    placed = [each for at, rows in enumerate(found) for each in _placed(table, rows, at)]
    order = [(row, cosine) for _, _, row, cosine in sorted(placed)]
    taken, rest = order[:count], order[count:]
    return Picks(
        [row for row, _ in taken], [c for _, c in taken], [row for row, _ in rest],
        [c for _, c in rest],
    )  # fmt: skip


def _placed(table: Table, rows: list[int], cluster: int) -> Iterator[tuple[int, int, int, float]]:
    """Place within the cluster, its number, row and cosine, from the nearest to the centre on."""
    inside = table[rows].astype(np.float64)
    middle = inside.sum(axis=0)  # of whole numbers: exact in any order
    products = inside @ middle
    lengths = np.linalg.norm(inside, axis=1) * (np.linalg.norm(middle) or 1.0)
    order = np.argsort(-products, kind="stable").tolist()
    for place, at in enumerate(order):
        yield place, cluster, rows[at], round(float(products[at] / lengths[at]), 6)


PASS = Pass(settle, Params)
