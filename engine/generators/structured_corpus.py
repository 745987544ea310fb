"""Structured corpora: rows in which people have already put question and answer side by side.

The part of LongForm that needs no model. A title with steps becomes a request for instructions and
a numbered list; in a share of rows the request says how many steps there are. A question with
answers becomes that question and the answer that was accepted, else the one with the highest
score; a share of questions end with how long the answer is. What people wrote is not changed.

Source: Köksal et al., "LongForm: Effective Instruction Tuning with Reverse Instructions", 2023,
arXiv:2304.08460, section 3 (Stack Exchange, WikiHow).
Differs: the request's wording is data by language (``taxonomies/structured_corpus.yaml``); a
language without wording is asked with the bare title, and gets no hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message
from engine.kit import Flow, Generator, Kit
from engine.text.lengths import words
from engine.text.reversal import length_hint
from engine.text.rows import best_answer, how_to_request, steps_in, steps_listed

Form = Literal["how_to", "question"]


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    length_hint: float = Field(default=0.5, ge=0, le=1)
    """Share (0..1) of rows whose instruction says how many steps or how much text is wanted."""
    min_steps: int = Field(default=2, ge=1)
    """A title with fewer steps drops."""
    min_answer_words: int = Field(default=20, ge=1)
    """A shorter answer to a question drops; in any script, characters' worth in words."""


class State(Flow, total=False):
    """What the nodes pass on."""

    form: Form
    instruction: str
    response: str
    hint: Mapping[str, Json] | None
    """Unit and count that the instruction names."""
    fault: str
    """Why the row will not do, as a slug; empty where it will."""


Run = Runtime[Kit[Params]]


async def open_row(state: State, runtime: Run) -> State:
    """See what the row is: a title with steps, or a question with answers."""
    record = state["record"]
    asked = record.last("user").strip()
    form: Form = "how_to" if steps_in(record.facts.get("steps")) else "question"
    return {"form": form, "instruction": asked, "fault": "" if asked else "no_instruction"}


async def how_to(state: State, runtime: Run) -> State:
    """Ask for the steps to what the title names; they are the response, numbered."""
    kit, record = runtime.context, state["record"]
    steps = steps_in(record.facts.get("steps"))
    counted = kit.random("length_hint").random() < kit.params.length_hint
    wanted = len(steps) if counted else 0
    draw = kit.random("wording")
    asked, told = how_to_request(state["instruction"], wanted, record.language, draw)
    hint = {"unit": "steps", "count": len(steps)} if told else None
    fault = "too_few_steps" if len(steps) < kit.params.min_steps else ""
    return {"instruction": asked, "response": steps_listed(steps), "hint": hint, "fault": fault}


async def question(state: State, runtime: Run) -> State:
    """Take the best answer as the response; end some questions with how long it is."""
    kit, record = runtime.context, state["record"]
    answer = best_answer(record.facts.get("answers")) or record.last("assistant")
    fault = "" if words(answer) >= kit.params.min_answer_words else "answer_too_short"
    fault = fault if answer.strip() else "no_answer"
    draw = kit.random("length_hint")
    hinted = draw.random() < kit.params.length_hint and not fault
    sentence, hint = length_hint(answer, record.language, draw) if hinted else ("", None)
    asked = f"{state['instruction']}\n{sentence}".strip()
    return {"instruction": asked, "response": answer, "hint": hint, "fault": fault}


async def pair(state: State, runtime: Run) -> State:
    """Set the two against each other; the table's own columns leave the facts."""
    record = state["record"]
    kept = {name: fact for name, fact in record.facts.items() if name not in ("steps", "answers")}
    kept |= {"subset": "structured", "form": state["form"], "length_hint": state["hint"]}
    turns = (Message("user", state["instruction"]), Message("assistant", state["response"]))
    return {"out": [replace(record.child(0), messages=turns, facts=kept)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a row that lacks a side."""
    return {"out": [Drop(state["record"], state["fault"])]}


def after_open(state: State) -> Literal["how_to", "question", "give_up"]:
    """Each form has a node of its own."""
    return "give_up" if state["fault"] else state["form"]


def after_row(state: State) -> Literal["pair", "give_up"]:
    """Keep what has both sides."""
    return "give_up" if state["fault"] else "pair"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_row -> how_to | question -> pair | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_row, how_to, question, pair, give_up):
        g.add_node(node)
    g.add_edge(START, "open_row")
    g.add_conditional_edges("open_row", after_open)
    g.add_conditional_edges("how_to", after_row)
    g.add_conditional_edges("question", after_row)
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=())
