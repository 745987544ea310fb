"""Assign each record to train, validation or test, relatives together.

A validation record whose sibling is in training measures memory, not skill. So the split is
drawn by family: all records that descend from one seed, or, with ``group``, all that share a
fact such as the document they were made from.

The draw depends on the job's seed and the family alone: no other record can change it, in this
round or in another, and a larger share only moves families out of train. Shares then hold on
average; a small set may have no validation record at all. With ``exact`` the families are counted
in order, those of earlier rounds included, and after every n of them floor(n * share) or one more
are held out, at places drawn within their stretch (a periodic order, such as languages by turns,
does not matter). A family's place then depends on how many came before it.

Source: Kaufman et al., "Leakage in Data Mining: Formulation, Detection, and Avoidance", 2012,
doi:10.1145/2382577.2382579 (split by what records have in common); Bellhouse, "Systematic
sampling", Handbook of Statistics 6, 1988 (one draw per stretch).
Differs: both as streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import orjson
from pydantic import BaseModel, Field, model_validator

from engine.core import Outcome, Record, stable_id
from engine.kit import Desk, Pass


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    validation: float = Field(default=0.05, ge=0, le=1)
    """Share (0..1) of families held out for validation."""
    test: float = Field(default=0.0, ge=0, le=1)
    """Share (0..1) of families held out for testing."""
    group: str = ""
    """A fact, e.g. ``document``, whose equal values make a family; the seed if empty or not
    among a record's facts."""
    exact: bool = False
    """Whether the shares hold for every count of families, not only on average."""

    @model_validator(mode="after")
    def _shares_fit(self) -> Params:
        if self.validation + self.test > 1:
            raise ValueError("validation and test are more than 1 together")
        return self


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every record with the fact ``split``; none is dropped."""
    draw = _counted(kept, desk) if desk.params.exact else _by_name(desk)
    for record in fresh:
        yield record.with_facts(split=draw(family(record, desk.params.group)))


def family(record: Record, group: str = "") -> str:
    """What a record shares with its relatives: the value of a fact, or the id of its seed."""
    if group and record.facts.get(group) is not None:
        value = orjson.dumps(record.facts[group], option=orjson.OPT_SORT_KEYS)
        return stable_id(group, value.decode())
    return record.lineage[0].parent if record.lineage else record.id


def _by_name(desk: Desk[Params]) -> Callable[[str], str]:
    def draw(name: str) -> str:
        place = desk.random("family", name).random()
        if place < desk.params.test:
            return "test"
        return "validation" if place >= 1 - desk.params.validation else "train"

    return draw


def _counted(kept: Iterable[Record], desk: Desk[Params]) -> Callable[[str], str]:
    splits: dict[str, str] = {}
    counts = {"train": 0, "validation": 0, "test": 0}

    def settled(name: str, split: str) -> str:
        splits[name] = split
        counts[split] += 1
        return split

    for record in kept:
        name = family(record, desk.params.group)
        if name not in splits:
            settled(name, str(record.facts["split"]))

    def draw(name: str) -> str:
        return splits[name] if name in splits else settled(name, _due(counts, desk))

    return draw


def _due(counts: dict[str, int], desk: Desk[Params]) -> str:
    """The split of the next family, when so many have been assigned."""
    test, total = desk.params.test, desk.params.validation + desk.params.test
    held = counts["test"] + counts["validation"]
    if not _turn("held", held, held + counts["train"], total, desk):
        return "train"
    tested = bool(total) and _turn("test", counts["test"], held, test / total, desk)
    return "test" if tested else "validation"


def _turn(what: str, chosen: int, seen: int, share: float, desk: Desk[Params]) -> bool:
    """Whether the one after ``seen`` is chosen, as number ``chosen``, of its stretch."""
    place = chosen + desk.random(what, chosen).random()
    return share > 0 and seen >= int(place / share)


PASS = Pass(settle, Params)
