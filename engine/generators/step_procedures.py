"""Step-by-step instructions, first part: one procedure for a task, from its definition.

The model sees the definition and the positive examples, never an instance that is trained on, and
lists the steps that solve any instance. What it lists is numbered anew and cut to a bound; a list
without steps, or one that gives an instance's answer away, is written once more, then the task
drops. A task is asked for once, whatever the number of its instances.

Source: Wu et al., "Improving Cross-Task Generalization with Step-by-Step Instructions", 2023,
arXiv:2305.04429.
Differs: any instruct model, at temperature 0; answers that leak are looked for, where the paper had
people rate a sample.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.numbered import items
from engine.text.procedures import gives_away

TAKES = 2
"""How often a procedure is written before the task drops."""

WRITE = Prompt("step_procedures/write", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    max_steps: int = Field(default=8, ge=1, le=50)
    """Steps of a procedure; what goes beyond is cut off."""


class State(Flow, total=False):
    """What the nodes pass on."""

    reply: str
    steps: list[str]
    take: int
    reason: str
    """Why the steps cannot be used, as a slug; empty where they can."""


Run = Runtime[Kit[Params]]


async def write(state: State, runtime: Run) -> State:
    """List the steps that solve any instance of the task."""
    kit, facts, take = runtime.context, state["record"].facts, state.get("take", 0)
    reply = await kit.ask(
        WRITE,
        take=take,
        definition=facts["definition"],
        examples=facts["examples"],
        most=kit.params.max_steps,
        again=state.get("reason", ""),
    )
    return {"reply": reply, "take": take + 1}


async def normalise(state: State, runtime: Run) -> State:
    """Cut the list into steps, without its numbers, and to the bound; see whether it can stay."""
    facts = state["record"].facts
    found = items(state["reply"])
    if getattr(state["reply"], "truncated", False):
        found = found[:-1]  # the last one was cut
    steps = found[: runtime.context.params.max_steps]
    known = [facts["definition"], *(e["output"] for e in facts["examples"])]
    leak = gives_away(steps, [each["output"] for each in facts["instances"]], known)
    return {"steps": steps, "reason": "no_steps" if not steps else "gives_answer" if leak else ""}


async def keep(state: State, runtime: Run) -> State:
    """The task with its one procedure."""
    return {"out": [state["record"].with_facts(steps=state["steps"])]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a task that no procedure was found for."""
    reason = state.get("reason") or "no_task"
    return {"out": [Drop(state["record"], reason, state.get("reply", "")[:200])]}


def before_write(state: State) -> Literal["write", "give_up"]:
    """A task has a definition and instances (``gather_tasks``)."""
    facts = state["record"].facts
    return "write" if facts.get("definition") and facts.get("instances") else "give_up"


def after_normalise(state: State) -> Literal["keep", "write", "give_up"]:
    """Once more, where the steps cannot stay."""
    if not state["reason"]:
        return "keep"
    return "write" if state["take"] < TAKES else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``(write -> normalise)* -> keep``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (write, normalise, keep, give_up):
        g.add_node(node)
    g.add_conditional_edges(START, before_write)
    g.add_edge("write", "normalise")
    g.add_conditional_edges("normalise", after_normalise)
    g.add_edge("keep", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(WRITE,))
