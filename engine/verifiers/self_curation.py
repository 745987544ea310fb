"""Self-curation: is a pair that was put together a good example of an assistant's answer?

The judge awards or refuses five points; their sum, or its mean over ``samples``, is the score
(0..5). ``tiers`` are thresholds under names: a pair is in every tier whose threshold it reaches, so
the sets are nested (A5 within A4). A pair below ``min_score`` drops (``low_score``). Pairs with the
fact ``origin: seed`` were written by people and are not judged.

It is run more than once: with ``min_score: 0`` all pairs go on, the pass ``in_context_examples``
deals the best of them out, and the next ``self_curation`` judges every pair anew by them, or by
the model that was trained on them in the meantime (give its role another model). The fact
``curation`` keeps the last ``score`` and ``tiers`` and the list of all ``scores`` and ``models``;
the ``examples`` are used up.

Source: Li et al., "Self-Alignment with Instruction Backtranslation", 2023, arXiv:2308.06259,
sections 2.3 and 3.1: scores 1 to 5 by the seed model, thresholds 4.5 (A5) and 4 (A4), 2 iterations.
Differs: five verdicts by type, which the engine adds up, where there a number is searched for in
prose; the model of an iteration is made by examples unless the job serves a trained one.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Finding, Json, Outcome, Record
from engine.judging import exchange, fence
from engine.kit import Kit, Verifier
from engine.prompting import Prompt
from engine.scoring import version_of


class Points(BaseModel, extra="forbid"):
    """Five points, each awarded or not, after the reason for it."""

    reason: str = Field(min_length=1)
    relevant: bool
    complete: bool
    self_contained: bool
    assistant_like: bool
    expert: bool

    @property
    def total(self) -> int:
        """How many were awarded."""
        points = (self.relevant, self.complete, self.self_contained, self.assistant_like)
        return sum(points) + self.expert


POINTS = Prompt("self_curation/points", reply=Points)
JUDGE = "judge"


class Params(BaseModel, extra="forbid"):
    """What it takes to be chosen."""

    samples: int = Field(default=1, ge=1, le=16)
    """Judgements of a pair, in one call; the score is their mean."""
    min_score: float = Field(default=4.5, ge=0, le=5)
    """A score below this (0..5) drops the pair."""
    tiers: dict[str, float] = Field(default={"A5": 4.5, "A4": 4.0})
    """Name -> threshold (0..5); a pair is in every tier whose threshold its score reaches."""

    @field_validator("tiers")
    @classmethod
    def _within_reach(cls, tiers: dict[str, float]) -> dict[str, float]:
        if not all(0 <= threshold <= 5 for threshold in tiers.values()):
            raise ValueError("a threshold is between 0 and 5, as scores are")
        return tiers


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Score the pair and note its tiers."""
    if record.facts.get("origin") == "seed":
        return Finding(record, "skipped", "a seed pair: people wrote it")
    if (asked := exchange(record)) is None:
        return Drop(record, "nothing_to_judge", "an instruction and a response are needed")
    given = await kit.ask_many(
        POINTS,
        kit.params.samples,
        instruction=asked.instruction,
        response=asked.response,
        examples=record.facts.get("examples") or [],
        fence=fence(kit),
    )
    score = round(statistics.fmean(points.total for points in given), 4)
    judged = _noted(record, score, kit)
    if score >= kit.params.min_score:
        return judged
    return Drop(judged, "low_score", f"{score} of 5: {given[0].reason}"[:500])


def tiers_of(score: float, tiers: dict[str, float]) -> list[str]:
    """The tiers a score is in, the strictest first."""
    return [name for name in sorted(tiers, key=lambda n: (-tiers[n], n)) if score >= tiers[name]]


def _noted(record: Record, score: float, kit: Kit[Params]) -> Record:
    """The record with this judgement after the earlier ones, without the examples."""
    before = record.facts.get("curation") or {}
    model = next(call.model for call in kit.hop("").calls if call.role == JUDGE)

    def after(name: str, value: Json) -> Sequence[Json]:
        return [*before.get(name, []), value]

    noted: dict[str, Json] = {
        "score": score,
        "tiers": tiers_of(score, kit.params.tiers),
        "scores": after("scores", score),
        "models": after("models", model),
        "prompt": version_of(kit, POINTS),
    }
    facts = {name: fact for name, fact in record.facts.items() if name != "examples"}
    return replace(record, facts={**facts, "curation": noted})


VERIFIER = Verifier(check, Params, prompts=(POINTS,))
