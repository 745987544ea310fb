"""Demonstrations drawn from a pool that grows: human seed tasks, and what the job has kept.

Each seed of this source is one draw: a handful of tasks to show to a model that is to think of
new ones. In the first round there are only human tasks; from the second on, some of the tasks
shown are the job's own, as it kept them at the step ``grow_from``. A draw holds one language
only. Where a language has fewer human tasks than a draw wants, the draw shows all it has: a
shorter list is better than one that leads the model into another language.

The pool is read anew in every round and sampled, so memory does not grow with the job.

Source: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated
Instructions", 2022, arXiv:2212.10560, section 2.2: 175 human tasks; 8 in a draw, 2 of them
machine-made.
Differs: draws for several languages, in given shares; the pool grows between rounds, not
between calls, so that the draws do not depend on the order in which replies arrive. As many
``machine`` as ``demonstrations`` leave the human tasks behind (extrapolation, arXiv:2308.12711).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from engine.core import JobError, Json, Record
from engine.kit import InputPath, Source, Well

Task = dict[str, Json]
L = TypeVar("L", bound=BaseModel)


class Params(BaseModel, extra="forbid"):
    """Where the human tasks are and how to draw from the pool."""

    path: InputPath
    """JSON Lines of human tasks: ``instruction``, and where they exist ``input``, ``output``,
    ``language`` and ``is_classification``; or ``instances``, a list of ``input`` and ``output``."""
    language: str = ""
    """BCP-47 tag of the lines that do not name their language."""
    languages: dict[str, float] | None = None
    """Weight of each language among the draws; every language of the file alike where absent."""
    grow_from: str = ""
    """The step whose kept records join the pool from the second round on; none where empty."""
    demonstrations: int = Field(default=8, ge=1, le=100)
    """Tasks in a draw."""
    machine: int = Field(default=2, ge=0)
    """How many of them are machine-made; human ones stand in while there are fewer."""
    pool_limit: int = Field(default=20_000, ge=1)
    """Kept tasks to hold in memory, per language; a random sample where there are more."""
    licence: str = ""
    """Licence of the human tasks, e.g. ``Apache-2.0``; goes into every record and the card."""


class Instance(BaseModel):
    """One input of a task and the output to it."""

    input: str = ""
    output: str = ""


class Line(BaseModel):
    """A line of the file; fields it does not know are passed over."""

    instruction: str = Field(min_length=1)
    input: str = ""
    output: str = ""
    language: str = ""
    is_classification: bool | None = None
    instances: list[Instance] = Field(default_factory=list)

    def task(self) -> Task:
        """The task as a draw shows it, with its first instance."""
        first = self.instances[0] if self.instances else Instance(**self.model_dump())
        task: Task = {"instruction": self.instruction, "input": first.input, "output": first.output}
        known = self.is_classification is not None
        return task | ({"is_classification": self.is_classification} if known else {})


@dataclass(frozen=True, slots=True)
class Pool:
    """The tasks at hand, by language."""

    human: Mapping[str, list[Task]]
    machine: Mapping[str, list[Task]]

    def draw(self, language: str, params: Params, rng: random.Random) -> list[Task]:
        """Machine-made tasks, human ones up to the full number, shuffled together."""
        human, machine = self.human[language], self.machine.get(language, [])
        made = min(params.machine, params.demonstrations, len(machine))
        drawn = rng.sample(machine, made)
        drawn += rng.sample(human, min(params.demonstrations - made, len(human)))
        rng.shuffle(drawn)
        return drawn


def read(well: Well[Params]) -> Iterator[Record]:
    """Draws without end; draw ``i`` of a round is the same at every start.

    Raises:
        JobError: the file has no task, a line is not one, or ``languages`` names one it lacks.
    """
    params = well.params
    human = _human(params)
    weights = params.languages or dict.fromkeys(sorted(human), 1.0)
    _check_weights(weights, human, params.path)
    pool = Pool(human, _machine(well))
    origin = {"source": well.name} | ({"licence": params.licence} if params.licence else {})
    turns = islice(_turns(weights, well.random("languages")), well.start, None)
    for draw, language in enumerate(turns):
        rng = well.random(well.round, draw)
        shown = pool.draw(language, params, rng)
        facts = {**origin, "round": well.round, "demonstrations": shown}
        yield Record(well.id(well.round, draw), language, facts=facts)


def _turns(weights: Mapping[str, float], rng: random.Random) -> Iterator[str]:
    """Languages in turn, each as often as its weight says, over rounds as well as within one.

    The one that is furthest behind its share comes next, so that no language waits for luck.
    """
    order = rng.sample(sorted(weights), len(weights))
    behind = dict.fromkeys(order, 0.0)
    total = sum(weights.values())
    while True:
        for language in order:
            behind[language] += weights[language] / total
        turn = max(order, key=behind.__getitem__)
        behind[turn] -= 1
        yield turn


def rows(path: Path, kind: type[L]) -> Iterator[tuple[str, L]]:
    """Each line of a JSON Lines file as its type, with its place; a ``JobError`` if it is not."""
    for number, line in _lines(path):
        where = f"{path}:{number}"
        try:
            row = kind.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise JobError(f"{where}: {field + ': ' if field else ''}{first['msg']}") from error
        yield where, row


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from ((n, line) for n, line in enumerate(file, start=1) if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{path}: not a readable UTF-8 file: {error}") from error


def _human(params: Params) -> dict[str, list[Task]]:
    tasks: dict[str, list[Task]] = defaultdict(list)
    for where, row in rows(params.path, Line):
        language = row.language or params.language
        if not language:
            raise JobError(f"{where}: no language; add the field, or set `language` for all lines")
        tasks[language].append(row.task())
    return dict(tasks)


def _check_weights(weights: Mapping[str, float], human: Iterable[str], path: Path) -> None:
    if not human:
        raise JobError(f"{path}: holds no task")
    if missing := sorted(set(weights) - set(human)):
        raise JobError(f"{path}: no task in {', '.join(missing)}; it has {', '.join(human)}")
    if min(weights.values()) < 0 or not sum(weights.values()) > 0:
        raise JobError("`languages`: a weight is 0 or more, and one of them is above 0")


def _machine(well: Well[Params]) -> dict[str, list[Task]]:
    """What the job kept, by language; each language's own sample where there is too much."""
    tasks: dict[str, list[Task]] = defaultdict(list)
    if not well.params.grow_from or well.round == 0:
        return tasks
    rng, seen = well.random("reservoir", well.round), defaultdict[str, int](int)
    for record in well.kept(well.params.grow_from):
        seen[record.language] += 1
        sample = tasks[record.language]
        if len(sample) < well.params.pool_limit:
            sample.append(_made(record))
        elif (slot := rng.randrange(seen[record.language])) < well.params.pool_limit:
            sample[slot] = _made(record)
    return tasks


def _made(record: Record) -> Task:
    instruction = record.facts.get("instruction") or record.last("user")
    known = {k: record.facts[k] for k in ("is_classification", "round") if k in record.facts}
    task = {"instruction": instruction, "input": record.facts.get("input", "")}
    return task | {"output": record.last("assistant")} | known


SOURCE = Source(read, Params, endless=True)
