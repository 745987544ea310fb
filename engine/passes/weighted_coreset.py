"""Keep the records that are weighty and far from each other, up to a size.

Farthest first, as in ``k_center``, with each distance multiplied by the record's weight, so that
the weighty are approached more closely. The weight is the product of the facts in ``weights``:
how hard a record is and how far it can be relied on. It begins with what earlier rounds kept,
else with the weightiest record (the first by id of equals). A record with weight 0 is kept only
when nothing else is left; one without a number, or with one below 0, is dropped (``no_score``),
and one without a text, too (``no_vector``, see ``embed``). The fact ``selection`` says the rank,
the weights, and ``distance``, the weighted one (0..2 x weight) to the nearest kept.

Cost and memory are those of ``k_center``.

Source: Zhang et al., "D3: Diversity, Difficulty, and Dependability-Aware Data Selection for
Sample-Efficient LLM Instruction Tuning", 2025, arXiv:2503.11441 (weighted coreset).
Differs: the facts are the job's to name, and the rounds are the engine's: no model is tuned in
between to score the rest anew. The distance is Euclidean on vectors of length 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import Needs, gathered
from engine.selection.farthest import farthest_first


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    size: int = Field(ge=1)
    """Records kept in all rounds together."""
    weights: list[str] = Field(min_length=1)
    """Facts with numbers of 0 or more, dots between levels, whose product is a record's weight,
    e.g. ``[scores_ifd.ifd_losses, scores.mean]``."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the weighty and far; see the module."""
    ask = desk.params
    needs = Needs(vectors=True, scores=ask.weights, positive=True)
    with gathered(fresh, kept, desk, needs) as found:
        room, before = found.room(ask.size), len(found.before)
        weight = np.ones(before + len(found.ids))
        for column in found.scores.values():
            weight[before:] *= column
        lone = [] if before or not (room and found.ids) else [int(weight.argmax())]
        picks = farthest_first(found.vectors, [*range(before), *lone], room - len(lone), weight)
        yield from found.outcomes(found.by_picks(picks.behind(lone), "distance"))


PASS = Pass(settle, Params)
