"""Constraints: a program decides whether the last response meets what the record says it must.

``facts["constraints"]`` is a list of ``{type, params}`` (see ``engine.constraints.reading``): put
there by the generator ``constrained``, by a source, or by hand. Every one is checked, strictly and
loosely, and what was found stays on the record as ``facts["constraint_results"]``. A constraint
that cannot be decided (capitals in Chinese; the language of three words) is ``skipped`` and never
passes; one that cannot be read drops its record, whatever the settings.

Source: Zhou et al., "Instruction-Following Evaluation for Large Language Models", 2023,
arXiv:2311.07911 (strict and loose accuracy, by constraint and by prompt).
Differs: words, letters and sentences are those of the record's language; the language check of
the published code passes when it fails to run, here nothing does.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from engine.constraints.reading import ConstraintError, language_of, listed, results
from engine.core import Drop, Json, Outcome, Record
from engine.kit import Kit, Verifier
from engine.languages.agreement import teller


class Params(BaseModel, extra="forbid"):
    """How texts are read and what it takes to pass."""

    reading: Literal["strict", "loose"] = "strict"
    """``loose``: a variant without asterisks, first line or last line may pass instead."""
    min_share: float = Field(default=1.0, gt=0, le=1)
    """Share (0..1) of a record's decided constraints that must pass."""
    undecided: Literal["drop", "keep"] = "drop"
    """``keep``: a skipped constraint does not count, as long as another one is decided."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Hold the last response against every constraint of the record."""
    if not record.last("assistant"):
        return Drop(record, "no_response", "nothing to hold against the constraints")
    try:
        constraints = listed(record.facts.get("constraints"))
    except ConstraintError as error:
        return Drop(record, "bad_constraint", str(error)[:500])
    if not constraints:
        return Drop(record, "no_constraints", 'facts["constraints"] is missing or empty')
    tell = teller(language_of(constraints, record.language))
    found = results(record.last("assistant"), constraints, record.language, tell)
    return _decided(record.with_facts(constraint_results=found), found, kit.params)


def _decided(record: Record, found: list[dict[str, Json]], params: Params) -> Outcome:
    """Keep or drop by the settings; the results stand on the record either way."""
    passed, failed, skipped = (
        [each for each in found if each[params.reading] == verdict]
        for verdict in ("pass", "fail", "skipped")
    )
    decided = len(passed) + len(failed)
    if len(passed) < params.min_share * decided - 1e-9:
        return Drop(record, "constraint_failed", _told(failed))
    if skipped and (params.undecided == "drop" or not decided):
        return Drop(record, "constraint_undecided", _told(skipped))
    return record


def _told(found: list[dict[str, Json]]) -> str:
    return "; ".join(f"{each['type']}: {each['why']}" for each in found)[:500]


VERIFIER = Verifier(check, Params)
