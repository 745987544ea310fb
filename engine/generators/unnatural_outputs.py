"""Unnatural Instructions, second half: outputs, and other formulations of the instruction.

The output is written greedily, after the demonstrations the task was modelled on; only here do its
constraints count. Then the instruction is put in other words with a slot ``{INPUT}``, and each
formulation with exactly one slot becomes a record of its own: the same input, to the letter, and
the same output.

Source: Honovich, Scialom, Levy, Schick, "Unnatural Instructions: Tuning Language Models with
(Almost) No Human Labor", 2022, arXiv:2212.09689, sections 2.2 and 2.3: greedy outputs, up to two
alternative formulations of an instruction, 68,478 records become 240,670.
Differs: a reply cut by the token limit is dropped; a formulation that says the same as the
instruction or as another one is dropped too. A job may state the constraints in the user's turn:
the paper's records leave them out, although the output keeps to them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message, Outcome, Record
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.sameness import bare
from engine.text.shown_tasks import tasks_shown
from engine.text.slots import SLOT, filled, formulation, slot_fault

NONE = "None"
"""How a task says that nothing restricts its output."""

ANSWER = Prompt("unnatural_outputs/answer", reply=str)
REFORMULATE = Prompt("unnatural_outputs/reformulate", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    reformulations: int = Field(default=2, ge=0, le=10)
    """Other formulations sampled for an instruction, in one call; 0 asks for none."""
    show_constraints: bool = False
    """Whether the user's turn states the constraints, below the input."""


class State(Flow, total=False):
    """What the nodes pass on."""

    output: str
    forms: list[tuple[str, str]]
    """Each formulation, and what is wrong with it as a slug; empty for a good one."""
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def answer(state: State, runtime: Run) -> State:
    """Write the output, at temperature 0, with the constraints in view."""
    facts = state["record"].facts
    shown = [
        {**task, "constraints": task.get("constraints") or NONE}
        for task in tasks_shown(facts.get("demonstrations"), "instruction", "input")
        if str(task.get("output", "")).strip()
    ]
    reply = await runtime.context.ask(
        ANSWER,
        demonstrations=shown,
        instruction=facts.get("instruction") or state["record"].last("user"),
        input=facts.get("input") or "",
        constraints=facts.get("constraints") or NONE,
    )
    cut = getattr(reply, "truncated", False)
    return {"output": str(reply), "forms": [], "reason": _unusable(reply, cut)}


async def reformulate(state: State, runtime: Run) -> State:
    """Put the instruction in other words, with a slot for the input."""
    kit, facts = runtime.context, state["record"].facts
    task, wanted = str(facts["instruction"]), kit.params.reformulations
    replies = await kit.ask_many(
        REFORMULATE, wanted, instruction=task, input=facts["input"], reply_labels=[SLOT]
    )
    forms: list[tuple[str, str]] = []
    for reply in replies:
        form = formulation(reply)
        cut = "truncated" if getattr(reply, "truncated", False) else ""
        again = bare(form) in [bare(other) for other, _ in forms]
        fault = cut or slot_fault(form, task) or "same_formulation" * again
        forms.append((form, fault))
    return {"forms": forms}


async def finish(state: State, runtime: Run) -> State:
    """The record, and one for each formulation with the input in its slot."""
    shown = runtime.context.params.show_constraints
    facts = {k: v for k, v in state["record"].facts.items() if k != "demonstrations"}
    task, given = str(facts["instruction"]), str(facts["input"])
    base = replace(state["record"], facts=facts)
    below = f"\n\n{facts['constraints']}" if shown and facts.get("constraints") else ""
    out: list[Outcome] = [_row(base, 0, f"{task}\n\n{given}".strip() + below, state["output"])]
    for number, (form, fault) in enumerate(state["forms"], start=1):
        asked = form if fault else filled(form, given) + below
        row = _row(base, number, asked, state["output"]).with_facts(reformulation=form)
        out.append(Drop(row, fault, form[:200]) if fault else row)
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a task without a whole output."""
    return {"out": [Drop(state["record"], state["reason"], state["output"][:200])]}


def after_answer(state: State, runtime: Run) -> Literal["reformulate", "finish", "give_up"]:
    """Other formulations are made where they are wanted and there is an input to put in."""
    if state["reason"]:
        return "give_up"
    wanted = runtime.context.params.reformulations and state["record"].facts["input"]
    return "reformulate" if wanted else "finish"


def _unusable(output: str, cut: bool) -> str:
    return "truncated" if cut else "" if output.strip() else "empty_output"


def _row(base: Record, index: int, asked: str, output: str) -> Record:
    return base.child(index, messages=(Message("user", asked), Message("assistant", output)))


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``answer -> (reformulate) -> finish``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    g.add_node(answer).add_node(reformulate).add_node(finish).add_node(give_up)
    g.add_edge(START, "answer")
    g.add_conditional_edges("answer", after_answer)
    g.add_edge("reformulate", "finish")
    g.add_edge("finish", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(ANSWER, REFORMULATE))
