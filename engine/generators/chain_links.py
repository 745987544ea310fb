"""Chain-of-Instructions, second part: which of its partners can follow a task.

For each partner that was drawn a judge says whether it can take the task's output as its input.
Those that can are the task's followers, an edge each in the graph that ``chain_walks`` walks on;
the others are strangers, of which irrelevant chains are made.

Source: Hayati et al., "Chain-of-Instructions: Compositional Instruction Tuning on Large Language
Models", 2024, arXiv:2402.11532 (composability check).
Differs: the judge sees an example of the partner's own input and says one word.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.core import Json, ReplyError
from engine.kit import Flow, Generator, Kit, NoParams
from engine.prompting import Prompt

ANSWERS = ("yes", "no")

COMPOSABLE = Prompt("chain_links/composable", reply=str)


class State(Flow, total=False):
    """What the nodes pass on."""

    verdicts: list[str]
    """For each partner ``yes``, ``no``, or ``""`` where the judge said neither."""


Run = Runtime[Kit[NoParams]]


async def judge(state: State, runtime: Run) -> State:
    """Ask of each partner whether it can go on from the task's output."""
    kit, record = runtime.context, state["record"]
    task, output = record.facts["task"], record.last("assistant")

    async def judged(at: int, other: dict[str, Json]) -> str:
        try:
            return await kit.choose(
                COMPOSABLE,
                ANSWERS,
                take=at,
                task=task,
                output=output,
                next_task=other["task"],
                next_input=other["input"],
            )
        except ReplyError:
            return ""  # neither a follower nor a stranger

    asked = (judged(at, other) for at, other in enumerate(record.facts["partners"]))
    return {"verdicts": await asyncio.gather(*asked)}


async def note(state: State, runtime: Run) -> State:
    """Part the partners into followers and strangers."""
    record = state["record"]
    pairs = list(zip(record.facts.get("partners") or [], state.get("verdicts", []), strict=True))
    facts = {
        "followers": [_named(other) for other, said in pairs if said == "yes"],
        "strangers": [_named(other) for other, said in pairs if said == "no"],
    }
    return {"out": [record.with_facts(**facts, partners=None)]}


def before_judge(state: State) -> Literal["judge", "note"]:
    """A task that cannot lead, or has no partner, costs no call."""
    return "judge" if state["record"].facts.get("partners") else "note"


def graph() -> StateGraph[State, Kit[NoParams], State, State]:
    """``[judge] -> note``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (judge, note):
        g.add_node(node)
    g.add_conditional_edges(START, before_judge)
    g.add_edge("judge", "note")
    g.add_edge("note", END)
    return g


def _named(other: dict[str, Json]) -> dict[str, Json]:
    return {name: other[name] for name in ("id", "task", "leads")}


GENERATOR = Generator(graph, NoParams, prompts=(COMPOSABLE,))
