"""InfinityInstruct-Subject, step 4: what a model gets wrong, item by item of an evaluation set.

The model that is to be trained (role ``weaker``) tries the item, and a judge holds its answer
against the gold one. Where it falls short, the judge says which knowledge or ability is missing,
in words that fit other questions of the kind. The record that goes on holds that sentence and the
item's label, and nothing of the item: neither question, gold nor attempt, so that none of them
can be trained on. ``weak_points`` gathers the sentences by field.

Source: Du et al., "Scaling Towards the Information Boundary of Instruction Set:
InfinityInstruct-Subject Technical Report", 2025, arXiv:2507.06968.
Differs: an item that is answered well is dropped (``mastered``); a diagnosis that quotes the item
is dropped as well. Whatever is made from it, keep the filter ``decontaminate`` behind.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.leaks import Leaks

KEPT = ("source", "licence", "label")
"""Facts of an item that go on with its diagnosis."""


class Comparison(BaseModel, extra="forbid"):
    """What was compared, whether the attempt is as good as the gold answer, and what it lacks."""

    reason: str
    correct: bool
    weakness: str
    """The missing knowledge or ability, in general words; empty where nothing is missing."""


ATTEMPT = Prompt("subject_diagnose/attempt", reply=str)
COMPARE = Prompt("subject_diagnose/compare", reply=Comparison)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    quoted: int = Field(default=8, ge=3, le=50)
    """Words in a row, 3..50, that a diagnosis may not have in common with its item."""


class State(Flow, total=False):
    """What the nodes pass on."""

    question: str
    gold: str
    attempt: str
    comparison: Comparison
    reason: str
    """Why it ends without a diagnosis, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def take(state: State, runtime: Run) -> State:
    """Take the item apart: the question, and the gold answer that the model must not see."""
    question, gold = (state["record"].last(role).strip() for role in ("user", "assistant"))
    reason = "" if question and gold else "no_gold_answer"
    return {"question": question, "gold": gold, "reason": reason}


async def attempt(state: State, runtime: Run) -> State:
    """Let the model that is to be trained answer."""
    said = await runtime.context.ask(ATTEMPT, question=state["question"])
    return {"attempt": str(said)}


async def compare(state: State, runtime: Run) -> State:
    """Hold the attempt against the gold answer."""
    kit = runtime.context
    fence = f"{kit.random('fence').getrandbits(48):012x}"
    asked, gold, said = state["question"], state["gold"], state["attempt"]
    found = await kit.ask(COMPARE, question=asked, gold=gold, attempt=said, fence=fence)
    weakness = found.weakness.strip()
    reason = "mastered" if found.correct else "" if weakness else "no_diagnosis"
    return {"comparison": found, "reason": reason}


async def diagnose(state: State, runtime: Run) -> State:
    """The weakness as a record, without the item; one that quotes the item is dropped."""
    record, weakness = state["record"], state["comparison"].weakness.strip()
    size, item = runtime.context.params.quoted, (state["question"], state["gold"])
    leaks = Leaks(item, words=size, shortest=size)
    if leaks.most([weakness]):
        return {"out": [Drop(record, "quotes_item", weakness)]}
    facts = {name: record.facts[name] for name in KEPT if name in record.facts}
    clean = replace(record.child(0), messages=(), facts={**facts, "weakness": weakness})
    return {"out": [clean]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what shows no weakness."""
    found = state.get("comparison")
    return {"out": [Drop(state["record"], state["reason"], found.reason if found else "")]}


def after_take(state: State) -> Literal["attempt", "give_up"]:
    """Try what can be compared."""
    return "give_up" if state["reason"] else "attempt"


def after_compare(state: State) -> Literal["diagnose", "give_up"]:
    """Diagnose what fell short."""
    return "give_up" if state["reason"] else "diagnose"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``take -> attempt -> compare -> diagnose``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (take, attempt, compare, diagnose, give_up):
        g.add_node(node)
    for ahead in ((START, "take"), ("attempt", "compare"), ("diagnose", END), ("give_up", END)):
        g.add_edge(*ahead)
    g.add_conditional_edges("take", after_take)
    g.add_conditional_edges("compare", after_compare)
    return g


GENERATOR = Generator(graph, Params, prompts=(ATTEMPT, COMPARE))
