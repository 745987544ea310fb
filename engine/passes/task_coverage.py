"""Deal out task types, so that none of them starves in any language.

Every record gets the types that its language has had least so far, earlier rounds included;
among equals the job's seed draws. After n records of a language the counts of its types differ by
one at most. Nothing is dropped: the types are noted in the fact ``task_types``, for ``bonito``. A
record that comes with such a fact keeps it, and it counts.

Source: Nayak et al., "Learning to Generate Instruction Tuning Datasets for Zero-Shot Task
Adaptation", 2024, arXiv:2402.18334 (the sixteen types).
Differs: there one type is stated for a whole dataset; here they are spread evenly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass
from engine.text.task_types import kinds, short, stated

FACT = "task_types"


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    task_types: tuple[str, ...] = Field(default_factory=lambda: tuple(kinds()), min_length=1)
    """The types that are dealt out, by short or full names; all sixteen by default."""
    per_context: int = Field(default=1, ge=1, le=16)
    """Types for each record, none twice."""

    @field_validator("task_types")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(short, given)))


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Note the types of each record."""
    dealt: Counter[tuple[str, str]] = Counter()
    for record in kept:
        dealt.update((record.language, name) for name in record.facts.get(FACT, ()))
    for record in fresh:
        try:
            names = stated(record.facts.get(FACT)) or _least(record, dealt, desk)
        except ValueError as error:
            yield Drop(record, "unknown_task_type", str(error))
            continue
        dealt.update((record.language, name) for name in names)
        yield record.with_facts(**{FACT: names})


def _least(record: Record, dealt: Counter[tuple[str, str]], desk: Desk[Params]) -> list[str]:
    among = desk.params.task_types
    drawn = desk.random(record.id).sample(among, len(among))
    drawn.sort(key=lambda name: dealt[record.language, name])
    return drawn[: desk.params.per_context]


PASS = Pass(settle, Params)
