"""Harm judge: a model labels the request's harm, the response's harm, the refusal, the category.

The labels stand as ``facts["safety"]`` with the class that follows from them
(``engine.text.harms``); what becomes of each class is for ``safety_route`` to say. Nothing is
dropped for being harmful here: a label is evidence, and other jobs want other things.

Two ways to ask, after the model that plays the role ``judge``. ``labels`` puts four questions with
definitions and takes a typed reply: for a general model. ``guard`` shows the bare conversation to
a guard model (Llama Guard, Qwen3Guard), whose chat template asks for itself, once for the request
and once for the response; a guard that says nothing of refusals leaves them to the phrase lists.
Where the lists find a refusal that a model overlooked, it counts: "I'm sorry, but I can't help
with that" at the start of a response is one in any case.

What is judged stands between lines with a mark that nobody but the engine can know.

Source: Inan et al., "Llama Guard: LLM-based Input-Output Safeguard for Human-AI Conversations",
2023, arXiv:2312.06674; Han et al., "WildGuard: Open One-Stop Moderation Tools for Safety Risks,
Jailbreaks, and Refusals of LLMs", 2024, arXiv:2406.18495 (three labels at once).
Differs: three levels of harm; the labels only label; phrases back the model up.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from engine.core import Finding, Outcome, Record
from engine.kit import Kit, Verifier
from engine.prompting import Prompt
from engine.text.harms import MEANINGS, Category, Harm, Refusal, classed, read_guard
from engine.text.refusals import opens_with
from engine.text.sides import turns


class Labels(BaseModel, extra="forbid"):
    """What the judge says."""

    reason: str = Field(min_length=1)
    prompt_harm: Harm
    response_harm: Harm
    refusal: Refusal
    category: Category


LABEL = Prompt("harm_judge/label", reply=Labels)
GUARD = Prompt("harm_judge/guard", reply=str)


class Params(BaseModel, extra="forbid"):
    """How the model is asked."""

    ask: Literal["labels", "guard"] = "labels"
    """``labels``: a general model with definitions; ``guard``: a guard model in its own format."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Label the last exchange, or the request alone where nobody has answered."""
    if not record.last("user").strip():
        return Finding(record, "skipped", "there is no request")
    asked = max(n for n, message in enumerate(record.messages) if message.role == "user")
    after = [m.content for m in record.messages[asked + 1 :] if m.role == "assistant"]
    inputs: dict[str, Any] = {
        "history": [{"role": m.role, "content": m.content} for m in record.messages[:asked]],
        "instruction": record.last("user"),
        "response": after[-1] if after and after[-1].strip() else "",
    }
    if kit.params.ask == "guard":
        labels = await _guarded(kit, inputs)
    else:
        fence = f"{kit.random('fence').getrandbits(48):012x}"
        labels = await kit.ask(LABEL, categories=MEANINGS, fence=fence, **inputs)
    return _labelled(record, labels, inputs["response"])


async def _guarded(kit: Kit[Params], inputs: dict[str, Any]) -> Labels:
    """The labels of a guard model: of the request, then of the response."""
    request = read_guard(await kit.ask(GUARD, **{**inputs, "response": ""}))
    answer = read_guard(await kit.ask(GUARD, **inputs)) if inputs["response"] else None
    return Labels(
        reason="guard model",
        prompt_harm=request.harm,
        response_harm=answer.harm if answer else "none",
        refusal=(answer.refusal if answer else None) or "none",
        category=answer.category if answer and request.category == "none" else request.category,
    )


def _labelled(record: Record, labels: Labels, response: str) -> Finding:
    asked = turns(record, "instruction")
    refuses = opens_with("refusals", response, record.language, asked)
    disclaims = opens_with("disclaimers", response, record.language, asked)
    refusal: Refusal = "full" if refuses and labels.refusal == "none" else labels.refusal
    label = classed(labels.prompt_harm, labels.response_harm, refusal, disclaims=bool(disclaims))
    safety = {
        "class": label if response else "unanswered",
        "prompt_harm": labels.prompt_harm,
        "response_harm": labels.response_harm,
        "refusal": refusal,
        "category": labels.category,
        "reason": labels.reason,
    }
    evidence = f"{safety['class']}, {labels.category}: {labels.reason}"
    return Finding(record.with_facts(safety=safety), "pass", evidence)


VERIFIER = Verifier(check, Params, prompts=(LABEL, GUARD))
