"""One record for each field in which a model is weak, with what it did wrong there.

Records are failures: each has a ``weakness`` and a category. Those of one language and category
make a weak point where there are ``at_least``; its first record carries them on, as the facts
``failures`` (how many) and ``weaknesses`` (the first ``shown`` that differ), and the others end
here (``told_together``). Fewer are chance (``too_few_failures``). At most ``size`` weak points a
round go on, those with the most failures first (``minor_weakness``); one that an earlier round
carried on is not carried again (``known_weakness``).

Source: Du et al., "Scaling Towards the Information Boundary of Instruction Set:
InfinityInstruct-Subject Technical Report", 2025, arXiv:2507.06968 (diagnosis, then targeted
instructions).
Differs: failures are counted, not taken as a rate: what a model masters was dropped before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import value_at
from engine.text.sameness import bare

Group = tuple[str, str]
"""Language and category."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    by: str = "label.category"
    """The fact that says a record's field, dots between levels; ``label.macro`` is wider."""
    at_least: int = Field(default=1, ge=1)
    """Failures of a language and field from which on they are a weak point."""
    shown: int = Field(default=8, ge=1)
    """Weaknesses that a weak point lists, at most."""
    size: int | None = Field(default=None, ge=1)
    """Weak points that go on in a round, at most; left out, all."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Gather failures by language and field, in order; see the module."""
    ask, groups = desk.params, defaultdict[Group, list[Record]](list)
    known = {_group(record, ask) for record in kept}
    for record in fresh:
        groups[_group(record, ask)].append(record)
    ranked = sorted(groups, key=lambda group: (-len(groups[group]), group))
    going = [g for g in ranked if len(groups[g]) >= ask.at_least and g not in known][: ask.size]
    for group, records in groups.items():
        first, *others = records
        if group in going:
            yield first.with_facts(failures=len(records), weaknesses=_listed(records, ask.shown))
            yield from (Drop(record, "told_together", f"by {first.id}") for record in others)
        else:
            few = len(records) < ask.at_least
            why = "too_few_failures" if few else "minor_weakness"
            why = "known_weakness" if group in known else why
            yield from (Drop(record, why, f"{len(records)} failures") for record in records)


def _group(record: Record, ask: Params) -> Group:
    return record.language, str(value_at(record.facts, ask.by) or "")


def _listed(records: Iterable[Record], most: int) -> list[str]:
    """What went wrong, each thing once."""
    said = (str(record.facts.get("weakness") or "").strip() for record in records)
    found = {bare(text): text for text in said if text}
    return list(found.values())[:most]


PASS = Pass(settle, Params)
