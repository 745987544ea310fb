"""Assign each record to train, validation or test, relatives together.

A validation record whose sibling is in training measures memory, not skill. So the split is
drawn by family: all records that descend from one seed, and, with ``group``, all that share a
fact such as the document they were made from, and whoever is related to one of those in either
way. Who is related is known when all records are, so with ``group`` they wait on disk until
then. A record that relates families which earlier rounds put into different splits can go into
none of them: it is dropped (``between_splits``).

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

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

import orjson
from pydantic import BaseModel, Field, model_validator

from engine.core import Drop, Outcome, Record, stable_id
from engine.kit import Desk, Pass
from engine.spool import Spool


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    validation: float = Field(default=0.05, ge=0, le=1)
    """Share (0..1) of families held out for validation."""
    test: float = Field(default=0.0, ge=0, le=1)
    """Share (0..1) of families held out for testing."""
    group: str | list[str] = ""
    """A fact, e.g. ``document``, or several, whose equal values make relatives, as a common seed
    does; only the seed if empty. A record that lacks the fact has no relatives by it."""
    exact: bool = False
    """Whether the shares hold for every count of families, not only on average."""

    @model_validator(mode="after")
    def _shares_fit(self) -> Params:
        if self.validation + self.test > 1:
            raise ValueError("validation and test are more than 1 together")
        return self


Draw = Callable[[str], str]


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every record with the fact ``split``."""
    groups = [desk.params.group] if isinstance(desk.params.group, str) else desk.params.group
    if not any(groups):
        draw = _counted(_settled(kept), desk) if desk.params.exact else _by_name(desk)
        yield from (record.with_facts(split=draw(seed_of(record))) for record in fresh)
        return
    families = Families(groups)
    with Spool[Record]() as waiting:
        before = {families.join(record): str(record.facts["split"]) for record in kept}
        for record in fresh:
            families.join(record)
            waiting.put(record)
        yield from _with_relatives(waiting, families, before, desk)


def _with_relatives(
    records: Iterable[Record], families: Families, before: Mapping[str, str], desk: Desk[Params]
) -> Iterator[Outcome]:
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for name, split in before.items():
        splits[families.first(name)].add(split)
    settled = {name: min(found) for name, found in splits.items()}
    draw = _counted(settled.items(), desk) if desk.params.exact else _by_name(desk)
    for record in records:
        name = families.first(seed_of(record))
        if len(splits[name]) > 1:
            yield Drop(record, "between_splits", f"related to {' and '.join(sorted(splits[name]))}")
        else:
            yield record.with_facts(split=settled.get(name) or draw(name))


class Families:
    """Who is related, and by what name their family goes: the least of its seeds' and groups'."""

    def __init__(self, groups: Iterable[str]) -> None:
        """Nobody yet; ``groups`` are facts that relate."""
        self._groups = [group for group in groups if group]
        self._above: dict[str, str] = {}

    def join(self, record: Record) -> str:
        """Relate the record's seed with its groups; returns the seed."""
        seed = seed_of(record)
        for group in self._groups:
            if record.facts.get(group) is not None:
                value = orjson.dumps(record.facts[group], option=orjson.OPT_SORT_KEYS)
                one, two = self.first(seed), self.first(stable_id(group, value.decode()))
                self._above[max(one, two)] = min(one, two)
        return seed

    def first(self, name: str) -> str:
        """The name of the family that ``name`` belongs to."""
        above = name
        while (higher := self._above.get(above, above)) != above:
            above = higher
        while name != above:
            self._above[name], name = above, self._above[name]
        return above


def seed_of(record: Record) -> str:
    """The id of the seed that a record descends from."""
    return record.lineage[0].parent if record.lineage else record.id


def _settled(kept: Iterable[Record]) -> Iterator[tuple[str, str]]:
    return ((seed_of(record), str(record.facts["split"])) for record in kept)


def _by_name(desk: Desk[Params]) -> Draw:
    def draw(name: str) -> str:
        place = desk.random("family", name).random()
        if place < desk.params.test:
            return "test"
        return "validation" if place >= 1 - desk.params.validation else "train"

    return draw


def _counted(before: Iterable[tuple[str, str]], desk: Desk[Params]) -> Draw:
    splits: dict[str, str] = {}
    counts = {"train": 0, "validation": 0, "test": 0}

    def settled(name: str, split: str) -> str:
        splits[name] = split
        counts[split] += 1
        return split

    for name, split in before:
        if name not in splits:
            settled(name, split)

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
