"""What a response opens with: a refusal, a disclaimer, or neither; by phrase lists.

The lists are ``taxonomies/refusals.yaml``. Only the opening of a response counts, because that is
where models refuse; what stands between quotation marks is a character's, and a phrase that the
instruction itself holds is the task's. The English lists count beside the language's own, since
models fall back to English when they refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import regex

from engine.text.lengths import tokens_per_word
from engine.text.openings import first_words
from engine.text.phrases import folded, matcher, phrase_lists, phrases_for

Kind = Literal["refusals", "disclaimers"]
OPENING = 2_000
"""Characters of a response that are looked at; more than any setting in words needs."""
REFUSAL_WITHIN = 12
"""Words within which a refusal must begin, unless a job says otherwise."""
DISCLAIMER_WITHIN = 40
"""The same for disclaimers: models answer a little before they remember what they are."""
_QUOTED = regex.compile(
    r"\"[^\"]*+\"|“[^”]*+”|„[^“”]*+[“”]|«[^»]*+»|「[^」]*+」|『[^』]*+』|^>.*", regex.M
)


def opening(response: str) -> str:
    """How a response begins, without what it quotes, as phrases are compared."""
    return folded(_QUOTED.sub(" ", response[:OPENING]))


def listed(kind: Kind, language: str) -> tuple[str, ...]:
    """The phrases of a language and of English."""
    lists = phrase_lists("refusals.yaml")
    tags = dict.fromkeys((language, "en"))
    return tuple(phrase for tag in tags for phrase in phrases_for(lists, kind, tag))


def said(
    begins: str, phrases: tuple[str, ...], within: int, instructions: Sequence[str] = ()
) -> str:
    """The first of ``phrases`` in an ``opening`` that begins within so many words.

    ``""`` where there is none, or where it is the instruction's own.
    """
    limit = within * tokens_per_word(begins.split())
    pattern, first, at = matcher(phrases), first_words(phrases), 1
    for number, word in enumerate(begins[1:].split(" "), 1):
        if number > limit:
            return ""
        found = pattern.match(begins, at) if word in first else None
        if found and not any(f" {found[0]}" in folded(asked) for asked in instructions):
            return found[0].strip()
        at += len(word) + 1
    return ""


def opens_with(kind: Kind, response: str, language: str, instructions: Sequence[str]) -> str:
    """The listed refusal or disclaimer that a response opens with; ``""`` without any."""
    within = REFUSAL_WITHIN if kind == "refusals" else DISCLAIMER_WITHIN
    return said(opening(response), listed(kind, language), within, instructions)
