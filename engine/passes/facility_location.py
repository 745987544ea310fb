"""Keep the records that together represent all of them best, up to a size.

Every record, kept or not, is to have a kept one near to it: the sum over all records of the
cosine with the nearest kept one is made as large as greedy choice can make it, at least 1 - 1/e
of what is possible. Dense regions are represented first, outliers last; ``k_center`` does the
opposite. What earlier rounds kept represents already, and is to be represented. Equals go by id;
nothing is drawn. A record without a text has no vector (that of the filter ``embed``) and is
dropped (``no_vector``). The fact ``selection`` says the rank and the ``gain``: 1 is one record
represented by itself.

Cost: records squared x numbers in a vector, since the nearest of each are looked up: 100,000
records of 512 numbers take four minutes on two cores, 20,000 some 15 seconds. Memory 4 kB a
record and half a gigabyte.

Source: Nemhauser, Wolsey, Fisher, "An analysis of approximations for maximizing submodular set
functions", 1978, doi:10.1007/BF01588971; as a choice of instructions: Renduchintala, Bhatia,
Ramakrishnan, "SMART: Submodular Data Mixture Strategy for Instruction Tuning", 2024,
arXiv:2403.08370 (stage 2).
Differs: a record is represented only by its nearest where there are more than 4,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import Needs, gathered
from engine.selection.facilities import facility_location


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    size: int = Field(ge=1)
    """Records kept in all rounds together."""
    neighbours: int | None = Field(default=None, ge=1)
    """By how many of its nearest, itself among them, a record can be represented. Left out, all
    up to 4,000 records, and fewer for more: 160 of 100,000."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep what represents all; see the module."""
    ask = desk.params
    with gathered(fresh, kept, desk, Needs(vectors=True)) as found:
        before = range(len(found.before))
        room = found.room(ask.size)
        picks = facility_location(found.vectors, before, room, ask.neighbours)
        yield from found.outcomes(found.by_picks(picks, "gain"))


PASS = Pass(settle, Params)
