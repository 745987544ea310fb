"""Needles: the response gives exactly what was hidden, by a rule and no judge.

Made for rows of ``long_needles``, which say what is due (the fact ``needles``). The response is the
reference, which passes, or a model's: with ``left_open: true`` and a step between the two that has
a model answer (``bactrian`` does), the job that makes training rows tests a model.

Source: Kim, Russell, Karpinska, Iyyer, "One ruler to measure them all: Benchmarking multilingual
long-context language models" (ONERULER), 2025, arXiv:2503.01996 (its scorers).
Differs: a number is read in any script's digits; what a denial is, is asked of both languages where
question and text have two; codes that are words are held against the parts between commas.
"""

from __future__ import annotations

from pydantic import ValidationError

from engine.core import Drop, Message, Outcome, Record
from engine.kit import Kit, NoParams, Verifier
from engine.text.needle_scores import Due, fault


def check(record: Record, kit: Kit[NoParams]) -> Outcome:
    """Keep the record where the last response is right."""
    try:
        due = Due.model_validate(record.facts.get("needles"))
    except ValidationError as error:
        return Drop(record, "no_needles", f'facts["needles"]: {error.errors()[0]["msg"]}')
    said = record.messages[-1] if record.messages else Message("user", "")
    if said.role != "assistant" or not said.content.strip():
        return Drop(record, "no_response")
    if why := fault(said.content, due):
        return Drop(record, why, f"{said.content[:200]!r}, but {', '.join(due.expected)}")
    return record


VERIFIER = Verifier(check, NoParams)
