"""States of a task: the same query under other constraints, and which are a step away.

A state is a set of constraints. One step adds a constraint of the pool, removes one, or replaces
one by another of its kind. Breadth first, a state is found by as few steps as it can be reached
in, and never twice; where not all neighbours are followed, the few are drawn, the three operations
in turn, so that the many possible replacements do not crowd out the rest.

A constraint of the kind ``input`` says which material the task works on: it stays where it is, and
is never taken over from another task.

Source: Ma et al., "TCIA: A Task-Centric Instruction Augmentation Method for Instruction
Finetuning", 2025, arXiv:2508.20374 (breadth-first search over query and constraints).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from engine.core import Json, stable_id
from engine.text.sameness import bare

Kind = Literal["content", "number", "style", "format", "language", "input"]
"""What a constraint is about."""
Operation = Literal["add", "remove", "replace"]
FIXED: Kind = "input"


class Constraint(NamedTuple):
    """Something that is asked of an answer."""

    kind: str
    text: str

    @property
    def key(self) -> str:
        """The same for constraints that say the same letter by letter."""
        return bare(self.text, punctuation=False)


@dataclass(frozen=True, slots=True)
class State:
    """A set of constraints, and the step that led to it."""

    constraints: tuple[Constraint, ...]
    hop: int = 0
    """Steps from the start."""
    parent: State | None = None
    operation: Operation | None = None
    added: Constraint | None = None
    removed: Constraint | None = None

    @property
    def keys(self) -> frozenset[str]:
        """The constraints, whatever their order."""
        return frozenset(each.key for each in self.constraints)

    @property
    def id(self) -> str:
        """The same for the same set of constraints."""
        return stable_id("state", *sorted(self.keys))


@dataclass(frozen=True, slots=True)
class Limits:
    """How far to look."""

    hops: int
    branches: int | None = None
    """New states that are followed from one state; all where left out."""
    least: int = 1
    """Constraints of a state, at least."""
    most: int = 8
    """Constraints of a state, at most."""


def constraints_in(listed: Json) -> list[Constraint]:
    """The constraints in a fact, each once; what is none is passed over."""
    found: dict[str, Constraint] = {}
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, Mapping) and isinstance(each.get("text"), str):
            made = Constraint(str(each.get("kind")), each["text"].strip())
            if made.key:
                found.setdefault(made.key, made)
    return list(found.values())


def explore(
    start: Sequence[Constraint], pool: Sequence[Constraint], limits: Limits, rng: random.Random
) -> list[State]:
    """The states found, the start first, in the order they were found."""
    first = State(tuple(start))
    found, seen, queue = [first], {first.keys}, deque([first])
    while queue:
        state = queue.popleft()
        if state.hop == limits.hops:
            continue
        around = {each.keys: each for each in neighbours(state, pool, limits)}
        fresh = [each for keys, each in around.items() if keys not in seen]
        for each in _some(fresh, limits.branches, rng):
            seen.add(each.keys)
            found.append(each)
            queue.append(each)
    return found


def neighbours(state: State, pool: Sequence[Constraint], limits: Limits) -> Iterator[State]:
    """The states one step away: first what is added, then removed, then replaced."""
    has, now = state.keys, state.constraints
    free = [each for each in now if each.kind != FIXED]
    more = [each for each in pool if each.kind != FIXED and each.key not in has]
    if len(now) < limits.most:
        for each in more:
            yield State((*now, each), state.hop + 1, state, "add", added=each)
    if len(now) > limits.least:
        for old in free:
            left = tuple(each for each in now if each != old)
            yield State(left, state.hop + 1, state, "remove", removed=old)
    for old in free:
        for new in (each for each in more if each.kind == old.kind):
            swapped = tuple(new if each == old else each for each in now)
            yield State(swapped, state.hop + 1, state, "replace", new, old)


def _some(states: list[State], count: int | None, rng: random.Random) -> list[State]:
    """So many of them, drawn, the operations in turn; all in order where no count is given."""
    if count is None:
        return states
    piles = [[each for each in states if each.operation == name] for name in get_args(Operation)]
    for pile in piles:
        rng.shuffle(pile)
    rng.shuffle(piles)
    drawn: list[State] = []
    while len(drawn) < count and any(piles):
        drawn += [pile.pop() for pile in piles if pile]
    return drawn[:count]
