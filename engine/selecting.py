"""What passes that choose have in common: the candidates as columns, and what is noted on each.

A pass that chooses must see all records before it decides on the first. The records wait on disk
(``engine.spool``); in memory are their ids, scores and groups, and their vectors in one table.
Candidates stand in the order of their ids, and random draws go by id, so that the order in which
records arrive decides nothing.

Every candidate leaves with ``facts["selection"][<step>]``: whether it was ``selected``, its
``rank`` (from 1) ``of`` how many, the scores it was chosen by, what the pass adds, the ``seed`` of
the draws where there were any, and the ``settings``. What earlier rounds selected stays selected
and counts; so a size is that of all rounds together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from engine.core import Drop, JobError, Json, Outcome, Record, stable_id
from engine.kit import Desk
from engine.selection.picks import Picks
from engine.selection.whole import Table, whole
from engine.spool import Spool
from engine.text.embedding import Embedded, embedded
from engine.text.growing import Growing

FACT = "selection"
LANGUAGE = "language"
"""The group that every record has: its own language, not a fact."""
BETWEEN = " / "
"""Stands between the values of a group by several facts."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a record must have to be a candidate."""

    vectors: bool = False
    scores: Sequence[str] = ()
    """Facts with a number, dots between levels: ``scores.mean``."""
    groups: Sequence[str] = ()
    """Facts whose values make a group, ``language`` being the record's own."""
    positive: bool = False
    """Whether a score below 0 is none."""


class Choice(NamedTuple):
    """What becomes of a candidate."""

    rank: int
    reason: str = ""
    """The slug under which it is dropped; empty where it is selected."""
    detail: str = ""
    facts: Mapping[str, Json] = {}
    """What else is noted on it."""


