"""Phases: each instruction belongs to one phase of training, in exact counts, in every language.

A reward model that has seen the instructions of the supervised phase, or a policy that is trained
on those of its own reward model, is judged by its memory. So each instruction, known by ``by`` (the
fact that its translations share; a record without it goes by its own id), gets one phase and keeps
it: in all its languages, its pairs and the rounds to come. The fact ``phase`` says which.

``counts`` are instructions, not records. New instructions take the phases in a sequence that the
job's seed draws and that is cut into stretches: at the end of each every phase is as near to its
share as whole numbers can be, and at the end of all each has exactly its count. What comes then is
dropped (``over_quota``). The sequence knows nothing of rounds, nor of what steps behind this one
do: jobs with the same source, seed, step name and counts agree on every instruction, so that one
job for each phase makes disjoint sets. The filter ``phase`` keeps the phases that a job is for;
before anything is asked of a model, this costs nothing.

Source: Lai et al., "Okapi: Instruction-tuned Large Language Models in Multiple Languages with
Reinforcement Learning from Human Feedback", 2023, arXiv:2307.16039 (52K instructions for supervised
tuning, 42K for the reward model, 64K for reinforcement learning, in each of 26 languages).
Differs: disjoint by instruction over all languages together. ``split`` holds shares out for
measuring; phases have names, counts and nothing left over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from pydantic import BaseModel, Field, PositiveInt

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass

FACT = "phase"
STRETCH = 100
"""Instructions in a stretch."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    counts: dict[str, PositiveInt] = Field(min_length=1)
    """Phase -> instructions in all rounds together, e.g. ``{supervised: 52000, reward: 42000}``."""
    by: str = "parallel_id"
    """The fact that is the same for one instruction in all languages."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every record with the phase of its instruction; see the module."""
    phases = {instruction(record, desk.params.by): str(record.facts[FACT]) for record in kept}
    coming = islice(_sequence(desk.params.counts, desk), len(phases), None)
    for record in fresh:
        name = instruction(record, desk.params.by)
        if name not in phases and (phase := next(coming, "")):
            phases[name] = phase
        if name in phases:
            yield record.with_facts(**{FACT: phases[name]})
        else:
            yield Drop(record, "over_quota", "every phase has its instructions")


def instruction(record: Record, by: str) -> str:
    """What an instruction is known by in all its languages."""
    known = record.facts.get(by)
    return record.id if known is None or known == "" else str(known)  # 0 is a number like any


def _sequence(counts: Mapping[str, int], desk: Desk[Params]) -> Iterator[str]:
    """The phases of the first, the second and every other instruction."""
    due = _due(counts)
    for stretch in range(-(-sum(counts.values()) // STRETCH)):
        phases = list(islice(due, STRETCH))
        desk.random("stretch", stretch).shuffle(phases)
        yield from phases


def _due(counts: Mapping[str, int]) -> Iterator[str]:
    """One after the other the phase that is furthest behind its share; of equals the first."""
    have, total = dict.fromkeys(counts, 0), sum(counts.values())
    for place in range(1, total + 1):
        behind = {phase: count * place - have[phase] * total for phase, count in counts.items()}
        phase = max(behind, key=behind.__getitem__)
        have[phase] += 1
        yield phase


PASS = Pass(settle, Params)
