"""Draw, for each task that can be first, tasks that might follow it.

To judge every pair of a pool would take its square in calls. So each task that leads is given a
few partners of its own language, drawn from all that take an input, those of earlier rounds too;
``chain_links`` judges those. A draw goes by the task's id, so that a pool which grows changes
no more than it must.

Source: Hayati et al., "Chain-of-Instructions: Compositional Instruction Tuning on Large Language
Models", 2024, arXiv:2402.11532 (pairs of single tasks, judged one by one).
Differs: a fixed number of partners for each task, where the paper judges pairs within and across
categories of its own collection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Drop, Json, Outcome, Record
from engine.kit import Desk, Pass
from engine.spool import Spool
from engine.text.sameness import bare

Task = dict[str, Json]


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    partners: int = Field(default=5, ge=1, le=1000)
    """Tasks drawn for each that can lead: as many calls of the judge."""
    shown: int = Field(default=400, ge=0)
    """Characters of a partner's input and output that are shown to the judge as its example."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every task with its ``partners``; none for one that cannot lead."""
    followers: defaultdict[str, dict[str, Task]] = defaultdict(dict)
    with Spool[Record]() as waiting:
        for record in kept:
            _note(record, followers, desk.params.shown)
        for record in fresh:
            _note(record, followers, desk.params.shown)
            waiting.put(record)
        for record in waiting:
            if not (record.facts.get("leads") or record.facts.get("follows")):
                yield Drop(record, "no_place_in_a_chain")
                continue
            among = followers[record.language]
            partners = _drawn(record, among, desk) if record.facts.get("leads") else []
            yield record.with_facts(partners=partners)


def _note(record: Record, followers: dict[str, dict[str, Task]], shown: int) -> None:
    if record.facts.get("follows") and record.facts.get("task"):
        task = str(record.facts["task"])
        example = {"input": str(record.facts.get("input", ""))[:shown]}
        example["output"] = record.last("assistant")[:shown]
        one = {"id": record.id, "task": task, "leads": bool(record.facts.get("leads")), **example}
        followers[record.language].setdefault(bare(task), one)


def _drawn(record: Record, among: dict[str, Task], desk: Desk[Params]) -> list[Task]:
    """Different tasks, none of them the record's own."""
    own = bare(str(record.facts.get("task", "")))
    names = sorted(name for name in among if name != own)
    count = min(desk.params.partners, len(names))
    return [among[name] for name in desk.random("partners", record.id).sample(names, count)]


PASS = Pass(settle, Params)
