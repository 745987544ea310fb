"""InfinityInstruct-Subject, step 5: new instructions that train what a model is weak in.

A weak point (of ``weak_points``) is a field and some sentences on what went wrong there. The model
sums them up, then writes instructions that exercise just that, as a numbered list. Each usable one
is a record, ready to be tagged: the loop begins again. Nobody in here has seen the items that the
weakness was found on.

Source: Du et al., "Scaling Towards the Information Boundary of Instruction Set:
InfinityInstruct-Subject Technical Report", 2025, arXiv:2507.06968.
Differs: the summary is a fact of each record (``weakness_summary``); instructions that copy one
another, point at a text that is not there or name a label of the prompt are dropped by rule.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message, Outcome
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.elimination import rewrite_fault
from engine.text.leftovers import points_away, unwrapped
from engine.text.lengths import words
from engine.text.numbered import items

SHORTEST = 3
"""Words of an instruction, in any script."""


class Summary(BaseModel, extra="forbid"):
    """What is missing, and what would train it."""

    summary: str = Field(min_length=1)
    skills: list[str] = Field(max_length=8)


SUMMARISE = Prompt("subject_target/summarise", reply=Summary)
TARGET = Prompt("subject_target/target", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    count: int = Field(default=5, ge=1, le=30)
    """Instructions that are asked for at each weak point."""


class State(Flow, total=False):
    """What the nodes pass on."""

    weaknesses: list[str]
    field: list[str]
    """Names of the field, from wide to narrow; may be empty."""
    summary: str
    skills: list[str]
    found: list[str]


Run = Runtime[Kit[Params]]


async def gather(state: State, runtime: Run) -> State:
    """Take the weak point's sentences and its field."""
    facts = state["record"].facts
    said = facts.get("weaknesses") or [facts.get("weakness") or ""]
    label = facts.get("label") or {}
    return {"weaknesses": [w for w in said if w], "field": list(label.get("names") or [])}


async def summarise(state: State, runtime: Run) -> State:
    """Sum up what is missing."""
    asked = state["weaknesses"]
    reply = await runtime.context.ask(SUMMARISE, weaknesses=asked, field=state["field"])
    return {"summary": reply.summary.strip(), "skills": reply.skills}


async def target(state: State, runtime: Run) -> State:
    """Have instructions written that exercise it."""
    kit, field = runtime.context, state["field"]
    summary, skills, count = state["summary"], state["skills"], kit.params.count
    reply = await kit.ask(TARGET, summary=summary, skills=skills, field=field, count=count)
    found = [unwrapped(text) for text in items(reply)]
    cut = getattr(reply, "truncated", False)
    return {"found": found[:-1] if cut else found}


async def sift(state: State, runtime: Run) -> State:
    """A record for each instruction that stands by itself and is not one of those before it."""
    record, out, seen = state["record"], list[Outcome](), list[str]()
    for at, text in enumerate(state["found"][: runtime.context.params.count]):
        facts = {"weakness_summary": state["summary"], "skills": state["skills"]}
        child = record.child(at, messages=(Message("user", text),), facts=facts)
        fault = rewrite_fault(text, seen, record.language)
        fault = fault or ("points_away" if points_away(text, record.language) else "")
        fault = fault or ("fragment" if words(text) < SHORTEST else "")
        out.append(Drop(child, fault) if fault else child)
        seen.append(text)
    return {"out": out or [Drop(record, "no_list")]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what tells of no weakness."""
    return {"out": [Drop(state["record"], "no_weakness")]}


def after_gather(state: State) -> Literal["summarise", "give_up"]:
    """Go on where there is something to train."""
    return "summarise" if state["weaknesses"] else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``gather -> summarise -> target -> sift``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (gather, summarise, target, sift, give_up):
        g.add_node(node)
    for ahead in ((START, "gather"), ("summarise", "target"), ("target", "sift"), ("sift", END)):
        g.add_edge(*ahead)
    g.add_conditional_edges("gather", after_gather)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(SUMMARISE, TARGET))
