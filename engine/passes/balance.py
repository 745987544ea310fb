"""Keep no more of a group than is wanted: of a language, a topic, or both together.

Five ways: ``cap``, at most so many of each group; ``size``, so many in all, as evenly as the
groups allow; ``counts``, exactly so many of the groups named and none of others; ``tiers``, exactly
so many of each language, by how much text there is in it (``engine languages``); and with none of
these, of every group as many as the smallest has. Nothing is ever repeated: a group that has too
few gives what it has, or ends the run (``short: refuse``). Within a group the best by ``score``
are kept, or those that the job's seed draws, so that a larger quota keeps what a smaller one did.
Counts are those of all rounds together. A record without a value under ``by`` is dropped
(``no_group``), one beyond its group's quota, too (``over_quota``). The fact ``selection`` says
group, rank in the group and how many the group has.

Source: Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
Transformer", 2019, arXiv:1910.10683, section 3.5.2 (caps and equal mixing); Ahuja et al.,
"sPhinX", 2024, arXiv:2407.09879 (100,000 rows of a high, 50,000 of a mid, 25,000 of a low tier).
Differs: records, not probabilities: the counts are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, Field, NonNegativeInt, model_validator

from engine.core import JobError, Outcome, Record
from engine.fields import Tag
from engine.kit import Desk, Pass
from engine.languages.table import Tier, find
from engine.selecting import LANGUAGE, Needs, gathered, seed_of
from engine.selection.quotas import spread, top_up


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    by: list[str] = Field(default=["language"], min_length=1)
    """What makes a group: ``language`` (the record's) or facts, dots between levels; several
    make one group of each combination, named ``de / maths``."""
    cap: int | None = Field(default=None, ge=0)
    """Records of each group, at most."""
    size: int | None = Field(default=None, ge=1)
    """Records in all, evenly over the groups."""
    counts: dict[str, NonNegativeInt] | None = Field(default=None, min_length=1)
    """Group -> records; other groups get none."""
    tiers: dict[Tier, NonNegativeInt] | None = Field(default=None, min_length=1)
    """Tier (high, mid, low) -> records of each language in it; a tier left out gets none."""
    languages: list[Tag] = []
    """With ``tiers``: BCP-47 tags of the languages that are meant, of which a missing one is
    missed and others get none; whatever comes where empty."""
    score: str | None = None
    """The fact with the number by which records of a group are ordered, highest first; drawn at
    random if left out."""
    short: Literal["accept", "refuse"] = "accept"
    """What to do where there are fewer than ``size`` or ``counts`` say: keep them, or end the
    run."""

    @model_validator(mode="after")
    def _one_way(self) -> Params:
        every = ("cap", "size", "counts", "tiers")
        ways = [name for name in every if getattr(self, name) is not None]
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)}: say one of them")
        if self.tiers is not None and self.by != [LANGUAGE]:
            raise ValueError("tiers are of languages: leave `by` out")
        if self.languages and self.tiers is None:
            raise ValueError("languages goes with tiers: say how many of each, or leave it out")
        return self


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep each group's quota; see the module."""
    ask, seed = desk.params, seed_of(desk)
    needs = Needs(scores=(ask.score,) if ask.score else (), groups=ask.by)
    with gathered(fresh, kept, desk, needs) as found:
        orders = found.ordered(ask.score, seed)
        there = {name: len(rows) + found.have[name] for name, rows in orders.items()}
        quotas = _quotas(there, ask)
        takes = top_up({name: min(quotas[name], there[name]) for name in there}, found.have)
        drawn = {} if ask.score else {"seed": seed}
        yield from found.outcomes(found.by_group(orders, takes, quotas, **drawn))


def _quotas(there: Mapping[str, int], ask: Params) -> dict[str, int]:
    """Records of each group in all rounds."""
    if ask.cap is not None:
        return dict.fromkeys(there, ask.cap)
    if ask.size is not None:
        _enough({"all groups": sum(there.values())}, {"all groups": ask.size}, ask)
        return spread(ask.size, dict.fromkeys(there, 1), there)
    counts = ask.counts if ask.tiers is None else _by_tier(there, ask.tiers, ask.languages)
    if counts is not None:
        _enough(there, counts, ask)
        return {**dict.fromkeys(there, 0), **counts}
    return dict.fromkeys(there, min(there.values(), default=0))


def _by_tier(
    there: Iterable[str], tiers: Mapping[Tier, int], languages: Sequence[str]
) -> dict[str, int]:
    """What each language may have."""
    return {tag: tiers.get(find(tag).tier, 0) for tag in languages or there}


def _enough(there: Mapping[str, int], wanted: Mapping[str, int], ask: Params) -> None:
    if ask.short == "refuse":
        few = {name: count for name, count in wanted.items() if there.get(name, 0) < count}
        if few:
            said = ", ".join(f"{name} {there.get(name, 0)} of {few[name]}" for name in few)
            raise JobError(f"too few records, and none is repeated: {said}; or set short: accept")


PASS = Pass(settle, Params)