@dataclass(slots=True)
class Candidates:
    """The records that can be chosen, in the order of their ids, and those chosen before."""

    ids: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    """Ids of what earlier rounds selected and can be compared, in the order of ids."""
    vectors: Table = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """Rows for ``before``, then for ``ids``; empty unless asked for."""
    scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    before_groups: list[str] = field(default_factory=list)
    selected: int = 0
    """How many records earlier rounds selected, with or without a vector."""
    have: Counter[str] = field(default_factory=Counter)
    """How many of each group; copies counted."""
    _step: str = ""
    _settings: Mapping[str, Json] = field(default_factory=dict)
    _places: list[int | tuple[str, str]] = field(default_factory=list)
    """For each record, as it came: its row here, or why it is no candidate."""
    _spool: Iterable[Record] = ()

    def room(self, size: int | None) -> int:
        """How many may still be selected, if ``size`` is that of all rounds."""
        return len(self.ids) if size is None else max(0, size - self.selected)

    def best_first(self, path: str) -> list[int]:
        """Rows from the highest score to the lowest; equals by id."""
        order: list[int] = np.argsort(-self.scores[path], kind="stable").tolist()
        return order

    def drawn(self, seed: str) -> list[int]:
        """Rows in an order that is drawn; which of two comes first no other decides."""
        return sorted(range(len(self.ids)), key=lambda row: stable_id(seed, self.ids[row]))

    def by_picks(self, picks: Picks, value: str, **facts: Json) -> Callable[[int], Choice]:
        """Those that were taken, ranked with the others; ``value`` names what they were taken for.

        Rows of ``picks`` are those of ``vectors``.
        """
        order = picks.taken + picks.rest
        values = picks.values + picks.rest_values
        places = {row - len(self.before): place for place, row in enumerate(order)}

        def choose(row: int) -> Choice:
            place = places[row]
            number = values[place]
            noted = facts if number is None else {value: round(number, 6), **facts}
            if place < len(picks.taken):
                return Choice(place + 1, facts=noted)
            detail = f"rank {place + 1} of {len(order)}; {len(picks.taken)} are selected"
            detail += "" if number is None else f"; {value} {number:.4f}"
            return Choice(place + 1, "not_selected", detail, noted)

        return choose

    def ordered(self, score: str | None, seed: str) -> dict[str, list[int]]:
        """Rows of each group, those first that are taken first: by score, or drawn."""
        orders: dict[str, list[int]] = {name: [] for name in sorted({*self.groups, *self.have})}
        for row in self.best_first(score) if score else self.drawn(seed):
            orders[self.groups[row]].append(row)
        return orders

    def by_group(
        self,
        orders: Mapping[str, Sequence[int]],
        takes: Mapping[str, int],
        quotas: Mapping[str, int],
        **facts: Json,
    ) -> Callable[[int], Choice]:
        """The first of each group as many as it takes; more than there are are copies."""
        places = {row: place for rows in orders.values() for place, row in enumerate(rows)}

        def choose(row: int) -> Choice:
            name = self.groups[row]
            place, count = places[row], len(orders[name])
            copies = takes[name] // count + (place < takes[name] % count)
            noted = {"group": name, "of": count, "quota": quotas[name], **facts}
            if copies > 1:
                noted["copies"] = copies
            detail = f"rank {place + 1} of {count} in {name}; {min(count, takes[name])} are taken"
            return Choice(place + 1, "" if copies else "over_quota", detail, noted)

        return choose

    def outcomes(self, choose: Callable[[int], Choice]) -> Iterator[Outcome]:
        """Every fresh record as it came, selected or dropped."""
        for place, record in zip(self._places, self._spool, strict=True):
            if isinstance(place, int):
                yield self._outcome(record, choose(place), place)
            else:
                yield Drop(self._noted(record, selected=False), *place)

    def _outcome(self, record: Record, choice: Choice, row: int) -> Outcome:
        facts: dict[str, Json] = {"rank": choice.rank, "of": len(self.ids), **choice.facts}
        if self.scores:
            facts["scores"] = {path: float(column[row]) for path, column in self.scores.items()}
        noted = self._noted(record, selected=not choice.reason, **facts)
        return Drop(noted, choice.reason, choice.detail) if choice.reason else noted

    def _noted(self, record: Record, **facts: Json) -> Record:
        mine = {**facts, "settings": self._settings}
        said = {**_selections(record), self._step: mine}
        return record.with_facts(**{FACT: said})


def seed_of(desk: Desk[Any]) -> str:
    """The seed of a pass's draws, as it is noted."""
    return f"{desk.random('draw').getrandbits(64):016x}"


@contextmanager
def gathered(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Any], needs: Needs
) -> Iterator[Candidates]:
    """The candidates among ``fresh``, and what was selected of ``kept``.

    Raises:
        JobError: no record at all has a score or a group that is needed, or vectors are missing.
    """
    with Spool[Record]() as spool:
        yield _Columns(needs).read(fresh, kept, desk, spool)


