"""GLAN, third part: homework questions from a syllabus.

From the class sessions of a syllabus one is drawn, or two for a harder question, and one to five
of their key concepts; the model writes a question about just these. How many such draws there are
is counted by formula and none is made twice; they are drawn uniformly and never listed
(``engine.selection.combinations``). Takes records with the fact ``syllabus``, a list of sessions
with ``title``, ``description`` and ``concepts``: from ``glan_syllabus``, from an earlier run's
dataset (source ``records``) or from a file of one's own (source ``jsonl``).

Source: Li et al., "Synthetic Data (Almost) from Scratch: Generalized Instruction Tuning for
Language Models" (GLAN), 2024, arXiv:2402.13064, section 2.4; temperature 1.0, top_p 0.95.
Differs: the share of questions across two sessions is a setting; in the language of the record.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal, cast

import regex
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message, Outcome, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt, Text
from engine.selection.combinations import Way, drawn
from engine.text.leftovers import opens_sorry, unwrapped
from engine.text.lengths import words
from engine.text.syllabus import Session, listed

LEFT = ("syllabus", "introduction", "subtopics", "votes", "take")
"""Facts about the course that stay with it: a question's lineage leads to them."""
HEADED = regex.compile(
    r"(?:#{1,6}[ \t]+[^\n]{1,60}\n+|\*\*[^*\n]{1,40}(?::\*\*|：\*\*|\*\*[:：])\s*)"
)
"""A heading or a label in bold type, such as ``**Question:**``, above what is asked."""

WRITE = Prompt("glan_questions/write", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    questions: int = Field(default=5, ge=1, le=1000)
    """Questions of a syllabus; fewer where it has fewer combinations."""
    max_concepts: int = Field(default=5, ge=1, le=10)
    """Key concepts in a question, at most."""
    two_sessions: float = Field(default=0.5, ge=0, le=1)
    """Share (0..1) of questions across two sessions, which are harder."""
    min_words: int = Field(default=4, ge=1)
    """Words of a question, at least."""


class State(Flow, total=False):
    """What the nodes pass on."""

    course: list[Session]
    ways: list[Way]


Run = Runtime[Kit[Params]]


async def draw(state: State, runtime: Run) -> State:
    """Draw sessions and key concepts for each question."""
    kit, course = runtime.context, listed(state["record"].facts.get("syllabus"))
    ask, concepts = kit.params, [session.concepts for session in course]
    random = kit.random("ways")
    ways = drawn(concepts, ask.questions, ask.max_concepts, ask.two_sessions, random)
    return {"course": course, "ways": ways}


async def write(state: State, runtime: Run) -> State:
    """Have a question written for each draw."""
    record, kit, course = state["record"], runtime.context, state["course"]
    about = {key: value for key, value in record.facts.items() if key not in LEFT}
    subject = str(about.get("subject") or record.last("user"))

    async def asked(at: int, way: Way) -> Outcome:
        chosen = [course[number] for number in way.sessions]
        facts = {"sessions": [each.title for each in chosen], "concepts": list(way.concepts)}
        child = replace(record.child(at, messages=()), facts={**about, "subject": subject, **facts})
        try:
            text = await kit.ask(
                WRITE,
                take=at,
                subject=subject,
                level=about.get("level") or "",
                course=[each.title for each in course],
                sessions=chosen,
                concepts=way.concepts,
            )
        except ReplyError as error:
            return Drop(child, "bad_reply", str(error))
        question = unwrapped(HEADED.sub("", unwrapped(text), count=1))
        child = replace(child, messages=(Message("user", question),))
        reason = _fault(cast(Text, text), question, kit)
        return Drop(child, reason) if reason else child

    return {"out": list(await asyncio.gather(*(asked(*e) for e in enumerate(state["ways"]))))}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a record without a syllabus to ask about."""
    return {"out": [Drop(state["record"], "no_syllabus")]}


def after_draw(state: State) -> Literal["write", "give_up"]:
    """Go on where there is something to ask about."""
    return "write" if state["ways"] else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``draw -> write``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (draw, write, give_up):
        g.add_node(node)
    g.add_edge(START, "draw")
    g.add_conditional_edges("draw", after_draw)
    g.add_edge("write", END)
    g.add_edge("give_up", END)
    return g


def _fault(reply: Text, question: str, kit: Kit[Params]) -> str:
    """Why a reply is no question, as a slug; empty where it is one."""
    if reply.truncated:
        return "truncated"
    if words(question) < kit.params.min_words:
        return "too_short"
    return "refused" if opens_sorry(question, kit.record.language) else ""


GENERATOR = Generator(graph, Params, prompts=(WRITE,))
