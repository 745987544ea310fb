"""Refusal: drop responses that open by declining the task, or by being "only a language model".

Found by phrase lists, which are data: ``taxonomies/refusals.yaml``, 23 languages. Only the
opening of a response counts, because that is where models refuse; further down the same words
are a character's in a story, or advice. What stands between quotation marks there is a
character's too, and a phrase that the instruction itself holds ("Translate: I'm sorry, I can't
help with that") is the task's. The English lists count beside a record's own, since models fall
back to English when they refuse. Of a language without a list only that much is claimed.

What this cannot see: a refusal in words that no list has, and whether a request deserved one.
A job that wants refusals to harmful requests kept should not run this over them.

Source: the idea is Bekbayev et al., "The Poison of Alignment", 2023, arXiv:2308.13449: responses
that refuse, found by phrase matching, hurt reasoning.
Differs: lists of our own; the opening instead of the whole response; many languages.
"""

from __future__ import annotations

import regex
from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.lengths import tokens_per_word
from engine.text.phrases import folded, matcher, phrase_lists, phrases_for
from engine.text.sides import turns

OPENING = 2_000
"""Characters of a response that are looked at; more than any setting in words needs."""
_QUOTED = regex.compile(
    r"\"[^\"]*+\"|“[^”]*+”|„[^“”]*+[“”]|«[^»]*+»|「[^」]*+」|『[^』]*+』|^>.*", regex.M
)


class Params(BaseModel, extra="forbid"):
    """Where phrases count, and phrases of the user's own."""

    refusal_within: int = Field(default=12, ge=1, le=200)
    """A refusal counts if it begins within this many words of the response."""
    disclaimer_within: int = Field(default=40, ge=0, le=200)
    """The same for disclaimers ("As an AI, ..."), in words; 0 lets them pass."""
    more_refusals: tuple[str, ...] = ()
    """More phrases, in any language; ``[a | b]`` are alternatives, ``...`` up to four words."""
    more_disclaimers: tuple[str, ...] = ()
    """More phrases, in the same notation."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Keep the record if no response opens with a refusal or a disclaimer."""
    params = kit.params
    kinds = (
        ("refusal", "refusals", params.more_refusals, params.refusal_within),
        ("ai_disclaimer", "disclaimers", params.more_disclaimers, params.disclaimer_within),
    )
    for response in turns(record, "response"):
        opening = folded(_QUOTED.sub(" ", response[:OPENING]))
        for reason, kind, more, within in kinds:
            phrases = (*_listed(kind, record.language), *more)
            if said := _said(opening, phrases, within, record):
                return Drop(record, reason, said)
    return record


def _listed(kind: str, language: str) -> tuple[str, ...]:
    lists = phrase_lists("refusals.yaml")
    tags = dict.fromkeys((language, "en"))
    return tuple(phrase for tag in tags for phrase in phrases_for(lists, kind, tag))


def _said(opening: str, phrases: tuple[str, ...], within: int, record: Record) -> str:
    """The first of these phrases that begins in time and is not the instruction's own."""
    limit = within * tokens_per_word(opening.split())
    for found in matcher(phrases).finditer(opening):
        if opening.count(" ", 0, found.start()) > limit:
            return ""
        if not any(f" {found[0]}" in folded(asked) for asked in turns(record, "instruction")):
            return found[0].strip()
    return ""


FILTER = Filter(check, Params)
