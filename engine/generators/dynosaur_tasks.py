"""Dynosaur, first part: a dataset's card and two of its rows become tasks over its fields.

The model is shown a dataset once, or twice where it has a description: with and without it. It
names up to three tasks each time, every one an instruction with the fields that are shown and the
field that is the answer. What names unknown fields, shows its answer or was there before drops;
each other task is a record, which ``dynosaur`` turns into rows without a model.

Source: Yin, Liu, Yin, Zhong, Bansal, Han, Chang, "Dynosaur: A Dynamic Growth Paradigm for
Instruction-Tuning Data Curation", 2023, arXiv:2305.14327, section 2.
Differs: instructions in the dataset's language; the reply's schema lists the dataset's own fields;
a task needs an input field; a reply of the wrong shape is asked for again and never evaluated.
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Annotated

import orjson
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, WithJsonSchema, create_model

from engine.core import Drop, Json, Message, Outcome, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.field_maps import Map, fault, shown, usable
from engine.text.sameness import bare


class Task(BaseModel, extra="forbid"):
    """An instruction, and the fields it is about."""

    instruction: str
    input_fields: list[str]
    output_fields: list[str]


class Tasks(BaseModel, extra="forbid"):
    """Tasks over a dataset; none where its fields give none."""

    tasks: list[Task] = Field(max_length=12)


DESCRIBED = Prompt("dynosaur_tasks/described", reply=Tasks)
UNDESCRIBED = Prompt("dynosaur_tasks/undescribed", reply=Tasks)
ASKS = ("with_description", "without_description")
"""The nodes that ask."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    tasks: int = Field(default=3, ge=1, le=12)
    """Tasks of each reply that are read, at most."""
    samples: int = Field(default=2, ge=1, le=20)
    """Rows that the model is shown."""
    max_characters: int = Field(default=1000, ge=1)
    """Characters of the description, and of each value of a row, that are shown."""


class State(Flow, total=False):
    """What the nodes pass on."""

    fields: list[str]
    rows: list[str]
    """Samples, as JSON."""
    summary: str
    described: list[Task]
    undescribed: list[Task]
    errors: Annotated[list[str], operator.add]
    """Why a question has no answer."""
    reason: str
    """Why it ends without a record; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def look(state: State, runtime: Run) -> State:
    """Take the fields that a task may name, and a few rows of them."""
    params, facts = runtime.context.params, state["record"].facts
    rows = facts.get("rows") or []
    fields = usable(rows)
    if len(fields) < 2:
        return {"reason": f"too_few_fields: {', '.join(fields)}"}
    seen = shown(rows[: params.samples], fields, params.max_characters)
    samples = [orjson.dumps(row).decode() for row in seen]
    summary = str(facts.get("summary") or "").strip()[: params.max_characters]
    return {"fields": fields, "rows": samples, "summary": summary, "reason": ""}


async def with_description(state: State, runtime: Run) -> State:
    """Ask for tasks, with the description."""
    kit, prompt = runtime.context, replace(DESCRIBED, reply=_over(state["fields"]))
    title, summary = state["record"].facts.get("title", ""), state["summary"]
    fields, rows = state["fields"], state["rows"]
    try:
        reply = await kit.ask(prompt, title=title, summary=summary, fields=fields, rows=rows)
    except ReplyError as error:
        return {"errors": [str(error)]}
    return {"described": reply.tasks[: kit.params.tasks]}


async def without_description(state: State, runtime: Run) -> State:
    """Ask for tasks, without the description."""
    kit, prompt = runtime.context, replace(UNDESCRIBED, reply=_over(state["fields"]))
    title = state["record"].facts.get("title", "")
    try:
        reply = await kit.ask(prompt, title=title, fields=state["fields"], rows=state["rows"])
    except ReplyError as error:
        return {"errors": [str(error)]}
    return {"undescribed": reply.tasks[: kit.params.tasks]}


async def merge(state: State, runtime: Run) -> State:
    """Put both replies together; keep each task that can be used, once."""
    record, seen = state["record"], set[str]()
    out: list[Outcome] = [Drop(record, "bad_reply", why) for why in state.get("errors", [])]
    for n, task in enumerate(state.get("described", []) + state.get("undescribed", [])):
        said, mark = task.instruction.strip(), bare(task.instruction)
        facts: dict[str, Json] = {"instruction": said, "input_fields": task.input_fields}
        facts |= {"output_fields": task.output_fields}
        facts |= {"taskname": f"{record.facts.get('dataset', record.id)}-{n}"}
        made = record.child(n, messages=(Message("user", said),), facts=facts)
        wrong = "repeated_task" if mark in seen else "" if said else "no_instruction"
        fields = Map(tuple(task.input_fields), tuple(task.output_fields))
        wrong = wrong or fault(fields, state["fields"])
        out.append(Drop(made, wrong) if wrong else made)
        seen |= set() if wrong else {mark}
    return {"out": out or [Drop(record, "no_task")]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a dataset that no task can be made of."""
    reason, _, detail = state["reason"].partition(": ")
    return {"out": [Drop(state["record"], reason, detail)]}


def _over(fields: list[str]) -> type[Tasks]:
    """``Tasks`` with a schema, which servers hold a reply to, that knows only these fields."""
    some = {"type": "array", "items": {"type": "string", "enum": fields}, "minItems": 1}
    several = Annotated[list[str], WithJsonSchema({**some, "maxItems": len(fields) - 1})]
    one = Annotated[list[str], WithJsonSchema({**some, "maxItems": 1})]
    task = create_model(
        "Task", __base__=Task, input_fields=(several, ...), output_fields=(one, ...)
    )
    return create_model("Tasks", __base__=Tasks, tasks=(list[task], Field(max_length=12)))  # type: ignore[valid-type]


def after_look(state: State) -> list[str]:
    """Ask both ways where there is a description."""
    if state["reason"]:
        return ["give_up"]
    return list(ASKS) if state["summary"] else ["without_description"]


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``look -> with_description | without_description -> merge``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (look, with_description, without_description, merge, give_up):
        g.add_node(node)
    g.add_edge(START, "look")
    g.add_conditional_edges("look", after_look, [*ASKS, "give_up"])
    g.add_edge("with_description", "merge")
    g.add_edge("without_description", "merge")
    g.add_edge("merge", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(DESCRIBED, UNDESCRIBED))
