"""Safety quota: keep as much of the stratum ``safety`` as is wanted, spread evenly.

A little refusing goes a long way; too much makes a model that refuses what is harmless. The
stratum (``facts["safety"]["stratum"]``, see ``safety_route``) may make up ``share`` of all that
this pass keeps, and not one record more: of n other records and a share s, floor(n s / (1 - s))
stay, or all there are. They are dealt out one by one, to the language with the fewest so far that
has some left, and there to the category with the fewest: large ones cannot crowd out small ones,
and what a small one cannot fill goes to the rest. Which records of a category stay is drawn.

Other records pass as they come; those of the stratum wait for the end, in memory. What earlier
rounds kept counts: the share and the spread hold over all rounds, as far as these allow.

Source: Bianchi et al., "Safety-Tuned LLaMAs: Lessons From Improving the Safety of Large Language
Models that Follow Instructions", 2023, arXiv:2309.07875 (a few percent suffice, more teaches to
refuse).
Differs: the spread over languages and categories; exact counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass

Cell = tuple[str, str]
"""A language and a category."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    share: float = Field(default=0.03, ge=0, le=1)
    """Most that the stratum may be of all that is kept, 0..1; 1 keeps all of it."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every record outside the stratum; of the stratum as many as fit, spread evenly."""
    others, held = 0, Counter[Cell]()
    for record in kept:
        if is_safety(record):
            held[_cell(record)] += 1
        else:
            others += 1
    waiting: dict[Cell, list[Record]] = defaultdict(list)
    for record in fresh:
        if is_safety(record):
            waiting[_cell(record)].append(record)
        else:
            others += 1
            yield record
    total = sum(held.values()) + sum(map(len, waiting.values()))
    free = _quota(desk.params.share, others, total) - sum(held.values())
    places = _dealt({cell: len(several) for cell, several in waiting.items()}, held, free)
    for cell in sorted(waiting):
        drawn = sorted(waiting[cell], key=lambda r: desk.random("draw", r.id).random())
        yield from drawn[: places[cell]]
        for record in drawn[places[cell] :]:
            yield Drop(record, "over_safety_quota", f"{cell[0]}, {cell[1]}: {places[cell]} kept")


def is_safety(record: Record) -> bool:
    """Whether a record is of the stratum."""
    safety = record.facts.get("safety")
    return isinstance(safety, Mapping) and safety.get("stratum") == "safety"


def _cell(record: Record) -> Cell:
    return record.language, str(record.facts["safety"].get("category", ""))


def _quota(share: float, others: int, total: int) -> int:
    """Records of the stratum that may be kept beside so many others."""
    exact = Fraction(str(share))
    return total if exact == 1 else int(others * exact / (1 - exact))


def _dealt(there: Mapping[Cell, int], held: Counter[Cell], free: int) -> Counter[Cell]:
    """How many of each cell stay; ``free`` in all, or as many as there are."""
    left, given = Counter(there), Counter[Cell]()
    by_cell = Counter(held)
    by_language = Counter[str]()
    for (language, _), number in held.items():
        by_language[language] += number
    for _ in range(min(max(free, 0), left.total())):
        cell = min(left, key=lambda c: (by_language[c[0]], by_cell[c], c))
        given[cell] += 1
        by_cell[cell] += 1
        by_language[cell[0]] += 1
        left[cell] -= 1
        if not left[cell]:
            del left[cell]
    return given


PASS = Pass(settle, Params)
