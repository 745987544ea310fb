"""Instruction rubric: criteria are written for each instruction, and its response graded by them.

Two questions to two roles. The ``writer`` sees the conversation up to the instruction, and no
response, and writes 3 to 7 criteria with weights. The ``judge`` grades the response on each, reason
first; the weighted mean decides, and so does a criterion of the highest weight that is not met.
``facts["instruction_rubric"]`` keeps criteria, weights, scores, the mean and the judge's reasons
for its lowest score. Give the two roles different models where you can. A reply of the wrong shape
is asked for again and then an error; no criterion and no score is made up.

``anchors`` try both at once: criteria are written for each, and a judge that does not grade the
good response above the bad one leaves ``error``.

Source: Kim et al., "Prometheus: Inducing Fine-grained Evaluation Capability in Language Models",
2023, arXiv:2310.08491 (a rubric for each instruction, feedback before the score); Lin et al.,
"WildBench", 2024, arXiv:2406.04770 (checklists for each task).
Differs: criteria and grades in two calls, so that a rubric cannot be bent to a response; weights;
one criterion for the language.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from engine.core import Drop, Finding, Json, Outcome, Record
from engine.judging import Anchor, Exchange, exchange, fence, mistaken
from engine.kit import Kit, Verifier
from engine.prompting import Prompt

LEAST, MOST = 3, 7
"""Criteria of an instruction."""
TOP = 5
"""The highest weight, and the highest score."""


class Criterion(BaseModel, extra="forbid"):
    """One thing that a response to this instruction is graded on."""

    criterion: str = Field(min_length=1, max_length=600)
    weight: int = Field(ge=1, le=TOP)


class Rubric(BaseModel, extra="forbid"):
    """All that a response to this instruction is graded on."""

    criteria: list[Criterion] = Field(min_length=LEAST, max_length=MOST)


class Mark(BaseModel, extra="forbid"):
    """What the judge says of one criterion."""

    reason: str = Field(min_length=1)
    score: int = Field(ge=1, le=TOP)


def _grades(count: int) -> Prompt[Any]:
    """The prompt, with a reply type of so many marks, ``c1`` and on."""
    fields: dict[str, Any] = {f"c{n}": Annotated[Mark, ...] for n in range(1, count + 1)}
    reply = create_model("Marks", __config__=ConfigDict(extra="forbid"), **fields)
    return Prompt("instruction_rubric/grade", reply=reply)


CRITERIA = Prompt("instruction_rubric/criteria", reply=Rubric)
GRADE = {count: _grades(count) for count in range(LEAST, MOST + 1)}


class Params(BaseModel, extra="forbid"):
    """What it takes to pass."""

    min_score: float = Field(default=3.5, ge=1, le=TOP)
    """A weighted mean below this (scores are 1..5) drops the record."""
    min_top: int = Field(default=3, ge=1, le=TOP)
    """So does a lower score on a criterion of weight 5, without which a response is useless."""
    anchors: tuple[Anchor, ...] = Field(default=(), max_length=20)
    """Pairs that must be graded in the right order; asked once a job."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Have criteria written for the last instruction and its response graded by them."""
    if (asked := exchange(record)) is None:
        return Drop(record, "nothing_to_judge", "an instruction and a response are needed")
    if why := await mistaken(kit, kit.params.anchors, _prefers):
        return Finding(record, "error", why, "anchors_failed")
    criteria = await _criteria(kit, asked)
    marks = await _marks(kit, asked, criteria)
    return _outcome(record, criteria, marks, kit.params)


async def _prefers(kit: Kit[Params], anchor: Anchor) -> bool:
    good, bad = (exchange(anchor.record(response)) for response in (anchor.good, anchor.bad))
    if good is None or bad is None:
        return False
    criteria = await _criteria(kit, good)
    better, worse = await _marks(kit, good, criteria), await _marks(kit, bad, criteria)
    return _mean(criteria, better) > _mean(criteria, worse)


async def _criteria(kit: Kit[Params], asked: Exchange) -> list[Criterion]:
    rubric = await kit.ask(
        CRITERIA, history=asked.history, instruction=asked.instruction, fence=fence(kit)
    )
    return rubric.criteria


async def _marks(kit: Kit[Params], asked: Exchange, criteria: list[Criterion]) -> list[Mark]:
    graded = await kit.ask(
        GRADE[len(criteria)],
        criteria=[each.criterion for each in criteria],
        history=asked.history,
        instruction=asked.instruction,
        response=asked.response,
        fence=fence(kit),
    )
    return [getattr(graded, f"c{n}") for n in range(1, len(criteria) + 1)]


def _mean(criteria: list[Criterion], marks: list[Mark]) -> float:
    total = sum(each.weight for each in criteria)
    return sum(c.weight * m.score for c, m in zip(criteria, marks, strict=True)) / total


def _outcome(
    record: Record, criteria: list[Criterion], marks: list[Mark], params: Params
) -> Outcome:
    mean, both = _mean(criteria, marks), list(zip(criteria, marks, strict=True))
    told, worst = min(both, key=lambda pair: (pair[1].score, -pair[0].weight))
    noted: dict[str, Json] = {
        "criteria": [{**c.model_dump(), "score": m.score} for c, m in both],
        "mean": round(mean, 3),
        "worst": worst.reason,
    }
    graded = record.with_facts(instruction_rubric=noted)
    useless = any(c.weight == TOP and m.score < params.min_top for c, m in both)
    if mean >= params.min_score and not useless:
        return graded
    why = f"mean {mean:.2f}; {told.criterion} {worst.score}: {worst.reason}"
    return Drop(graded, "low_score", why[:500])


VERIFIER = Verifier(check, Params, prompts=(CRITERIA, *GRADE.values()))
