"""Answers made of claims, each with the words of a document on which it stands.

The shape makes grounding checkable: a claim that names no words cannot be written down. Without a
model it is told whether the words are in the document, white space apart, and where; and whether
every number of a claim is in its words, as a value: ``1.200`` is ``1200``, and ``१२`` is ``12``.
Whether the words say the same is for a judge, whose ruling is read here, too: one that does not
speak of each claim lets none stand.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field, field_validator

from engine.core import Json
from engine.text.leftovers import unwrapped
from engine.text.numerals import values
from engine.text.quoting import located

Place = tuple[int, int]
"""Start and end of a piece of a document."""
WIDE = ("W", "F")
"""East Asian widths of characters behind which no space is written."""
STAGES = (("quotes", "rule"), ("numbers", "rule"), ("claims", "judge"))
"""What a grounded answer has passed, and who checked it."""


class Claim(BaseModel, extra="forbid"):
    """A sentence of an answer, and the words it stands on."""

    claim: str
    quote: str


class Written(BaseModel, extra="forbid"):
    """An instruction and its answer; of claims that are said twice or say nothing, one."""

    instruction: str
    claims: list[Claim] = Field(min_length=1)

    @field_validator("claims")
    @classmethod
    def _distinct(cls, claims: list[Claim]) -> list[Claim]:
        said: dict[str, Claim] = {}
        for each in claims:
            said.setdefault(" ".join(each.claim.split()), each)
        said.pop("", None)
        return list(said.values()) or claims[:1]


class Looked(BaseModel, extra="forbid"):
    """What a judge says of one claim."""

    reason: str
    supported: bool


class Ruling(BaseModel, extra="forbid"):
    """What a judge says of all claims, in their order, and of the answer as a whole."""

    claims: list[Looked]
    answers_instruction: bool


def place(quote: str, document: str) -> Place | None:
    """Where a quotation stands in a document, also one in quotation marks; or ``None``."""
    return located(quote, document) or located(unwrapped(quote), document)


def grounded(
    claims: Sequence[Claim], document: str, language: str
) -> tuple[list[Place], list[str]]:
    """Where the words of the claims stand, and what is wrong with those that do not."""
    places: list[Place] = []
    wrong: list[str] = []
    for each in claims:
        where = place(each.quote, document)
        if where is None:
            wrong.append(f"not in the document, letter by letter: {each.quote}")
            continue
        places.append(where)
        if made_up := invented_numbers(each.claim, document[slice(*where)], language):
            wrong.append(f"the quote does not say {', '.join(made_up)}: {each.claim}")
    return places, wrong


def invented_numbers(claim: str, quote: str, language: str) -> list[str]:
    """The numbers of a claim that are not in what is quoted for it, as text."""
    said, there = values(claim, language), values(quote, language)
    return [str(each) for each in said if each not in there]


def ruled(ruling: Ruling, claims: Sequence[Claim]) -> tuple[str, list[str]]:
    """What follows from a ruling: a slug, empty where all stands, and what is wrong."""
    if len(ruling.claims) != len(claims):
        return "ungrounded", ["the judge did not speak of each claim"]
    pairs = zip(claims, ruling.claims, strict=True)
    wrong = [f"{each.claim} ({said.reason})" for each, said in pairs if not said.supported]
    if wrong or ruling.answers_instruction:
        return "ungrounded" if wrong else "", wrong
    return "off_topic", ["the answer does not answer the instruction"]


def begins(facts: Mapping[str, Json]) -> int:
    """Where in its file a document begins, by its fact ``span``; 0 where that says nothing."""
    span = facts.get("span")
    first = span[0] if isinstance(span, list) and span else 0
    return first if isinstance(first, int) else 0


def cited(
    claims: Sequence[Claim], places: Sequence[Place], document: str, facts: Mapping[str, Json]
) -> list[Json]:
    """Each claim with the document's own words and their place in the file, by its ``facts``."""
    offset = begins(facts)
    return [
        {"claim": each.claim, "quote": document[start:end], "span": [offset + start, offset + end]}
        for each, (start, end) in zip(claims, places, strict=True)
    ]


def told(claims: Sequence[Claim], *, lines: bool = False) -> str:
    """Claims as one text: on lines of their own, or one after the other as the script has it."""
    text = ""
    for said in (" ".join(each.claim.split()) for each in claims):
        wide = unicodedata.east_asian_width(text[-1]) in WIDE if text else False
        gap = "" if not text or (wide and not lines) else "\n" if lines else " "
        text += gap + said
    return text
