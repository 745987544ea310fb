"""Give each task the procedure of another task, to compare its own with.

What a procedure is worth shows against a wrong one: the steps of another task of the same
language, drawn, under the fact ``other_steps``. A task that is alone in its language gets none.

Source: Wu et al., "Improving Cross-Task Generalization with Step-by-Step Instructions", 2023,
arXiv:2305.04429 (ablations).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from engine.core import Json, Outcome, Record
from engine.kit import Desk, NoParams, Pass
from engine.spool import Spool

Procedures = dict[str, list[str]]


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[NoParams]
) -> Iterator[Outcome]:
    """Every task with another's steps; those of earlier rounds are among those drawn from."""
    known: defaultdict[str, Procedures] = defaultdict(dict)
    with Spool[Record]() as waiting:
        for record in kept:
            _note(record, known)
        for record in fresh:
            _note(record, known)
            waiting.put(record)
        for record in waiting:
            yield record.with_facts(other_steps=_drawn(record, known[record.language], desk))


def _note(record: Record, known: defaultdict[str, Procedures]) -> None:
    if steps := record.facts.get("steps"):
        known[record.language].setdefault(str(record.facts.get("task_id")), list(steps))


def _drawn(record: Record, known: Procedures, desk: Desk[NoParams]) -> Json:
    own = str(record.facts.get("task_id"))
    others = sorted(task for task, steps in known.items() if task != own)
    if not others:
        return None
    task = desk.random("other", own).choice(others)
    return {"task_id": task, "steps": known[task]}


PASS = Pass(settle, NoParams)
