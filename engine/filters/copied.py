"""Copied: drop records where one side is lifted from the other.

Measured is the longest run of tokens that ``field`` shares with ``against``, as a share of
``field``. By default this is the response against the prompt: a non-answer that hands the
question back. Tasks that work on an input must survive it, though: an edited text, or a passage
quoted in answer, is nearly all in the prompt and yet right. What such a response never holds is
the task itself ("Correct the spelling:"). So a response is a copy of its prompt only if the run
also takes in each part of the prompt, where parts end at line breaks, colons, quotation marks
and full stops. Where a method kept the input apart (``facts["input"]``), the bare instruction is
all there is to copy.

For reverse instructions set ``field: instruction, against: response`` with a lower ``min_share``:
an instruction that recites the document it is to call for teaches copying. ``copied_from_prompt``,
``copied_from_response`` and ``copied_from_document`` are the reasons.

Source: ours.
"""

from __future__ import annotations

from typing import Literal

import regex
from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.lengths import tokens_per_word
from engine.text.runs import shared_run
from engine.text.tokens import tokens

Part = Literal["instruction", "response", "document"]

_PART_ENDS = regex.compile(r"[\n:：;；\p{Quotation_Mark}\p{Sentence_Terminal}]+")


class Params(BaseModel, extra="forbid"):
    """What is held against what, and how much may come back."""

    field: Part = "response"
    """The text under suspicion."""
    against: Part = "instruction"
    """The text it may be copied from; ``document`` is the fact a document source sets."""
    min_share: float = Field(default=0.8, gt=0, le=1)
    """A shared run at least this long is a copy, as a share of ``field``'s tokens, 0..1."""
    min_words: int = Field(default=5, ge=1)
    """A shared run below this many words never is: short answers are often in the question."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Keep the record unless one run of ``against`` makes up ``field``."""
    params = kit.params
    text, origin = _text(record, params.field), _text(record, params.against)
    found, source = tokens(text), tokens(origin)
    least = max(params.min_share * len(found), params.min_words * tokens_per_word(found))
    run = shared_run(found, source, max(1, round(least)))
    if run is None:
        return record
    end = run.begin_b + run.length
    if params.against == "instruction" and not _whole(origin, run.begin_b, end, params.min_share):
        return record
    name = "prompt" if params.against == "instruction" else params.against
    detail = f"{run.length} of {len(found)} tokens in one run"
    return Drop(record, f"copied_from_{name}", detail)


def _text(record: Record, part: Part) -> str:
    if part == "document":
        return str(record.facts.get("document") or "")
    if part == "response":
        return record.last("assistant")
    said, given = record.last("user"), str(record.facts.get("input") or "")
    return said.removesuffix(given) if given else said


def _whole(prompt: str, begin: int, end: int, share: float) -> bool:
    """Whether tokens ``begin`` to ``end`` take in at least ``share`` of each part of the prompt."""
    at = 0
    for part in _PART_ENDS.split(prompt):
        length = len(tokens(part))
        inside = min(end, at + length) - max(begin, at)
        if length and inside < share * length:
            return False
        at += length
    return True


FILTER = Filter(check, Params)