class _Columns:
    """Candidates in the making, in the order they come."""

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._ids: tuple[list[str], list[str]] = ([], [])
        self._groups: tuple[list[str], list[str]] = ([], [])
        self._scores: list[tuple[float, ...]] = []
        self._vectors: Growing[np.float32] | None = None
        self._missing: Counter[str] = Counter()
        self._seen = 0
        self._there: set[str] = set()

    def read(
        self,
        fresh: Iterable[Record],
        kept: Iterable[Record],
        desk: Desk[Any],
        spool: Spool[Record],
    ) -> Candidates:
        settings = desk.params.model_dump(mode="json", exclude_none=True)
        found = Candidates(_step=desk.name, _settings=settings, _spool=spool)
        chosen = (record for record in kept if _chosen(record, desk.name))
        sets = embedded(chosen, fresh) if self._needs.vectors else map(_bare, (chosen, fresh))
        for blocks, is_fresh in zip(sets, (False, True), strict=True):
            for each in (each for block in blocks for each in block):
                group = self._grouped(each.record)
                reason = self._add(each, group, is_fresh)
                if is_fresh:
                    spool.put(each.record)
                    found._places.append(reason or len(self._ids[1]) - 1)
                else:
                    found.selected += 1
                    found.have[group or ""] += _copies(each.record, desk.name)
        self._check()
        del found.have[""]
        return self._sorted(found)

    def _add(self, each: Embedded, group: str | None, is_fresh: bool) -> tuple[str, str] | None:
        """Note a record; why it is no candidate where it is none."""
        scores = self._scored(each.record)
        self._seen += 1
        self._there |= {*each.record.facts} if self._missing else set()
        if self._needs.vectors and each.vector is None:
            return "no_vector", "there is no text that was embedded"
        if is_fresh and isinstance(scores, str):
            return "no_score", scores
        if group is None:
            return "no_group", f"no value under {' or '.join(self._needs.groups)}"
        if each.vector is not None:
            self._vectors = self._vectors or Growing(len(each.vector), np.float32)
            self._vectors.extend(whole(each.vector)[None])
        self._ids[is_fresh].append(each.record.id)
        self._groups[is_fresh].append(group)
        if is_fresh and not isinstance(scores, str):
            self._scores.append(scores)
        return None

    def _scored(self, record: Record) -> tuple[float, ...] | str:
        found = []
        for path in self._needs.scores:
            value = value_at(record.facts, path)
            if isinstance(value, bool) or not isinstance(value, int | float):
                self._missing[path] += 1
                return f"no number under {path}"
            if not math.isfinite(value) or (self._needs.positive and value < 0):
                return f"{value} under {path}"
            found.append(float(value))
        return tuple(found)

    def _grouped(self, record: Record) -> str | None:
        labels = []
        for path in self._needs.groups:
            value = record.language if path == LANGUAGE else value_at(record.facts, path)
            if value is None or value == "":
                self._missing[path] += 1
                return None
            if not isinstance(value, str):
                value = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
            labels.append(value)
        return BETWEEN.join(labels)

    def _check(self) -> None:
        for path in (*self._needs.scores, *self._needs.groups):
            if self._seen and self._missing[path] >= self._seen:
                there = ", ".join(sorted(self._there)[:20]) or "none"
                raise JobError(f"no record has a fact {path!r}; there are: {there}")

    def _sorted(self, found: Candidates) -> Candidates:
        """The columns in the order of ids, earlier rounds first."""
        old, new = (sorted(range(len(ids)), key=ids.__getitem__) for ids in self._ids)
        row_of = {was: row for row, was in enumerate(new)}
        found._places = [row_of[p] if isinstance(p, int) else p for p in found._places]
        found.before = [self._ids[0][at] for at in old]
        found.ids = [self._ids[1][at] for at in new]
        found.before_groups = [self._groups[0][at] for at in old]
        found.groups = [self._groups[1][at] for at in new]
        for number, path in enumerate(self._needs.scores):
            found.scores[path] = np.array([self._scores[at][number] for at in new], np.float64)
        if self._vectors:
            found.vectors = self._vectors.rows[old + [len(old) + at for at in new]]
        return found


def value_at(facts: Mapping[str, Json], path: str) -> Json:
    """The value under a name with dots between levels; None where there is none."""
    value: Json = facts
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _bare(records: Iterable[Record]) -> Iterator[list[Embedded]]:
    return ([Embedded(record, None)] for record in records)


def _selections(record: Record) -> dict[str, Json]:
    found = record.facts.get(FACT)
    return dict(found) if isinstance(found, Mapping) else {}


def _copies(record: Record, name: str) -> int:
    return int(_selections(record).get(name, {}).get("copies", 1))


def _chosen(record: Record, name: str) -> bool:
    """Whether an earlier round selected it; a job may keep with a mark what was not."""
    return bool(_selections(record).get(name, {}).get("selected", True))
