"""IC-IFD: IFD that does not reward an instruction for being hard to read itself.

``facts["scores_ic_ifd"]`` holds ``ic_ifd`` = L(A|Q) / (L(Q) * L(A)): the loss of the response after
its instruction, of the instruction in the same text, and of the response alone, each a mean
negative log-likelihood in nats per token; with the three losses, the model and the template.
Nothing is dropped unless bounds are set.

Source: Hu et al., "Smaller Language Models Are Better Instruction Evolvers", 2024,
arXiv:2412.11231.
Differs: the template is always plain text, instruction and response in one, as in the published
code: a chat template does not give the log-probabilities of what the user says. The code's other
form, with L(Q) above the line, is not computed. The first token of a text has no loss where the
model puts none of its own before it.
"""

from __future__ import annotations

import asyncio

from pydantic import Field

from engine.core import Finding, Outcome, Record
from engine.kit import Kit, Verifier
from engine.measures.losses import ic_ifd, loss
from engine.scoring import (
    NOT_SCORED,
    Bounds,
    after_text,
    instruction_of,
    noted,
    unscorable,
    unscored,
)


class Params(Bounds):
    """Bounds and what joins the two texts."""

    joint: str = Field(default="\n")
    """What stands between the instruction and the response."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Score the instruction, the response after it, and the response alone."""
    params, said = kit.params, record.last("assistant")
    if why := unscorable(record, params):
        return unscored(record, params, why)
    asked = instruction_of(record) + params.joint
    try:
        both, alone = await asyncio.gather(after_text(kit, asked, said), after_text(kit, "", said))
        question = loss(both.before)
        score = round(ic_ifd(both.nll, question, alone.nll), 6)
    except NOT_SCORED as error:
        return unscored(record, params, "not_scorable", str(error))
    facts = {
        "ic_ifd": score,
        "nll_given": round(both.nll, 6),
        "nll_question": round(question, 6),
        "nll_alone": round(alone.nll, 6),
        "tokens": len(both.tokens),
        "model": both.model,
        "template": "text",
        "joint": params.joint,
    }
    return noted(record, params, "ic_ifd", score, facts)


VERIFIER = Verifier(check, Params, roles=("scorer",))
