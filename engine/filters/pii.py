"""PII: find what belongs to a person, and replace it, mark it or let the record go.

E-mail and public IP addresses, telephone numbers, payment cards, IBANs and the identity numbers
of 21 countries, each proven by its own rule (``engine.text.private``), in digits of any script. In
the usual ``mask`` the record passes with surrogates in their place: of the same kind and shape,
nobody's, the same for the same thing in every turn and fact (``engine.text.surrogates``), so that
an answer still fits its question. How many of each kind there were stays as ``facts["pii"]``;
what they were is nowhere, not in the evidence of a drop either.

Names and postal addresses are not found. A job whose subject is such numbers ("Is this IBAN
valid?") leaves the filter out, or lists under ``allow`` what may stay.

Source: the kinds are those of datatrove's PII formatter and of Microsoft's Presidio.
Differs: validated; consistent within a record instead of two fixed addresses by turns.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import BaseModel, Field

from engine.core import Drop, Finding, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.everywhere import ORIGIN, rewritten
from engine.text.private import KINDS, Kind, Place, find
from engine.text.surrogates import Surrogates


class Params(BaseModel, extra="forbid"):
    """What is looked for, and what then."""

    action: Literal["mask", "drop", "mark"] = "mask"
    """``mask``: replace; ``drop`` the record, masked, so that the list of drops holds nothing
    private; ``mark``: leave it and count it in ``facts["pii"]``."""
    kinds: tuple[Kind, ...] = Field(default=KINDS, min_length=1)
    """The kinds looked for."""
    allow: tuple[str, ...] = ()
    """What may stay: whole addresses and numbers as they are written in the texts, or the end of
    one, such as ``@our-firm.org``; case does not matter."""
    spare_facts: tuple[str, ...] = ORIGIN
    """Facts that are not looked at: a link that a licence asks for, say."""


def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Count and replace what is private in the record's turns and facts."""
    params = kit.params
    surrogates = Surrogates(lambda kind, nth: kit.random(kind, nth))
    allowed = tuple(each.lower() for each in params.allow)
    found: Counter[str] = Counter()

    def masked(text: str) -> str:
        places = [p for p in find(text, record.language, params.kinds) if not stays(text, p)]
        found.update(place.kind for place in places)
        return _replaced(text, places, surrogates)

    def stays(text: str, place: Place) -> bool:
        return text[place.start : place.end].lower().endswith(allowed)

    clean = rewritten(record, masked, params.spare_facts)
    if not found:
        return record
    counts = dict(sorted(found.items()))
    evidence = ", ".join(f"{kind} {number}" for kind, number in counts.items())
    if params.action == "drop":
        return Drop(clean.with_facts(pii=counts), "pii", evidence)
    kept = clean if params.action == "mask" else record
    return Finding(kept.with_facts(pii=counts), "pass", f"{params.action}ed: {evidence}")


def _replaced(text: str, places: list[Place], surrogates: Surrogates) -> str:
    pieces, at = [], 0
    for place in places:
        written = text[place.start : place.end]
        pieces += [text[at : place.start], surrogates.for_place(place, written)]
        at = place.end
    return "".join([*pieces, text[at:]])


FILTER = Filter(check, Params)
