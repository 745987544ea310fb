"""Perplexity: how surprising the model finds a text, token by token.

``facts["scores_perplexity"]`` holds ``perplexity`` = exp(mean negative log-likelihood), 1 or more,
of the last ``field``: after the turns before it (``after: conversation``, in the server's chat
template) or as bare text (``after: nothing``); with the loss in nats per token, the tokens, the
model and the template. Perplexities of two tokenizers, and of two languages under one, are not to
be compared: set bounds for one language at a time. Nothing is dropped unless bounds are set.

Source: Jelinek et al., "Perplexity: a measure of the difficulty of speech recognition tasks",
1977, doi:10.1121/1.2016299.
Differs: per token of the served model, not per word; an instruction is always scored as bare
text, since a chat template gives the log-probabilities of replies only.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from engine.core import Finding, Outcome, Record
from engine.kit import Kit, Verifier
from engine.measures.losses import perplexity
from engine.scoring import (
    NOT_SCORED,
    Bounds,
    after_text,
    before,
    in_chat,
    noted,
    unscorable,
    unscored,
)


class Params(Bounds):
    """Bounds and what is scored."""

    field: Literal["response", "instruction"] = "response"
    """Which of the last two turns."""
    after: Literal["conversation", "nothing"] = "conversation"
    """What stands before it."""

    @model_validator(mode="after")
    def _has_a_template(self) -> Self:
        if self.field == "instruction" and self.after == "conversation":
            raise ValueError("an instruction is scored with after: nothing")
        return self


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Score the text and say how surprising it is."""
    params = kit.params
    if why := unscorable(record, params):
        return unscored(record, params, why)
    response = params.field == "response"
    text = record.last("assistant") if response else before(record)[-1].content
    try:
        if params.after == "conversation":
            part = await in_chat(kit, before(record), text)
        else:
            part = await after_text(kit, "", text)
        score = round(perplexity(part.nll), 6)
    except NOT_SCORED as error:
        return unscored(record, params, "not_scorable", str(error))
    facts = {
        "perplexity": score,
        "nll": round(part.nll, 6),
        "tokens": len(part.tokens),
        "field": params.field,
        "model": part.model,
        "template": "chat" if params.after == "conversation" else "text",
    }
    return noted(record, params, "perplexity", score, facts)


VERIFIER = Verifier(check, Params, roles=("scorer",))
