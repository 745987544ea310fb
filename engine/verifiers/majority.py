"""Majority: the task is solved several times, and most of the solutions agree.

Where no truth is known, agreement stands in for it. The samples come from one call; their final
answers are found and brought to one form (``engine.text.finding``, ``engine.text.answers``), so
that "½", "0,5" and "٠٫٥" are one vote. The record is kept where the largest group has its share of
the samples with an answer, no other is as large, and at least half of the samples have one. The
share is the record's difficulty: 1 is easy. Formulas that cannot be compared stay apart.

Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models",
2022, arXiv:2203.11171.
Differs: the vote keeps or drops a record, and its share is kept; answers of any script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import BaseModel, Field

from engine.core import Drop, Message, Outcome, Record
from engine.kit import Kit, Verifier
from engine.prompting import Prompt
from engine.symbolic.algebra import AlgebraError, shared
from engine.text.answers import Answer
from engine.text.finding import final

SOLVE = Prompt("majority/solve", reply=str)


class Params(BaseModel, extra="forbid"):
    """How many, and how sure."""

    samples: int = Field(default=8, ge=2, le=256)
    """Solutions sampled, in one call."""
    min_share: float = Field(default=0.6, gt=0, le=1)
    """Share (0..1) of the solutions with an answer that agree, at least; 0.5 to 0.7 is usual, and
    a labelled sample tells which keeps 95 % right."""
    min_valid: float = Field(default=0.5, ge=0, le=1)
    """Share (0..1) of the solutions that have an answer, at least."""
    keep: Literal["shortest", "first", "own"] = "shortest"
    """Which response the record has afterwards: the shortest or the first solution that agrees; or
    its ``own``, which must then agree itself."""
    timeout_s: float = Field(default=5.0, gt=0, le=600)
    """Seconds for one comparison of two formulas."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that compare formulas, 1 or more; each takes about 150 MiB."""


@dataclass(slots=True)
class Group:
    """Solutions with the same answer."""

    answer: Answer
    forms: list[Answer] = field(default_factory=list)
    """Each way in which it was given, once."""
    texts: list[str] = field(default_factory=list)


async def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Keep the record, with the response that is to be kept, where most solutions agree.

    Raises:
        ReplyError: no solution at all came back.
        ModelError: no server answered.
    """
    params, asked = kit.params, record.last("user")
    if not asked.strip():
        return Drop(record, "no_instruction", "there is nothing to solve")
    replies = await kit.ask_many(SOLVE, params.samples, instruction=asked)
    whole = [str(text) for text in replies if not getattr(text, "truncated", False)]
    groups = await _groups(whole, record.language, params)
    valid = sum(len(group.texts) for group in groups)
    if valid < max(1, params.min_valid * params.samples):
        return Drop(record, "too_few_answers", f"{valid} of {params.samples} solutions have one")
    first, *others = sorted(groups, key=lambda group: -len(group.texts))
    share = round(len(first.texts) / valid, 4)
    told = {"answer": first.answer.text, "share": share, "valid": valid, "samples": params.samples}
    record = record.with_facts(majority=told)
    if others and len(others[0].texts) == len(first.texts):
        return Drop(record, "tied_vote", f"{first.answer.text!r} and {others[0].answer.text!r}")
    if share < params.min_share:
        return Drop(record, "no_majority", f"{first.answer.text!r} has {share:.0%} of {valid}")
    return await _chosen(record, first, params)


async def _chosen(record: Record, agreed: Group, params: Params) -> Outcome:
    """The record with one response that agrees."""
    if params.keep == "own":
        said = final(record.last("assistant"), record.language)
        if said is None or not await _belongs(said.answer, agreed, params):
            own = said.answer.text if said else ""
            return Drop(record, "minority_answer", f"{own!r}, not {agreed.answer.text!r}")
        return record
    text = min(agreed.texts, key=len) if params.keep == "shortest" else agreed.texts[0]
    turns = record.messages
    turns = turns[:-1] if turns[-1].role == "assistant" else turns
    return replace(record, messages=(*turns, Message("assistant", text)))


async def _groups(texts: Sequence[str], language: str, params: Params) -> list[Group]:
    """Solutions with an answer, by their answer, in the order in which the answers come up."""
    groups: list[Group] = []
    for text in texts:
        if found := final(text, language):
            home = [group for group in groups if await _belongs(found.answer, group, params)]
            group = home[0] if home else Group(found.answer)
            groups += [] if home else [group]
            group.forms += [] if found.answer in group.forms else [found.answer]
            group.texts.append(text)
    return groups


async def _belongs(answer: Answer, group: Group, params: Params) -> bool:
    """Whether an answer equals every form of the group's; what cannot be said is a no."""
    for form in group.forms:
        try:
            if not await shared(params.workers).same(answer, form, params.timeout_s):
                return False
        except AlgebraError:
            return False
    return True


VERIFIER = Verifier(check, Params, prompts=(SOLVE,))
