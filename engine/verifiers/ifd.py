"""IFD: how much the instruction helps to predict the response, in both published forms.

Instruction-following difficulty compares the response after its instruction with the response
alone. Near 0, the instruction says it all; near 1, it does not help: the response is hard, or has
little to do with it; above 1, it misleads. ``facts["scores_ifd"]`` holds both forms, which rank
records differently: ``ifd_losses``, the ratio of losses s(A|Q) / s(A), and ``ifd_perplexities``,
the ratio of perplexities exp(s(A|Q)) / exp(s(A)); with the two losses in nats per token, how many
tokens of the response were scored, the model and the template. Nothing is dropped unless bounds
are set, which hold for the form that ``form`` names.

Source: Li et al., "From Quantity to Quality: Boosting LLM Performance with Self-Guided Data
Selection for Instruction Tuning", 2023, arXiv:2308.12032 (losses); Li et al., "Superfiltering:
Weak-to-Strong Data Filtering for Fast Instruction-Tuning", 2024, arXiv:2402.00530 (perplexities).
Differs: by default the chat template of the served model is used, on both sides; the published
prompts are plain text, which ``template: text`` brings: as it is Superfiltering's, with
``### Response:`` in ``alone`` and ``given`` it is Cherry's. Nothing is cut to 512 or 1,024 tokens;
what is longer than ``max_chars`` is not scored. No selection of the best share: that needs all
records, and is a pass.
"""

from __future__ import annotations

from typing import Literal

from engine.core import Finding, Outcome, Record
from engine.kit import Kit, Verifier
from engine.measures.losses import ifd_losses, ifd_perplexities
from engine.scoring import NOT_SCORED, Templated, given_and_alone, noted, unscorable, unscored

Form = Literal["ifd_losses", "ifd_perplexities"]


class Params(Templated):
    """Bounds and template."""

    form: Form = "ifd_losses"
    """Which form ``min_score`` and ``max_score`` hold for."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Score the last response after its instruction and alone."""
    params = kit.params
    if why := unscorable(record, params):
        return unscored(record, params, why)
    try:
        given, alone = await given_and_alone(record, kit, params)
        scores = {
            "ifd_losses": round(ifd_losses(given.nll, alone.nll), 6),
            "ifd_perplexities": round(ifd_perplexities(given.nll, alone.nll), 6),
        }
    except NOT_SCORED as error:
        return unscored(record, params, "not_scorable", str(error))
    facts = {
        **scores,
        "nll_given": round(given.nll, 6),
        "nll_alone": round(alone.nll, 6),
        "tokens": len(given.tokens),
        "model": given.model,
        **params.named,
    }
    return noted(record, params, "ifd", scores[params.form], facts)


VERIFIER = Verifier(check, Params, roles=("scorer",))
