"""GLAN, second part: a syllabus for a subject, as class sessions with their key concepts.

The model designs the course in free text, which it does better than in JSON; the text is read by
its form (``engine.text.syllabus``), and only where that fails the model is asked to convert it.
The record keeps the text as the answer and the sessions as the fact ``syllabus``: a job that
starts from such records (sources ``records`` and ``jsonl``) grows no tree.

Source: Li et al., "Synthetic Data (Almost) from Scratch: Generalized Instruction Tuning for
Language Models" (GLAN), 2024, arXiv:2402.13064, section 2.3.
Differs: the text is converted by a program first; in the language of the record; what the token
limit cut ends with the last session that is whole.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Literal, cast

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt, Text
from engine.text.syllabus import Session, listed, sessions


class Class(BaseModel, extra="forbid"):
    """A class session as the model converts it."""

    title: str
    description: str
    concepts: list[str]


class Converted(BaseModel, extra="forbid"):
    """A syllabus that was free text."""

    sessions: list[Class]


DESIGN = Prompt("glan_syllabus/design", reply=str)
CONVERT = Prompt("glan_syllabus/convert", reply=Converted)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    sessions: int = Field(default=12, ge=2, le=60)
    """Class sessions that a course is to have, about."""
    min_sessions: int = Field(default=3, ge=1)
    """Sessions with key concepts that a syllabus has at least."""


class State(Flow, total=False):
    """What the nodes pass on."""

    subject: str
    text: Text
    """The syllabus as it was written."""
    course: list[Session]


Run = Runtime[Kit[Params]]


async def design(state: State, runtime: Run) -> State:
    """Have the course designed, in free text."""
    record, kit = state["record"], runtime.context
    facts, subject = record.facts, str(record.facts.get("subject") or record.last("user"))
    text = await kit.ask(
        DESIGN,
        subject=subject,
        discipline=facts.get("discipline") or "",
        level=facts.get("level") or "",
        introduction=facts.get("introduction") or "",
        subtopics=facts.get("subtopics") or [],
        count=kit.params.sessions,
    )
    return {"subject": subject, "text": cast(Text, text)}


async def parse(state: State, runtime: Run) -> State:
    """Read the text by its form; the session at which it was cut is not whole."""
    text = state["text"]
    found = sessions(text)
    return {"course": found[:-1] if text.truncated else found}


async def convert(state: State, runtime: Run) -> State:
    """Have a text of another form converted."""
    reply = await runtime.context.ask(CONVERT, syllabus=state["text"])
    return {"course": listed([each.model_dump() for each in reply.sessions])}


async def finish(state: State, runtime: Run) -> State:
    """The subject with its syllabus."""
    course = [{**asdict(each), "concepts": list(each.concepts)} for each in state["course"]]
    turns = (Message("user", state["subject"]), Message("assistant", str(state["text"])))
    record = replace(state["record"], messages=turns)
    return {"out": [record.with_facts(subject=state["subject"], syllabus=course)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a subject whose syllabus is none."""
    detail = f"{len(state['course'])} sessions with key concepts: {state['text'][:200]}"
    return {"out": [Drop(state["record"], "too_few_sessions", detail)]}


def after_parse(state: State, runtime: Run) -> Literal["finish", "convert", "give_up"]:
    """Convert what could not be read; there is nothing to convert in an empty text."""
    if _enough(state, runtime):
        return "finish"
    return "convert" if state["text"] else "give_up"


def after_convert(state: State, runtime: Run) -> Literal["finish", "give_up"]:
    """Keep what is a course now."""
    return "finish" if _enough(state, runtime) else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``design -> parse -> (convert)? -> finish``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (design, parse, convert, finish, give_up):
        g.add_node(node)
    g.add_edge(START, "design")
    g.add_edge("design", "parse")
    g.add_conditional_edges("parse", after_parse)
    g.add_conditional_edges("convert", after_convert)
    g.add_edge("finish", END)
    g.add_edge("give_up", END)
    return g


def _enough(state: State, runtime: Run) -> bool:
    return len(state["course"]) >= runtime.context.params.min_sessions


GENERATOR = Generator(graph, Params, prompts=(DESIGN, CONVERT))
