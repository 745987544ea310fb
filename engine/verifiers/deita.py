"""Deita's complexity and quality: two scores from 1 to 6, each the expectation over the digits.

A model is asked how complex an instruction is, and how good its response, to be answered with one
digit; nothing is written, the log-probabilities of the six digits are. Every turn is scored; its
value is complexity times quality, and a conversation's is the sum over its turns, as published (so
long conversations win). ``facts["scores_deita"]`` holds ``complexity`` and ``quality``, means over
the turns, ``deita``, the sum, the lists by turn, ``mass`` (the least probability that the model
gave to the digits altogether, 0..1), the model and the prompts' versions. Bounds hold for
``deita``; nothing is dropped unless they are set.

Source: Liu et al., "What Makes Good Data for Alignment? A Comprehensive Study of Automatic Data
Selection in Instruction Tuning", 2023, arXiv:2312.15685.
Differs: the published scorers are models tuned for the purpose, with fixed English prompts; here
any model that gives log-probabilities scores, by prompts of ours in the record's language. To use
the published ones, serve them with a chat template that adds nothing and put their prompts beside
the job. A digit that the server does not report is never replaced by a middling score, and a model
that gives the digits less than ``min_mass`` has not scored.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import statistics
from collections.abc import Iterator

from pydantic import Field

from engine.core import Finding, Outcome, Record
from engine.judging import fence
from engine.kit import Kit, Verifier
from engine.measures.digits import Expected
from engine.measures.losses import Undefined
from engine.prompting import Prompt
from engine.scoring import NOT_SCORED, Bounds, by_digits, noted, unscorable, unscored, version_of

COMPLEXITY = Prompt("deita/complexity", reply=str)
QUALITY = Prompt("deita/quality", reply=str)
DIGITS = (1, 2, 3, 4, 5, 6)


class Params(Bounds):
    """Bounds, and what counts as a score."""

    min_mass: float = Field(default=0.01, ge=0, le=1)
    """Least probability (0..1) that all digits must have together."""
    max_turns: int = Field(default=8, ge=1)
    """Turns that are scored, from the first; each takes 12 calls of one token."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Score every turn and add them up."""
    params = kit.params
    if why := unscorable(record, params):
        return unscored(record, params, why)
    turns = list(_turns(record))[: params.max_turns]
    try:
        found = await asyncio.gather(*(_scored(kit, *turn) for turn in turns))
        if (mass := min(each.mass for pair in found for each in pair[:2])) < params.min_mass:
            raise Undefined(f"the digits have a probability of {mass:.2g} altogether")
    except NOT_SCORED as error:
        return unscored(record, params, "not_scorable", str(error))
    complexity = [round(each.score, 6) for each, _, _ in found]
    quality = [round(each.score, 6) for _, each, _ in found]
    score = math.fsum(c * q for c, q in zip(complexity, quality, strict=True))
    facts = {
        "deita": round(score, 6),
        "complexity": round(statistics.fmean(complexity), 6),
        "quality": round(statistics.fmean(quality), 6),
        "turns": {"complexity": complexity, "quality": quality},
        "mass": round(mass, 6),
        "model": found[0][2],
        "template": "chat",
        "prompts": [version_of(kit, COMPLEXITY), version_of(kit, QUALITY)],
    }
    return noted(record, params, "deita", score, facts)


def _turns(record: Record) -> Iterator[tuple[str, str]]:
    """Instruction and response of every exchange that has both."""
    pairs = itertools.pairwise(record.messages)
    both = (
        (asked.content, said.content)
        for asked, said in pairs
        if (asked.role, said.role) == ("user", "assistant") and asked.content.strip()
    )
    return (each for each in both if each[1].strip())


async def _scored(kit: Kit[Params], asked: str, said: str) -> tuple[Expected, Expected, str]:
    """Complexity and quality of one exchange, and the model."""
    mark = fence(kit)
    (complexity, model), (quality, _) = await asyncio.gather(
        by_digits(kit, COMPLEXITY, DIGITS, instruction=asked, fence=mark),
        by_digits(kit, QUALITY, DIGITS, instruction=asked, response=said, fence=mark),
    )
    return complexity, quality, model


VERIFIER = Verifier(check, Params, prompts=(COMPLEXITY, QUALITY))
