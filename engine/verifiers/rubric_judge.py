"""Rubric judge: a model grades the last response on each criterion, and the weighted mean decides.

The reply is an object with one key per criterion of the job's rubric, and under each the reason
before the score, so that the model thinks before it grades. The type is made from the rubric:
the server's JSON schema names the very criteria, and a reply that leaves one out, invents one or
scores outside 1..5 is asked for again and then ends as ``bad_reply``. No score is ever made up.

What is judged stands between lines with a mark that nobody but the engine can know, so that a
response cannot close its own quotation and speak to the judge. A model should not be the only
judge of what it wrote: give the role ``judge`` another model than the writer's where you can.

Source: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023,
arXiv:2306.05685 (single-answer grading); Kim et al., "Prometheus: Inducing Fine-grained
Evaluation Capability in Language Models", 2023, arXiv:2310.08491 (rubric, feedback before score).
Differs: all criteria in one call, one scale for all of them, a reason for each; the language of
the response is part of the rubric; JSON instead of ``[[rating]]`` or ``[RESULT]``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from engine.core import Drop, Outcome, Record
from engine.kit import Kit, Verifier
from engine.prompting import Prompt


class Mark(BaseModel, extra="forbid"):
    """What the judge says of one criterion."""

    reason: str = Field(min_length=1)
    score: int = Field(ge=1, le=5)


class Criterion(BaseModel, extra="forbid", frozen=True):
    """One thing a response is graded on."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    """A slug; the key of its score in ``facts["scores"]``."""
    description: str = Field(min_length=1)
    """What a perfect response does, for the judge to read."""
    weight: float = Field(default=1.0, gt=0)
    """Its weight in the mean, relative to the others."""


RUBRIC = (
    Criterion(
        name="follows_instruction",
        description="It does what was asked, in the form that was asked for, and keeps to every "
        "stated constraint.",
    ),
    Criterion(
        name="correct",
        description="Facts, reasoning, arithmetic and code are right; nothing is made up.",
        weight=2.0,
    ),
    Criterion(
        name="complete",
        description="Every part of the request is dealt with; nothing is missing or cut off.",
    ),
    Criterion(
        name="clear",
        description="It is easy to follow, well ordered and free of padding and repetition.",
    ),
    Criterion(
        name="right_language",
        description="It is in the expected language throughout, in the usual script, idiomatic "
        "and free of errors, as an educated native speaker would write.",
    ),
)


class Params(BaseModel, extra="forbid"):
    """The rubric and what it takes to pass."""

    criteria: tuple[Criterion, ...] = Field(default=RUBRIC, min_length=1, max_length=12)
    """The rubric; each name once."""
    min_score: float = Field(default=3.5, ge=1, le=5)
    """A weighted mean below this (scores are 1..5) drops the record."""
    min_each: int = Field(default=2, ge=1, le=5)
    """A single score below this drops it too, however good the rest: a wrong answer well told."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [criterion.name for criterion in self.criteria]
        if "mean" in names or len(set(names)) < len(names):
            raise ValueError("criteria need different names, and 'mean' is taken")
        return self


@lru_cache(maxsize=64)
def _prompt(names: tuple[str, ...]) -> Prompt[Any]:
    """The prompt, with a reply type that has exactly these criteria."""
    fields: dict[str, Any] = {
        f"mark_{name}": Annotated[Mark, Field(validation_alias=name)] for name in names
    }
    reply = create_model("Marks", __config__=ConfigDict(extra="forbid"), **fields)
    return Prompt("rubric_judge/judge", reply=reply)


JUDGE = _prompt(tuple(criterion.name for criterion in RUBRIC))


async def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Grade the last response; keep the record, with its scores, if they are good enough."""
    if not record.last("user").strip() or not record.last("assistant").strip():
        return Drop(record, "nothing_to_judge", "an instruction and a response are needed")
    criteria = kit.params.criteria
    before, instruction, response = _last_exchange(record)
    graded = await kit.ask(
        _prompt(tuple(criterion.name for criterion in criteria)),
        criteria=[criterion.model_dump() for criterion in criteria],
        history=before,
        instruction=instruction,
        response=response,
        fence=f"{kit.random('fence').getrandbits(48):012x}",
    )
    marks: dict[str, Mark] = {c.name: getattr(graded, f"mark_{c.name}") for c in criteria}
    return _outcome(record, marks, kit.params)


def _last_exchange(record: Record) -> tuple[list[dict[str, str]], str, str]:
    """The turns before the last instruction, that instruction, and the last response."""
    at = max(n for n, message in enumerate(record.messages) if message.role == "user")
    before = [{"role": m.role, "content": m.content} for m in record.messages[:at]]
    return before, record.last("user"), record.last("assistant")


def _outcome(record: Record, marks: dict[str, Mark], params: Params) -> Outcome:
    total = sum(criterion.weight for criterion in params.criteria)
    mean = sum(c.weight * marks[c.name].score for c in params.criteria) / total
    scores = {**{name: mark.score for name, mark in marks.items()}, "mean": round(mean, 3)}
    graded = record.with_facts(scores=scores)
    worst = min(marks, key=lambda name: marks[name].score)
    if mean >= params.min_score and marks[worst].score >= params.min_each:
        return graded
    said = f"mean {mean:.2f}; {worst} {marks[worst].score}: {marks[worst].reason}"
    return Drop(graded, "low_score", said[:500])


VERIFIER = Verifier(check, Params, prompts=(JUDGE,))
