"""Dynosaur, second part: a task over the fields of a dataset becomes rows; no model is asked.

The rows tell what the answers of a task are. A handful of labels has to be spread well, or the task
drops; short ones are named in the instruction. Then each row is an example: the input fields in
words, the output field as the answer, both cut where they are long. So a dataset costs one or two
calls, however many rows it has.

Source: Yin, Liu, Yin, Zhong, Bansal, Han, Chang, "Dynosaur: A Dynamic Growth Paradigm for
Instruction-Tuning Data Curation", 2023, arXiv:2305.14327, section 2.
Differs: words between fields by language; several output fields all answer, not the first; the
labels are named in order, not in that of a set; rows without an answer or an input drop.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, Outcome
from engine.kit import Flow, Generator, Kit
from engine.text.field_maps import Map, Row, choices, fault, instructed, labels, told, usable


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    rows: int = Field(default=100, ge=1, le=100_000)
    """Rows drawn for a task, at most; each is a record."""
    max_characters: int = Field(default=2000, ge=1)
    """Characters of an input, and of an output; what is longer is cut."""


class State(Flow, total=False):
    """What the nodes pass on."""

    fields: Map
    rows: list[Row]
    instruction: str
    """With the labels, where they are named."""
    reason: str
    """Why it ends without a record; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def look(state: State, runtime: Run) -> State:
    """Take the task, and the rows it is about."""
    facts = state["record"].facts
    fields = Map(tuple(facts.get("input_fields") or ()), tuple(facts.get("output_fields") or ()))
    rows = facts.get("rows") or []
    return {"fields": fields, "rows": rows, "reason": fault(fields, usable(rows))}


async def weigh(state: State, runtime: Run) -> State:
    """See what the answers are: name them, or let the task go."""
    record = state["record"]
    found = labels(state["rows"], state["fields"])
    said = str(record.facts.get("instruction") or record.last("user"))
    told = instructed(said, found.named, record.language)
    return {"instruction": told, "reason": f"{found.fault}: {found.detail}" if found.fault else ""}


async def build(state: State, runtime: Run) -> State:
    """Write the rows: a record each."""
    kit, record, rows = runtime.context, state["record"], state["rows"]
    lettered = choices(rows, state["fields"])
    drawn = kit.random("rows").sample(range(len(rows)), min(kit.params.rows, len(rows)))
    common = {name: fact for name, fact in record.facts.items() if name != "rows"}
    out: list[Outcome] = []
    for at in sorted(drawn):
        sides = (state["fields"].inputs, lettered), (state["fields"].outputs, ())
        whole = [told(rows[at], *side[:1], record.language, side[1]).strip() for side in sides]
        given, answer = (text[: kit.params.max_characters].strip() for text in whole)
        asked = f"{state['instruction']}\n\n{given}"
        facts: dict[str, Json] = {"instruction": state["instruction"], "input": given, "row": at}
        turns = (Message("user", asked), Message("assistant", answer))
        made = replace(record.child(at, messages=turns), facts={**common, **facts})
        out.append(made if given and answer else Drop(made, "blank_row"))
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a task that its rows do not bear."""
    reason, _, detail = state["reason"].partition(": ")
    return {"out": [Drop(state["record"], reason, detail)]}


def after_look(state: State) -> Literal["weigh", "give_up"]:
    """Go on where the rows have the fields."""
    return "give_up" if state["reason"] else "weigh"


def after_weigh(state: State) -> Literal["build", "give_up"]:
    """Build rows where the answers can be learnt from."""
    return "give_up" if state["reason"] else "build"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``look -> weigh -> build``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (look, weigh, build, give_up):
        g.add_node(node)
    g.add_edge(START, "look")
    g.add_conditional_edges("look", after_look)
    g.add_conditional_edges("weigh", after_weigh)
    g.add_edge("build", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=())
