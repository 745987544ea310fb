"""Keep the best share of each round by a score, or by several together.

Records are ranked within their group (by language and by fact), since scores of two languages or
of two directions say nothing of each other; the share is that of each group, of this round alone:
what earlier rounds kept neither counts nor is looked at. With several scores a record goes by the
mean of its ranks, so that a cosine and a log-likelihood need no common scale. Of n records
``ceil(share * n)`` are kept, so a group never vanishes; equals go by id. The fact ``selection``
says rank and group.

Source: Shen et al., "Cycle-Instruct: Fully Seed-Free Instruction Tuning via Dual Self-Training and
Cycle Consistency", 2025, arXiv:2508.16100 (a round keeps the pairs that are reconstructed best).
Differs: the share is a setting, as none is published; groups; ranks of several scores.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import Candidates, Choice, Needs, gathered

SLACK = 1e-9
"""0.7 of 10 is 7 and not 8, whatever floats say."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    scores: list[str] = Field(default=["cycle.similarity"], min_length=1)
    """Facts with numbers to go by, dots between levels; higher is better."""
    share: float = Field(default=0.5, gt=0, le=1)
    """Share (0..1) of each group that is kept."""
    by: list[str] = Field(default=["language"])
    """Facts whose values make a group, ``language`` being the record's own."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the best of each group; see the module."""
    ask = desk.params
    with gathered(fresh, (), desk, Needs(scores=ask.scores, groups=ask.by)) as found:
        choices: dict[int, Choice] = {}
        for name, rows in _ranked(found, ask.scores).items():
            keep = math.ceil(ask.share * len(rows) - SLACK)
            noted = {"group": name, "of": len(rows)}
            for place, row in enumerate(rows):
                reason = "" if place < keep else "below_best"
                detail = f"rank {place + 1} of {len(rows)} in {name}; {keep} are kept"
                choices[row] = Choice(place + 1, reason, detail, noted)
        yield from found.outcomes(choices.__getitem__)


def _ranked(found: Candidates, scores: Iterable[str]) -> dict[str, list[int]]:
    """Rows of each group, best first: by the sum of their ranks, equal scores sharing a rank."""
    sums: defaultdict[int, float] = defaultdict(float)
    groups: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(found.groups):
        groups[name].append(row)
    for path in scores:
        column = found.scores[path]
        for rows in groups.values():
            better = {v: at for at, v in enumerate(sorted(float(column[r]) for r in rows))}
            for row in rows:
                sums[row] -= better[float(column[row])]
    return {name: sorted(rows, key=lambda row: (sums[row], row)) for name, rows in groups.items()}


PASS = Pass(settle, Params)
