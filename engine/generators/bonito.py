"""Bonito: a text and a kind of task become an instruction about the text, and its answer.

Sixteen kinds of task are known, from extractive questions to inference. Which are made of a text
is stated (in its fact ``task_types``, by the pass ``task_coverage`` for one) or drawn. A model that
was trained for it is shown the kind and the text between marks and writes input and output with a
separator; any other model is told what the kind means and fills in two fields. In both a slot
stands for the text, and the text is put there by us, letter by letter.

Source: Nayak, Nan, Trost, Bach, "Learning to Generate Instruction Tuning Datasets for Zero-Shot
Task Adaptation", 2024, arXiv:2402.18334, sections 3 and 4.
Differs: any instruct model, in any language; samples that are cut or have a blank part drop; what
becomes of a task without the slot is the job's choice; a text that holds a mark of the form is not
shown to a trained model, since it could forge a section.
"""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import Literal, NamedTuple

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Message, Outcome, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text import task_types as form


class Task(BaseModel, extra="forbid"):
    """A task about a text, with the slot where the text belongs."""

    input: str
    output: str


COMPLETION = Prompt("bonito/completion", reply=str)
TASK = Prompt("bonito/task", reply=Task)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    model: Literal["instruct", "trained"] = "instruct"
    """Who writes: any ``instruct`` model, or one ``trained`` on the form, such as Bonito."""
    task_types: tuple[str, ...] = Field(default_factory=lambda: tuple(form.kinds()), min_length=1)
    """Types, by short or full names, for texts that do not state theirs."""
    per_context: int = Field(default=1, ge=1, le=16)
    """Types drawn for such a text, none twice."""
    samples: int = Field(default=1, ge=1, le=100)
    """Tasks sampled for a text and a type, in one call."""
    without_slot: Literal["keep", "append", "drop"] = "keep"
    """A task whose input lacks the slot: ``keep`` it as it is, ``append`` the text, or ``drop``."""

    @field_validator("task_types")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(form.short, given)))


class Draft(NamedTuple):
    """What a model wrote, of a kind by its short name."""

    kind: str
    parts: form.Parts | None
    fault: str = ""
    """Why it cannot be used, as a slug; empty where nothing is wrong so far."""
    text: str = ""
    """A trained model's completion, or the error."""


class State(Flow, total=False):
    """What the nodes pass on."""

    context: str
    kinds: list[str]
    drafts: list[Draft]
    reason: str
    """Why it ends without a record; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def pick(state: State, runtime: Run) -> State:
    """Take the text, and the types that are stated or else drawn."""
    record, params = state["record"], runtime.context.params
    context = str(record.facts.get("document") or record.last("user")).strip()
    if not context:
        return {"reason": "no_context"}
    if params.model == "trained" and (mark := form.marked(context)):
        return {"reason": f"mark_in_context: {mark}"}
    try:
        named = form.stated(record.facts.get("task_types"))
    except ValueError as error:
        return {"reason": f"unknown_task_type: {error}"}
    most = min(params.per_context, len(params.task_types))
    drawn = named or runtime.context.random("types").sample(params.task_types, most)
    return {"context": context, "kinds": drawn, "reason": ""}


async def complete(state: State, runtime: Run) -> State:
    """Let a trained model go on after the three marked sections."""
    kit, context = runtime.context, state["context"]

    async def drafts(kind: str) -> list[Draft]:
        name, n = form.kinds()[kind].name, kit.params.samples
        found = await kit.ask_many(COMPLETION, n, task_type=name, context=context)
        return [Draft(kind, None, _cut(text), text) for text in found]

    return {"drafts": list(chain(*await asyncio.gather(*map(drafts, state["kinds"]))))}


async def split(state: State, runtime: Run) -> State:
    """Keep what has exactly one separator."""
    return {"drafts": [_apart(draft) for draft in state["drafts"]]}


async def write(state: State, runtime: Run) -> State:
    """Let any model write both parts of a task of the type."""
    kit, context = runtime.context, state["context"]

    async def drafts(kind: str) -> list[Draft]:
        about, n = form.kinds()[kind].model_dump(), kit.params.samples
        try:
            found = await kit.ask_many(TASK, n, kind=about, context=context, slot=form.SLOT)
        except ReplyError as error:
            return [Draft(kind, None, "bad_reply", str(error))]
        return [Draft(kind, form.slotted(form.Parts(task.input, task.output))) for task in found]

    return {"drafts": list(chain(*await asyncio.gather(*map(drafts, state["kinds"]))))}


async def fill(state: State, runtime: Run) -> State:
    """Put the text where its slot is, in both parts: a record for each draft."""
    how, out = runtime.context.params.without_slot, list[Outcome]()
    for n, draft in enumerate(state["drafts"]):
        task = draft.parts or form.Parts("", "")
        missing = "no_slot" if how == "drop" and form.SLOT not in task.input else ""
        whole = form.filled(form.appended(task) if how == "append" else task, state["context"])
        turns = (Message("user", whole.input), Message("assistant", whole.output))
        facts = {"task_type": draft.kind, "template": list(task)}
        made = state["record"].child(n, messages=turns, facts=facts)
        fault = draft.fault or ("" if all(task) else "blank_part") or missing
        out.append(Drop(made, fault, draft.text[:500]) if fault else made)
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a text of which nothing can be made."""
    reason, _, detail = state["reason"].partition(": ")
    return {"out": [Drop(state["record"], reason, detail)]}


def _cut(text: str) -> str:
    return "cut_reply" if getattr(text, "truncated", False) else ""


def _apart(draft: Draft) -> Draft:
    parts = None if draft.fault else form.taken_apart(draft.text)
    fault = "" if parts else draft.fault or "not_one_separator"
    return draft._replace(parts=parts, fault=fault)


def after_pick(state: State, runtime: Run) -> Literal["complete", "write", "give_up"]:
    """Ask in the form that the model knows."""
    if state["reason"]:
        return "give_up"
    return "complete" if runtime.context.params.model == "trained" else "write"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``pick -> complete -> split -> fill`` or ``pick -> write -> fill``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (pick, complete, split, write, fill, give_up):
        g.add_node(node)
    g.add_edge(START, "pick")
    g.add_conditional_edges("pick", after_pick)
    g.add_edge("complete", "split")
    g.add_edge("split", "fill")
    g.add_edge("write", "fill")
    g.add_edge("fill", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(COMPLETION, TASK))
