"""Unnatural Instructions, first half: a fourth task after three, from fifteen human ones in all.

A model sees three demonstrations, each an instruction, an input and constraints on the output, and
imagines one more. What lacks a field, or is one of the demonstrations, ends here; what was
imagined twice is for the pass ``exact_duplicate``. Outputs and other formulations are written by
``unnatural_outputs``. The demonstrations are fixed: what is made is never shown again, and all
variety comes from sampling. Takes draws of the source ``demonstration_sets``, or of ``pool``.

Source: Honovich, Scialom, Levy, Schick, "Unnatural Instructions: Tuning Language Models with
(Almost) No Human Labor", 2022, arXiv:2212.09689, section 2.1. Five sets of three tasks gave 68,478
triples with outputs and 240,670 rows with other formulations; nucleus sampling with p 0.99.
Differs: an instruct model answers in typed JSON, in the draw's language; "None" is known in
several languages; an instruction in another script is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.phrases import folded, matcher, phrase_lists, phrases_for
from engine.text.sameness import bare, key
from engine.text.scripts import share_in_script
from engine.text.shown_tasks import tasks_shown

NONE = "None"
"""How a demonstration says that nothing restricts its output."""


class Triple(BaseModel, extra="forbid"):
    """A task as the model imagines it."""

    instruction: str
    input: str
    constraints: str


IMAGINE = Prompt("unnatural_instructions/imagine", reply=Triple)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    min_in_script: float = Field(default=0.5, ge=0, le=1)
    """Share (0..1) of an instruction's words that are in the script of its language, at least."""


class State(Flow, total=False):
    """What the nodes pass on."""

    triple: Triple
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""
    detail: str


Run = Runtime[Kit[Params]]


async def imagine(state: State, runtime: Run) -> State:
    """Show the demonstrations and have one more task imagined."""
    shown: list[dict[str, Json]] = [
        {"instruction": d["instruction"], "input": d["input"], "constraints": _said(d)}
        for d in tasks_shown(state["record"].facts.get("demonstrations"), "instruction", "input")
    ]
    triple = await runtime.context.ask(IMAGINE, demonstrations=shown)
    stripped = {name: str(text).strip() for name, text in triple}
    return {"triple": Triple(**stripped)}


async def check(state: State, runtime: Run) -> State:
    """Look for empty fields, copies of what was shown, and another script."""
    record, triple = state["record"], state["triple"]
    if missing := [name for name, text in triple if not text]:
        return {"reason": "missing_field", "detail": ", ".join(missing)}
    shown = [_mark(d["instruction"], d["input"]) for d in record.facts["demonstrations"]]
    if _mark(triple.instruction, triple.input) in shown:
        return {"reason": "copied_demonstration", "detail": triple.instruction}
    share = share_in_script(triple.instruction, record.language)
    if share < runtime.context.params.min_in_script:
        return {"reason": "wrong_script", "detail": f"{share:.2f}: {triple.instruction}"[:300]}
    return {"reason": ""}


async def keep(state: State, runtime: Run) -> State:
    """The task, with what its outputs are to be modelled on."""
    record, triple = state["record"], state["triple"]
    none = is_unconstrained(triple.constraints, record.language)
    facts = {"instruction": triple.instruction, "input": triple.input}
    facts |= {"constraints": "" if none else triple.constraints}
    turns = (Message("user", f"{triple.instruction}\n\n{triple.input}"),)
    return {"out": [record.child(0, messages=turns, facts=facts)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what is no new task."""
    return {"out": [Drop(state["record"], state["reason"], state["detail"])]}


def after_check(state: State) -> Literal["keep", "give_up"]:
    """Go on with a whole and new task."""
    return "give_up" if state["reason"] else "keep"


def is_unconstrained(constraints: str, language: str) -> bool:
    """Whether the text says that there are no constraints."""
    lists = phrase_lists("unnatural_instructions.yaml")
    words = (*phrases_for(lists, "none", language), *phrases_for(lists, "none", "en"))
    return bool(matcher(words).fullmatch(folded(constraints), 1))


def _said(demonstration: Mapping[str, Json]) -> str:
    return str(demonstration.get("constraints") or NONE)


def _mark(instruction: str, input: str) -> bytes:
    return key(bare(instruction), bare(input))


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``imagine -> check -> keep | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    g.add_node(imagine).add_node(check).add_node(keep).add_node(give_up)
    g.add_edge(START, "imagine")
    g.add_edge("imagine", "check")
    g.add_conditional_edges("check", after_check)
    g.add_edge("keep", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(IMAGINE,))
