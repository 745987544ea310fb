"""Mix groups, such as languages, by their size, evened out by a temperature or by UniMax.

``temperature``: a group of n records gets a share in proportion to n ** (1 / temperature): 1 is
by size, 3 helps the small, many hundreds treats all alike; ``cap`` counts no group as larger
than that. ``unimax``: every group gets the same, the smallest first, but none more than it has.
Shares become whole numbers of records by largest remainders (equals by name) and sum to ``size``
exactly, or to all there are.

Nothing is repeated unasked. A group whose quota is more than it has gives what it has, and the
others get the rest by their weights; ``short: refuse`` ends the run instead. With ``max_epochs``
above 1 quotas count copies, and the fact ``selection`` says how many ``copies`` of a record are
meant; to write it so often is left to training. Within a group the best by ``score`` come first,
or those the job's seed draws. Quotas are of all rounds together. Records are dropped as
``no_group`` and ``over_quota``, as in ``balance``.

Source: Conneau et al., "Unsupervised Cross-lingual Representation Learning at Scale", 2019,
arXiv:1911.02116 (exponent 0.3); Raffel et al., 2019, arXiv:1910.10683 (examples-proportional
mixing with a cap); Chung et al., "UniMax: Fairer and more Effective Language Sampling for
Large-Scale Multilingual Pretraining", 2023, arXiv:2304.09151.
Differs: whole numbers, not probabilities; records, not characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, Field

from engine.core import JobError, Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import Needs, gathered, seed_of
from engine.selection.quotas import apportion, spread, tempered, top_up, unimax


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    size: int = Field(ge=1)
    """Records (with ``max_epochs``, copies of records) in all rounds together."""
    by: list[str] = Field(default=["language"], min_length=1)
    """What makes a group: ``language`` (the record's) or facts, dots between levels."""
    method: Literal["temperature", "unimax"] = "temperature"
    """How quotas are made; see above."""
    temperature: float = Field(default=1.0, ge=1, le=1e6)
    """1 (by size) or more (evener); the exponent of other descriptions is 1 / temperature."""
    cap: int | None = Field(default=None, ge=1)
    """Records that a group counts for, at most, in ``temperature``."""
    max_epochs: int = Field(default=1, ge=1)
    """How often a record may be meant; more than 1 allows copies."""
    score: str | None = None
    """The fact with the number by which records of a group are ordered, highest first; drawn at
    random if left out."""
    short: Literal["accept", "refuse"] = "accept"
    """What to do where a group has less than its share: give the rest to others, or end the run."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep each group's quota; see the module."""
    ask, seed = desk.params, seed_of(desk)
    needs = Needs(scores=(ask.score,) if ask.score else (), groups=ask.by)
    with gathered(fresh, kept, desk, needs) as found:
        orders = found.ordered(ask.score, seed)
        known = Counter(found.before_groups)
        there = {name: len(rows) + known[name] for name, rows in orders.items()}
        rooms = {n: found.have[n] + ask.max_epochs * len(rows) for n, rows in orders.items()}
        quotas = _quotas(there, rooms, ask)
        takes = top_up(quotas, found.have)
        drawn = {} if ask.score else {"seed": seed}
        yield from found.outcomes(found.by_group(orders, takes, quotas, **drawn))


def _quotas(there: Mapping[str, int], rooms: Mapping[str, int], ask: Params) -> dict[str, int]:
    """Records, or copies of records, of each group in all rounds."""
    weights = tempered(there, ask.temperature, ask.cap)
    if ask.short == "refuse":
        even = ask.method == "unimax"
        wanted = {"all groups": ask.size} if even else apportion(ask.size, weights)
        had = {"all groups": sum(rooms.values())} if even else rooms
        few = [f"{name} {had[name]} of {n}" for name, n in wanted.items() if n > had[name]]
        if few:
            raise JobError(f"too few records, and none is repeated unasked: {', '.join(few)}")
    return unimax(ask.size, rooms) if ask.method == "unimax" else spread(ask.size, weights, rooms)


PASS = Pass(settle, Params)
