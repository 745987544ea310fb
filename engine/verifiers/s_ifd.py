"""S-IFD: IFD over the tokens that the instruction makes a difference to, and how steady it is.

Every token of the response has a gain: its loss after the instruction less its loss alone. Tokens
that are as likely either way say nothing; ``s_ifd`` is the exponential of the mean gain of the
others, those whose gain is of size ``threshold`` nats or more. To see how far the score hangs on
the wording, the instruction is mistyped ``neighbours`` times (a few characters dropped, doubled or
swapped) and the response scored after each: ``s_ifd_mean`` and ``s_ifd_std`` are over these
neighbours, as ``ifd_mean`` is, the mean of their plain ratios of perplexities.
``facts["scores_s_ifd"]`` has them with the threshold, the model and the template. Nothing is
dropped unless bounds are set; these hold for ``s_ifd_mean``, or ``s_ifd`` without neighbours.

Source: Fu et al., "T-SHIRT: Token-Selective Hierarchical Data Selection for Instruction Tuning",
2025, arXiv:2506.01317.
Differs: this is a served variant and not the published score. There, 30 neighbours are made by
uniform noise on the embeddings of prompt and response, which no server takes; here the noise is in
the characters of the instruction, the response is the same in all neighbours, and the response
alone is scored once. There, the threshold is the (1 - share) quantile over the tokens of all rows
and draws; a record on its own knows only its own tokens, so by default the quantile is theirs.
``threshold`` sets one for all records: take it from a sample by
``engine.measures.losses.threshold``. Selection (largest mean first, then smallest deviation) is a
pass's.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence

from pydantic import Field

from engine.core import Finding, Json, Message, Outcome, Record
from engine.kit import Kit, Verifier
from engine.measures.losses import Undefined, gains, ifd_perplexities, s_ifd, threshold
from engine.measures.noise import mistyped
from engine.scoring import NOT_SCORED, Bounds, Part, before, in_chat, noted, unscorable, unscored


class Params(Bounds):
    """Bounds, the choice of tokens and the neighbours."""

    share: float = Field(default=0.5, gt=0, le=1)
    """Share (0..1) of a response's tokens that count, those with the largest gains."""
    threshold: float | None = Field(default=None, ge=0)
    """Size of the gains that count, in nats; in place of ``share``, one for all records."""
    neighbours: int = Field(default=4, ge=0, le=64)
    """Mistyped instructions, one call each; 0: none."""
    noise: float = Field(default=0.03, gt=0, le=0.5)
    """Share (0..1) of an instruction's characters that are mistyped; one at least."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Score the response alone, after its instruction, and after each neighbour of that."""
    params, said = kit.params, record.last("assistant")
    if why := unscorable(record, params):
        return unscored(record, params, why)
    *ahead, asked = before(record)
    noisy = [
        mistyped(asked.content, params.noise, kit.random("noise", n))
        for n in range(params.neighbours)
    ]
    turns = [[*ahead, Message("user", text)] for text in (asked.content, *noisy)]
    try:
        alone, given, *others = await asyncio.gather(
            in_chat(kit, [Message("user", "")], said),
            *(in_chat(kit, each, said) for each in turns),
        )
        scores = _scores(alone, given, others, params)
    except NOT_SCORED as error:
        return unscored(record, params, "not_scorable", str(error))
    score = scores["s_ifd_mean" if others else "s_ifd"]
    about = {"tokens": len(given.tokens), "model": given.model, "template": "chat"}
    noise = {"neighbours": len(others), "noise": "characters of the instruction"}
    facts: dict[str, Json] = {**scores, **about, **(noise if others else {})}
    return noted(record, params, "s_ifd", score, facts)


def _scores(alone: Part, given: Part, others: Sequence[Part], params: Params) -> dict[str, float]:
    """Clean and noisy scores, and the threshold of the clean one."""
    if any(part.tokens != alone.tokens for part in (given, *others)):
        raise Undefined("the model cuts the response into other tokens after its instruction")
    gained = [gains(part.logprobs, alone.logprobs) for part in (given, *others)]
    fixed = params.threshold
    least = [threshold(each, params.share) if fixed is None else fixed for each in gained]
    clean, *found = map(s_ifd, gained, least)
    scores = {"s_ifd": clean, "threshold": least[0]}
    if others:
        plain = [ifd_perplexities(part.nll, alone.nll) for part in others]
        scores |= {"s_ifd_mean": statistics.fmean(found), "s_ifd_std": statistics.pstdev(found)}
        scores |= {"ifd_mean": statistics.fmean(plain)}
    return {name: round(score, 6) for name, score in scores.items()}


VERIFIER = Verifier(check, Params, roles=("scorer",))
