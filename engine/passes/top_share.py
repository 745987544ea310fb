"""Keep the best share of a round by score, and say at which rank each record came.

Within a group (each language by itself, unless the job says otherwise: models score their weaker
languages lower) records are ordered by ``score``, highest first, equals by ``then`` and then by
id. Of n records the first ceil(n * share) are kept, the others drop (``below_rank``). A record
without a number drops (``no_score``). The fact ``selection`` has the ``rank`` ``of`` how many, the
``cut``: the lowest score that was kept, the scores and the settings. Earlier rounds decide nothing.

Source: Wang, Wang, Li, Chang, Zhang, Liu, Zhang, Zhang, "Harnessing the Power of David against
Goliath: Exploring Instruction Data Generation without Using Closed-Source Models", 2023,
arXiv:2308.12711 (what the model scores low is dropped).
Differs: the share that the paper keeps could not be read; it is a setting.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import Candidates, Choice, Needs, gathered


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    score: str = "validity.score"
    """The fact with the number to go by, dots between levels; higher is better."""
    then: str = "validity.sum"
    """The fact with the number that decides between equals."""
    share: float = Field(default=1.0, ge=0, le=1)
    """Share (0..1) of each group's records that is kept, in each round."""
    by: list[str] = Field(default=["language"], min_length=1)
    """What makes a group: ``language`` (the record's) or facts, dots between levels."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the best share of each group; see the module."""
    ask = desk.params
    needs = Needs(scores=(ask.score, ask.then), groups=ask.by)
    with gathered(fresh, (), desk, needs) as found:
        choices: dict[int, Choice] = {}
        for group in sorted(set(found.groups)):
            rows = [row for row, name in enumerate(found.groups) if name == group]
            choices |= _ranked(rows, group, found, ask)
        yield from found.outcomes(choices.__getitem__)


def _ranked(rows: list[int], group: str, found: Candidates, ask: Params) -> dict[int, Choice]:
    score, then = found.scores[ask.score], found.scores[ask.then]
    order = sorted(rows, key=lambda row: (-score[row], -then[row], row))
    size = math.ceil(len(order) * ask.share - 1e-9)
    cut = float(score[order[size - 1]]) if size else None
    noted = {"group": group, "of": len(order), "cut": cut}
    return {
        row: Choice(
            place + 1,
            "" if place < size else "below_rank",
            f"rank {place + 1} of {len(order)} in {group}; {size} are kept",
            noted,
        )
        for place, row in enumerate(order)
    }


PASS = Pass(settle, Params)
