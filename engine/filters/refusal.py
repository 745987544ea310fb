"""Refusal: drop responses that open by declining the task, or by being "only a language model".

Found by phrase lists, which are data: ``taxonomies/refusals.yaml`` (``engine.text.refusals`` says
what of a response counts). Of a language without a list only as much is claimed as English says.

Whether a request deserved its refusal, phrases cannot say. After ``harm_judge`` a refusal of what
it found harmful stays (``spare_deserved``); a job that treats the classes one by one uses
``safety_route`` instead.

Source: the idea is Bekbayev et al., "The Poison of Alignment", 2023, arXiv:2308.13449: responses
that refuse, found by phrase matching, hurt reasoning.
Differs: lists of our own; the opening instead of the whole response; many languages; refusals of
harmful requests can be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

from engine.core import Drop, Finding, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.refusals import DISCLAIMER_WITHIN, REFUSAL_WITHIN, Kind, listed, opening, said
from engine.text.sides import turns


class Params(BaseModel, extra="forbid"):
    """Where phrases count, and phrases of the user's own."""

    refusal_within: int = Field(default=REFUSAL_WITHIN, ge=1, le=200)
    """A refusal counts if it begins within this many words of the response."""
    disclaimer_within: int = Field(default=DISCLAIMER_WITHIN, ge=0, le=200)
    """The same for disclaimers ("As an AI, ..."), in words; 0 lets them pass."""
    more_refusals: tuple[str, ...] = ()
    """More phrases, in any language; ``[a | b]`` are alternatives, ``...`` up to four words."""
    more_disclaimers: tuple[str, ...] = ()
    """More phrases, in the same notation."""
    spare_deserved: bool = True
    """Whether the refusal of a request that ``harm_judge`` found harmful stays."""


def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Keep the record if no response opens with a refusal or a disclaimer."""
    params = kit.params
    safety = record.facts.get("safety")
    harmful = isinstance(safety, Mapping) and safety.get("prompt_harm") == "harmful"
    if params.spare_deserved and harmful:
        return Finding(record, "skipped", "the request is labelled harmful")
    kinds: tuple[tuple[str, Kind, tuple[str, ...], int], ...] = (
        ("refusal", "refusals", params.more_refusals, params.refusal_within),
        ("ai_disclaimer", "disclaimers", params.more_disclaimers, params.disclaimer_within),
    )
    asked = turns(record, "instruction")
    for response in turns(record, "response"):
        begins = opening(response)
        for reason, kind, more, within in kinds:
            phrases = (*listed(kind, record.language), *more)
            if phrase := said(begins, phrases, within, asked):
                return Drop(record, reason, phrase)
    return record


FILTER = Filter(check, Params)
