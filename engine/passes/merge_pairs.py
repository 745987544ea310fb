"""Find pairs of records that are alike enough to be merged into one, for ``merge``.

All records are clustered by their vectors (those of the filter ``embed``); a large cluster is
thinned to the ``per_cluster`` that represent it best (``thinned``); and within a cluster, in the
order of ids, each record that is still alone is paired with the most alike that is alone, too, if
their cosine is above ``threshold``. The first of a pair leaves with the other in the fact
``partner``, whole, and the other is dropped (``paired``): ``merge`` makes one of the two, or gives
both back. Who has no partner passes. Pairs speak one language. Every record's fact ``selection``
names its cluster.

Records of earlier rounds are not paired again. Memory: a vector a record and a record a pair.

Source: Cai et al., "MergeIT: From Selection to Merging for Efficient Instruction Tuning", 2025,
arXiv:2503.00034 (k = sqrt(n / 2) clusters, 75 in each, cosine 0.55, groups of two).
Differs: spherical k-means from a start that is drawn once, without PCA; one vector for clusters
and for pairs; the facility location is by cosine; the most alike is taken, not just any.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pydantic import BaseModel, Field

from engine.core import Drop, Json, Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import LANGUAGE, Candidates, Choice, Needs, gathered
from engine.selection.clusters import clusters
from engine.selection.facilities import facility_location
from engine.selection.whole import UNIT, Table
from engine.text.partners import FACT, carried


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    clusters: int | None = Field(default=None, ge=1)
    """Clusters; left out, the square root of half the records."""
    per_cluster: int = Field(default=75, ge=2)
    """Records that stay of a cluster, at most."""
    threshold: float = Field(default=0.55, ge=0, lt=1)
    """Cosine (0..1) above which two can be merged; what is right depends on the embedder."""


class Pair(NamedTuple):
    """Two rows of one cluster, the first with the smaller id."""

    first: int
    second: int
    cosine: float


class Places(NamedTuple):
    """Where the records are in the end."""

    cluster: dict[int, int]
    thinned: set[int]
    pairs: list[Pair]


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Cluster, thin, pair; see the module."""
    with gathered(fresh, (), desk, Needs(vectors=True, groups=(LANGUAGE,))) as found:
        places = _placed(found, desk)
        choose, ids = _chooser(places, found.ids), found.ids
        taken = {ids[pair.second]: ids[pair.first] for pair in places.pairs}
        outcomes = (each for each in found.outcomes(choose) if isinstance(each, Drop))
        records = (drop.record for drop in outcomes if drop.record.id in taken)
        partners = {taken[record.id]: carried(record) for record in records}
        for outcome in found.outcomes(choose):
            if isinstance(outcome, Record) and outcome.id in partners:
                outcome = outcome.with_facts(**{FACT: partners[outcome.id]})
            yield outcome


def _placed(found: Candidates, desk: Desk[Params]) -> Places:
    """Every row's cluster, who is too many there, and the pairs."""
    ask, table = desk.params, found.vectors
    if not len(table):
        return Places({}, set(), [])
    count = ask.clusters or max(1, math.isqrt(len(table) // 2))
    start = desk.random("start").randrange(len(table))
    places = Places({}, set(), [])
    for number, rows in enumerate(clusters(table, count, start)):
        places.cluster.update(dict.fromkeys(rows, number))
        stay = _thinned(table, rows, ask.per_cluster)
        places.thinned.update(set(rows) - set(stay))
        places.pairs.extend(_pairs(table, stay, found.groups, ask.threshold))
    return places


def _thinned(table: Table, rows: list[int], size: int) -> list[int]:
    """The rows that represent the cluster best, in order."""
    if len(rows) <= size:
        return rows
    return sorted(rows[at] for at in facility_location(table[rows], (), size).taken)


def _pairs(
    table: Table, rows: list[int], groups: Sequence[str], threshold: float
) -> Iterator[Pair]:
    """Rows two by two, each in one pair at most; of equals the first."""
    near = table[rows] @ table[rows].T / UNIT
    alone = list(range(len(rows)))
    while alone:
        first = alone.pop(0)
        others = [at for at in alone if groups[rows[at]] == groups[rows[first]]]
        second = max(others, key=lambda at: near[first, at], default=None)
        if second is not None and near[first, second] > threshold:
            alone.remove(second)
            yield Pair(rows[first], rows[second], float(near[first, second]))


def _chooser(places: Places, ids: Sequence[str]) -> Callable[[int], Choice]:
    """What becomes of each row."""
    leads = {pair.first: pair for pair in places.pairs}
    follows = {pair.second: pair for pair in places.pairs}

    def choose(row: int) -> Choice:
        facts: dict[str, Json] = {"cluster": places.cluster[row]}
        if row in places.thinned:
            return Choice(row + 1, "thinned", f"cluster {facts['cluster']} is full", facts)
        pair = leads.get(row) or follows.get(row)
        if pair is None:
            return Choice(row + 1, facts=facts)
        other = ids[pair.second if row == pair.first else pair.first]
        facts |= {"pair": other, "cosine": round(pair.cosine, 6)}
        detail = f"cosine {pair.cosine:.4f} with {other}, which takes it along"
        return Choice(row + 1, "paired" if row in follows else "", detail, facts)

    return choose


PASS = Pass(settle, Params)
