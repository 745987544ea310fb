"""TCIA, second part: other constraints for the same query, found breadth first and without a model.

From the constraints a task has, and the pool of those that similar tasks have (the pass
``constraint_pool``), states are explored by adding, removing and replacing one constraint at a
time. Of the states at each distance a few are drawn; each is a record, for ``task_centric`` to put
into words. The query never changes, so that however far a state lies, it stays on its task.

Source: Ma et al., "TCIA: A Task-Centric Instruction Augmentation Method for Instruction
Finetuning", 2025, arXiv:2508.20374 (breadth-first search over query and constraints).
Differs: a constraint is replaced by one of its kind; as many states are drawn at each distance, so
that far ones are as frequent as near ones; material that the query needs is never taken away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Outcome
from engine.kit import Flow, Generator, Kit
from engine.symbolic.states import Limits, constraints_in, explore
from engine.symbolic.states import State as Place
from engine.text.embedding import FACT as EMBEDDING


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    hops: int = Field(default=3, ge=1, le=10)
    """Steps from the task's own constraints, at most."""
    branches: int = Field(default=3, ge=1, le=20)
    """New states that are followed from each."""
    per_hop: int = Field(default=2, ge=1, le=100)
    """States drawn at each distance; each is a record."""
    least: int = Field(default=1, ge=0, le=20)
    """Constraints of a state, at least."""
    most: int = Field(default=6, ge=1, le=20)
    """Constraints of a state, at most; a task that has more only loses some."""


class State(Flow, total=False):
    """What the nodes pass on."""

    places: list[Place]


Run = Runtime[Kit[Params]]


async def search(state: State, runtime: Run) -> State:
    """Find the states around the task's own."""
    facts, ask = state["record"].facts, runtime.context.params
    start, pool = (constraints_in(facts.get(name)) for name in ("constraints", "pool"))
    limits = Limits(ask.hops, ask.branches, ask.least, ask.most)
    return {"places": explore(start, pool, limits, runtime.context.random("branches"))[1:]}


async def draw(state: State, runtime: Run) -> State:
    """Some states at each distance, each a record."""
    kit, out = runtime.context, list[Outcome]()
    facts = state["record"].facts
    known = {name: fact for name, fact in facts.items() if name not in ("pool", EMBEDDING)}
    record = replace(state["record"], facts=known)  # the vector is not that of what is to come
    for hop in range(1, kit.params.hops + 1):
        there = [each for each in state["places"] if each.hop == hop]
        count = min(kit.params.per_hop, len(there))
        for each in kit.random("states", hop).sample(there, count):
            out.append(record.child(len(out), facts=_told(each)))
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a task that has nowhere to go."""
    return {"out": [Drop(state["record"], "no_other_constraints")]}


def after_search(state: State) -> Literal["draw", "give_up"]:
    """Go on where a state was found."""
    return "draw" if state["places"] else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``search -> draw``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (search, draw, give_up):
        g.add_node(node)
    g.add_edge(START, "search")
    g.add_conditional_edges("search", after_search)
    g.add_edge("draw", END)
    g.add_edge("give_up", END)
    return g


def _told(place: Place) -> dict[str, Json]:
    """A state as facts: its constraints, how far it lies, and the step that led there."""
    step: dict[str, Json] = {"operation": place.operation}
    for name, each in (("added", place.added), ("removed", place.removed)):
        step |= {name: each.text} if each else {}
    before = place.parent or place
    return {
        "constraints": [each._asdict() for each in place.constraints],
        "hop": place.hop,
        "step": step,
        "state": place.id,
        "parent_state": before.id,
        "parent_constraints": [each._asdict() for each in before.constraints],
    }


GENERATOR = Generator(graph, Params, prompts=())
