"""Keep the records that are farthest from each other, up to a size.

Farthest first: of all records the one that is farthest from the nearest kept one, again and
again, so that nothing that was there is far from what is kept. It begins with what earlier rounds
kept, else with ``start`` records drawn by the job's seed. Copies of kept records come last, and
are kept only if nothing else is left. A record without a text has no vector (that of the filter
``embed``) and is dropped (``no_vector``). The fact ``selection`` says the rank and, as
``distance`` (0..2), how far the record was from the nearest kept one.

Cost: records x kept x numbers in a vector: 1,000 of 100,000 records of 512 numbers take some 10 s
on two cores. Memory 4 kB a record.

Source: Wu et al., "Self-Evolved Diverse Data Sampling for Efficient Instruction Tuning", 2023,
arXiv:2311.08182 (DiverseEvol: 100 at random, then 100 a round by k-center).
Differs: there the model is tuned between rounds and embeds anew; here the vectors are the job's,
and tuning is not the engine's. Set ``per_round`` to have 100 in each round of the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import Needs, gathered, seed_of
from engine.selection.farthest import farthest_first


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    size: int = Field(ge=1)
    """Records kept in all rounds together."""
    per_round: int | None = Field(default=None, ge=1)
    """Records kept in one round, at most."""
    start: int = Field(default=1, ge=1)
    """Records drawn at random where earlier rounds kept none; 100 in the paper."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the farthest of each other; see the module."""
    ask, seed = desk.params, seed_of(desk)
    with gathered(fresh, kept, desk, Needs(vectors=True)) as found:
        room = min(found.room(ask.size), ask.per_round or ask.size)
        before = len(found.before)
        drawn = [] if before else found.drawn(seed)[: min(ask.start, room)]
        start = [before + row for row in drawn]
        picks = farthest_first(found.vectors, [*range(before), *start], room - len(drawn))
        yield from found.outcomes(found.by_picks(picks.behind(start), "distance", seed=seed))


PASS = Pass(settle, Params)
