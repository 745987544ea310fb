"""Gather the rows of each task in one record, so that what is made for a task is made once.

Rows that name the same task (a fact, ``task_id`` if the job does not say otherwise; else the same
instruction) are its instances. The first of them goes on, with all instances (the fact
``instances``), the definition, and a few positive examples: the task's own, where there are some,
else its first instances, which are then no longer targets. The other rows are dropped
(``gathered``), as are those that come in a later round than their task (``late_row``).

Source: Wang et al., "Super-NaturalInstructions: Generalization via Declarative Instructions on
1600+ NLP Tasks", 2022, arXiv:2204.07705 (tasks as definition, positive examples and instances).
Differs: a task may also come as rows, or as one row that holds its instances.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel, Field

from engine.core import Drop, Json, Outcome, Record
from engine.kit import Desk, Pass
from engine.spool import Spool
from engine.text.sameness import bare

Row = dict[str, str]


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    by: str = "task_id"
    """The fact that names a row's task; rows without it are of a task if they instruct alike."""
    examples: int = Field(default=2, ge=0, le=20)
    """Positive examples of a task: of its own, or else of its instances, the first ones."""
    instances: int = Field(default=100, ge=1)
    """Instances of a task that are kept, at most: the first ones."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """The first row of every task, with all its instances."""
    ask = desk.params
    before = {str(record.facts.get("task_id")) for record in kept}
    found: dict[str, list[Row]] = {}
    first: dict[str, str] = {}
    with Spool[Record]() as waiting:
        for record in fresh:
            waiting.put(record)
            task = _task(record, ask.by)
            first.setdefault(task, record.id)
            rows = found.setdefault(task, [])
            rows += _rows(record)[: max(0, ask.instances + ask.examples - len(rows))]
        for record in waiting:
            task = _task(record, ask.by)
            if task in before:
                yield Drop(record, "late_row", task)
            elif first[task] != record.id:
                yield Drop(record, "gathered", first[task])
            else:
                yield _gathered(record, task, found[task], ask)


def _gathered(record: Record, task: str, rows: list[Row], ask: Params) -> Outcome:
    own = [_row(each) for each in record.facts.get("examples") or () if _row(each)]
    examples = own[: ask.examples] if own else rows[: ask.examples]
    instances = rows[: ask.instances] if own else rows[ask.examples :][: ask.instances]
    if not instances:
        return Drop(record, "no_instance", task)
    facts: dict[str, Json] = {"task_id": task, "definition": _definition(record)}
    return record.with_facts(**facts, examples=examples, instances=instances)


def _task(record: Record, by: str) -> str:
    return str(record.facts.get(by) or bare(_definition(record)))


def _definition(record: Record) -> str:
    given = record.facts.get("definition") or record.facts.get("instruction")
    return str(given or record.last("user")).strip()


def _rows(record: Record) -> list[Row]:
    """The instances that a record holds, or the one that it is."""
    listed = record.facts.get("instances")
    if isinstance(listed, list | tuple):
        return [row for row in map(_row, listed) if row]
    own = _row({"input": record.facts.get("input"), "output": record.last("assistant")})
    return [own] if own else []


def _row(value: Json) -> Row:
    """An instance or example; of several outputs the first. Empty where it is none."""
    if not isinstance(value, Mapping):
        return {}
    output = value.get("output")
    output = next(iter(output), "") if isinstance(output, list | tuple) else output
    if not output:
        return {}
    others = {name: str(value.get(name) or "") for name in ("input", "explanation")}
    return {**others, "output": str(output)}


PASS = Pass(settle, Params)
