"""r-IFD: how much the response helps to find the instruction it answers.

``facts["scores_r_ifd"]`` holds ``r_ifd`` = ppl(Q|A) / ppl(Q): the perplexity of the instruction
when a prompt shows the response and asks for it, over its perplexity as a reply to nothing (an
empty user turn of the same chat template). Well below 1, the response gives its instruction away;
near 1 and above, the two have little to do with each other. With the two losses in nats per token,
the model and the prompt's version. Nothing is dropped unless bounds are set.

Source: Li et al., "Selective Reflection-Tuning: Student-Selected Data Recycling for LLM
Instruction-Tuning", 2024, arXiv:2402.10110.
Differs: the reverse prompt is ours and goes through the served model's chat template, and so does
the instruction alone; the published code puts plain text before a small model.
"""

from __future__ import annotations

import asyncio

from engine.core import Finding, Message, Outcome, Record
from engine.judging import JUDGE, fence
from engine.kit import Kit, Verifier
from engine.measures.losses import loss, r_ifd
from engine.prompting import Prompt
from engine.scoring import (
    NOT_SCORED,
    Bounds,
    before,
    in_chat,
    noted,
    unscorable,
    unscored,
    version_of,
)

REVERSE = Prompt("r_ifd/reverse", reply=str)


class Params(Bounds):
    """Bounds, of the ratio."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Score the last instruction with its response shown, and without."""
    params = kit.params
    if why := unscorable(record, params):
        return unscored(record, params, why)
    asked, said = before(record)[-1].content, record.last("assistant")
    try:
        shown, alone = await asyncio.gather(
            kit.score(REVERSE, asked, response=said, fence=fence(kit)),
            in_chat(kit, [Message("user", "")], asked, JUDGE),
        )
        given = loss(shown.logprobs)
        score = round(r_ifd(given, alone.nll), 6)
    except NOT_SCORED as error:
        return unscored(record, params, "not_scorable", str(error))
    facts = {
        "r_ifd": score,
        "nll_given": round(given, 6),
        "nll_alone": round(alone.nll, 6),
        "tokens": len(shown.tokens),
        "model": shown.model,
        "template": "chat",
        "prompt": version_of(kit, REVERSE),
    }
    return noted(record, params, "r_ifd", score, facts)


VERIFIER = Verifier(check, Params, prompts=(REVERSE,))
