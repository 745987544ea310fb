"""Chain-of-Instructions, first part: a task in one sentence, and what it could be in a chain.

A definition that is long is summarised to a sentence, so that two or three of them can stand in
one instruction; a short one stays as it is. A task whose output is a label, or next to nothing,
cannot be the first of a chain, for nothing could be done with it; one without an input cannot
follow another.

Source: Hayati et al., "Chain-of-Instructions: Compositional Instruction Tuning on Large Language
Models", 2024, arXiv:2402.11532.
Differs: any language; "long" and "label-like" are counted in words of any script; a task that
is flagged as a classification is label-like whatever its output's length.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.chains import joiners, label_like, words_for
from engine.text.leftovers import unwrapped
from engine.text.lengths import words

TAKES = 2
"""How often a definition is summarised before it is given up."""

SUMMARISE = Prompt("chain_tasks/summarise", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    max_words: int = Field(default=25, ge=3)
    """Words of a task in a chain; a definition that is longer is summarised."""
    label_words: int = Field(default=3, ge=0)
    """Words of an output up to which it is like a label, and its task no first one."""


class State(Flow, total=False):
    """What the nodes pass on."""

    definition: str
    task: str
    take: int
    reason: str
    """Why the task cannot be used as it is now, as a slug; empty where it can."""


Run = Runtime[Kit[Params]]


async def measure(state: State, runtime: Run) -> State:
    """Take the definition as the task, if it can be."""
    record = state["record"]
    definition = str(record.facts.get("instruction") or record.last("user")).strip()
    reason = _fault(definition, record.language, runtime.context.params.max_words)
    return {"definition": definition, "task": definition, "take": 0, "reason": reason}


async def summarise(state: State, runtime: Run) -> State:
    """Say in a sentence what is to be done."""
    kit, language = runtime.context, state["record"].language
    said = words_for(language)
    assert said is not None  # measure has seen to it
    most, avoid = kit.params.max_words, said.joiner.strip(" ,，、。")
    reply = await kit.ask(
        SUMMARISE, take=state["take"], definition=state["definition"], most=most, avoid=avoid
    )
    task = unwrapped(reply)
    reason = _fault(task, language, most) if task else "empty_summary"
    if getattr(reply, "truncated", False):
        reason = "cut_summary"
    return {"task": task, "take": state["take"] + 1, "reason": reason}


async def place(state: State, runtime: Run) -> State:
    """Note where in a chain the task can stand."""
    record, params = state["record"], runtime.context.params
    output = record.last("assistant").strip()
    label = bool(record.facts.get("is_classification")) or label_like(output, params.label_words)
    takes_input = bool(str(record.facts.get("input") or "").strip())
    facts = {"task": state["task"], "definition": state["definition"]}
    return {"out": [record.with_facts(**facts, leads=not label, follows=takes_input)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a task that cannot be put into a sentence."""
    return {"out": [Drop(state["record"], state["reason"], state["task"][:200])]}


def after_task(state: State) -> Literal["place", "summarise", "give_up"]:
    """Summarise what is too long or speaks of two tasks; after two attempts give it up."""
    if not state["reason"]:
        return "place"
    if state["reason"] in ("no_definition", "unworded_language"):
        return "give_up"
    return "summarise" if state["take"] < TAKES else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``measure -> (summarise)* -> place``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (measure, summarise, place, give_up):
        g.add_node(node)
    g.add_edge(START, "measure")
    g.add_conditional_edges("measure", after_task)
    g.add_conditional_edges("summarise", after_task)
    g.add_edge("place", END)
    g.add_edge("give_up", END)
    return g


def _fault(task: str, language: str, most: int) -> str:
    """Why a text is no task of a chain, as a slug, or ``""``."""
    said = words_for(language)
    if said is None:
        return "unworded_language"
    if not task.strip():
        return "no_definition"
    if joiners(task, said):
        return "joiner_in_task"
    return "long_task" if words(task) > most or "\n" in task.strip() else ""


GENERATOR = Generator(graph, Params, prompts=(SUMMARISE,))
