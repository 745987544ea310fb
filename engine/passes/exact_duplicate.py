"""Keep the first of records that are the same text.

The cheapest of the passes that remove copies: one hash a record, 0.2 kB for each that is kept.
The same are texts that look the same to a reader (``engine.text.sameness``): neither case nor
white space, width of letters or hidden signs tell them apart, nor, where the job says so,
punctuation or digits. A record with nothing in it is the same as none and is kept; with ``both``,
that is where both sides are empty.

Source: Lee et al., "Deduplicating Training Data Makes Language Models Better", 2021,
arXiv:2107.06499 (why copies go before training).
Differs: whole texts, not spans; the first in order is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import BaseModel

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass
from engine.text.sameness import bare, key


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    field: Literal["instruction", "response", "both"] = "both"
    """What is compared: the last user message, the last reply, or each of the two."""
    punctuation: bool = True
    """Whether punctuation and symbols tell texts apart."""
    digits: bool = True
    """Whether digits do; if not, 3 x 4 and 5 x 6 are the same task."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the first of each, in order; what earlier rounds kept comes first."""
    seen: dict[bytes | None, str] = {}
    for record in kept:
        if (mark := _mark(record, desk.params)) is not None:
            seen.setdefault(mark, record.id)
    for record in fresh:
        mark = _mark(record, desk.params)
        if mark in seen:
            yield Drop(record, "exact_duplicate", f"same {desk.params.field} as {seen[mark]}")
            continue
        if mark is not None:
            seen[mark] = record.id
        yield record


def _mark(record: Record, ask: Params) -> bytes | None:
    """What equal records have in common; None where there is nothing."""
    sides = [record.last("user")] * (ask.field != "response")
    sides += [record.last("assistant")] * (ask.field != "instruction")
    texts = [bare(side, punctuation=ask.punctuation, digits=ask.digits) for side in sides]
    return key(*texts) if any(texts) else None


PASS = Pass(settle, Params)
