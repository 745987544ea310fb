"""Judge ensemble: several models grade a response, none knowing of the others, and decide together.

The seats are the roles ``judge``, ``judge_2`` and ``judge_3``: give them models of different
families, and none of them the writer's alone. Each thinks in free text and ends with its score
from 1 to 5 in double brackets (``by: text``), or is read off the log-probabilities of the five
digits (``by: digits``). A judge whose reply holds no score after ``tries`` abstains; nothing is
made up for it. With fewer than ``min_judges`` scores the verdict is ``error``.

``facts["judge_ensemble"]`` keeps what agreement and bias are computed from
(``engine.measures.bias``): score and model of each seat, the mean, the spread, the length in words
and the model that wrote the response. ``anchors`` try every judge: one that does not score a good
response above a bad one has no seat.

Source: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023,
arXiv:2306.05685 (single-answer grading); Verga et al., "Replacing Judges with Juries", 2024,
arXiv:2404.18796 (a panel of models of several families; mean and majority).
Differs: judges may abstain; the last mark of a reply counts, not the first; a wide spread can drop
a record (``max_spread``).
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from engine.core import Drop, Finding, Json, Outcome, Record, ReplyError
from engine.judging import Anchor, Exchange, exchange, fence, mistaken, seated
from engine.kit import Kit, Verifier
from engine.measures.agreement import majority, mean
from engine.measures.losses import Undefined
from engine.measures.replies import score_in
from engine.prompting import Prompt
from engine.scoring import by_digits
from engine.text.lengths import words

THINK = Prompt("judge_ensemble/judge", reply=str)
DIGIT = Prompt("judge_ensemble/digit", reply=str)
SEATS = ("judge", "judge_2", "judge_3")
DIGITS = (1, 2, 3, 4, 5)
OPTIONS = tuple(f"[[{digit}]]" for digit in DIGITS)
"""How a reply may end."""


class Params(BaseModel, extra="forbid"):
    """Who sits, how they are heard, and what it takes to pass."""

    judges: int = Field(default=3, ge=2, le=3)
    """Seats that are heard, in order."""
    min_judges: int = Field(default=2, ge=1, le=3)
    """Fewer scores than that are no verdict: ``error``."""
    by: Literal["text", "digits"] = "text"
    """``digits`` needs log-probabilities (vLLM); it takes five calls of one token a judge."""
    decide: Literal["mean", "majority"] = "mean"
    """``mean``: the mean reaches ``min_score``; ``majority``: more than half of the scores do."""
    min_score: float = Field(default=3.5, ge=1, le=5)
    """What a response needs, 1..5."""
    max_spread: float = Field(default=4, ge=0, le=4)
    """Highest score less lowest, in points; judges further apart drop the record."""
    tries: int = Field(default=2, ge=1, le=5)
    """How often a judge is asked whose reply holds no score."""
    anchors: tuple[Anchor, ...] = Field(default=(), max_length=20)
    """Pairs that every judge must get right; asked once a job."""

    @model_validator(mode="after")
    def _enough_seats(self) -> Self:
        if self.min_judges > self.judges:
            raise ValueError("min_judges is more than there are judges")
        return self


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Hear every judge and decide."""
    if (asked := exchange(record)) is None:
        return Drop(record, "nothing_to_judge", "an instruction and a response are needed")
    params, seats = kit.params, SEATS[: kit.params.judges]
    heard = await asyncio.gather(*(seated(kit, role, partial(_heard, asked)) for role in seats))
    scores: dict[str, float | None] = {}
    models, absent = {}, []
    for role, ((score, why), calls) in zip(seats, heard, strict=True):
        scores[role] = score
        models[role] = calls[0].model if calls else ""
        absent += [f"{role} {why}"] if why else []
    noted = _noted(record, scores, models)
    if len(scores) - len(absent) < params.min_judges:
        return Finding(noted, "error", "; ".join(absent), "too_few_judges")
    return _decided(noted, [s for s in scores.values() if s is not None], params)


async def _heard(asked: Exchange, kit: Kit[Params]) -> tuple[float | None, str]:
    """The score of one judge, or why there is none."""
    if why := await mistaken(kit, kit.params.anchors, _prefers):
        return None, why
    score = await _graded(asked, kit)
    return score, "" if score is not None else "gave no score"


async def _prefers(kit: Kit[Params], anchor: Anchor) -> bool:
    asked = [exchange(anchor.record(response)) for response in (anchor.good, anchor.bad)]
    good, bad = [await _graded(each, kit) if each else None for each in asked]
    return good is not None and bad is not None and good > bad


async def _graded(asked: Exchange, kit: Kit[Params]) -> float | None:
    """A judge's score; ``None`` where its replies hold none."""
    given: dict[str, Any] = {
        "history": asked.history,
        "instruction": asked.instruction,
        "response": asked.response,
        "fence": fence(kit),
    }
    if kit.params.by == "digits":
        try:
            return round((await by_digits(kit, DIGIT, DIGITS, **given))[0].score, 4)
        except (ReplyError, Undefined):
            return None
    for take in range(kit.params.tries):
        reply = await kit.ask(THINK, take=take, options=OPTIONS, **given)
        if not getattr(reply, "truncated", False) and (score := score_in(reply, 1, 5, whole=True)):
            return score
    return None


def _noted(record: Record, scores: dict[str, float | None], models: dict[str, str]) -> Record:
    given = [score for score in scores.values() if score is not None]
    said = [call for hop in record.lineage for call in hop.calls if call.role == "writer"]
    noted: dict[str, Json] = {
        "scores": scores,
        "models": models,
        "mean": None if not given else round(sum(given) / len(given), 4),
        "spread": round(max(given) - min(given), 4) if given else None,
        "words": words(record.last("assistant")),
        "writer": said[-1].model if said else "",
    }
    return record.with_facts(judge_ensemble=noted)


def _decided(record: Record, given: list[float], params: Params) -> Outcome:
    """What the scores that were given come to."""
    told = f"scores {', '.join(f'{score:g}' for score in given)}"
    if max(given) - min(given) > params.max_spread:
        return Drop(record, "judges_disagree", told)
    if params.decide == "mean":
        good = (mean(given) or 0) >= params.min_score
    else:
        good = majority(score >= params.min_score for score in given) is True
    return record if good else Drop(record, "low_score", told)


VERIFIER = Verifier(check, Params, prompts=(THINK, DIGIT), roles=SEATS[1:])
