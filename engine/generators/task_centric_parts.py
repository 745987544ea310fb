"""TCIA, first part: an instruction taken apart into task, query and constraints.

The task type says what kind of work is asked for, the query what it is about, and each constraint
one thing that is asked of the answer, with its kind. An instruction with several tasks gives
several records. Each is left with task and query as its message, so that the filter ``embed`` and
the pass ``constraint_pool`` find tasks that are alike, whatever is asked of their answers.

Source: Ma et al., "TCIA: A Task-Centric Instruction Augmentation Method for Instruction
Finetuning", 2025, arXiv:2508.20374 (decomposition into query and constraints).
Differs: the constraints of the job's own tasks are the pool, not those of another dataset.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, Outcome
from engine.kit import Flow, Generator, Kit, NoParams
from engine.prompting import Prompt
from engine.symbolic.states import Kind, constraints_in
from engine.text.evolution import bare_task
from engine.text.sameness import bare

MOST = 3
"""Tasks of an instruction; with more it is too many things at once."""


class Said(BaseModel, extra="forbid"):
    """One thing that is asked of an answer."""

    kind: Kind
    text: str


class Task(BaseModel, extra="forbid"):
    """A piece of work: its type, what it is about, what is asked of the answer."""

    task: str
    query: str
    constraints: list[Said]


class Tasks(BaseModel, extra="forbid"):
    """The tasks in an instruction."""

    tasks: list[Task] = Field(min_length=1, max_length=MOST)


DECOMPOSE = Prompt("task_centric_parts/decompose", reply=Tasks)


class State(Flow, total=False):
    """What the nodes pass on."""

    tasks: list[Task]
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""


Run = Runtime[Kit[NoParams]]


async def decompose(state: State, runtime: Run) -> State:
    """Take the instruction apart."""
    record = bare_task(state["record"])
    if not record.facts["instruction"]:
        return {"reason": "no_instruction"}
    shown = {name: record.facts[name] for name in ("instruction", "input")}
    reply = await runtime.context.ask(DECOMPOSE, **shown)
    return {"record": record, "tasks": reply.tasks, "reason": ""}


async def part(state: State, runtime: Run) -> State:
    """A record for each task."""
    record, out, seen = state["record"], list[Outcome](), set[str]()
    for at, each in enumerate(state["tasks"]):
        task, query = each.task.strip(), each.query.strip()
        listed = constraints_in([said.model_dump() for said in each.constraints])
        facts: dict[str, Json] = {"task": task, "query": query}
        facts["constraints"] = [said._asdict() for said in listed]
        facts["seed_instruction"] = record.facts["instruction"]
        child = record.child(at, messages=(Message("user", f"{task}\n{query}"),), facts=facts)
        fault = "" if bare(task) and bare(query) else "empty_task"
        fault = fault or ("same_task" if bare(query) in seen else "")
        out.append(Drop(child, fault) if fault else child)
        seen.add(bare(query))
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what cannot be taken apart."""
    return {"out": [Drop(state["record"], state["reason"])]}


def after_decompose(state: State) -> Literal["part", "give_up"]:
    """Go on where there is something to take apart."""
    return "give_up" if state["reason"] else "part"


def graph() -> StateGraph[State, Kit[NoParams], State, State]:
    """``decompose -> part``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (decompose, part, give_up):
        g.add_node(node)
    g.add_edge(START, "decompose")
    g.add_conditional_edges("decompose", after_decompose)
    g.add_edge("part", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, NoParams, prompts=(DECOMPOSE,))
