"""Okapi's responses: several different ones to an instruction, in its own language.

What is to be ranked must differ, or the rank says nothing. A model answers the instruction several
times; an answer that is blank, cut, in another language, or the same as one before it (white space,
case and punctuation apart) does not count, and as many as are missing are asked for again. A record
with fewer than wanted drops. The step ``okapi`` behind this one ranks them.

Source: Lai et al., "Okapi: Instruction-tuned Large Language Models in Multiple Languages with
Reinforcement Learning from Human Feedback", 2023, arXiv:2307.16039 (four responses to each prompt).
Differs: sampled from any model of the job (there from the model that was tuned on the first split);
that they differ and are in the language is checked.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json
from engine.kit import Flow, Generator, Kit
from engine.languages.answers import provenance, refused
from engine.prompting import Prompt
from engine.text.questions import unanswered
from engine.text.rankings import MOST

RESPOND = Prompt("okapi_responses/respond", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    responses: int = Field(default=4, ge=2, le=MOST)
    """Different responses to an instruction."""
    takes: int = Field(default=3, ge=1, le=10)
    """How often the model is asked, at most: first for all of them, then for those missing."""


class State(Flow, total=False):
    """What the nodes pass on."""

    instruction: str
    replies: list[str]
    """What came last, as it came."""
    responses: list[str]
    """Whole, in the language, and each another one."""
    take: int
    """How often the model has been asked."""
    fault: str
    """Why a reply or the instruction will not do, the last one found; empty where all do."""


Run = Runtime[Kit[Params]]


async def open_instruction(state: State) -> State:
    """Take what the user asked last."""
    asked, fault = unanswered(state["record"])
    return {"instruction": asked, "responses": [], "take": 0, "fault": fault}


async def respond(state: State, runtime: Run) -> State:
    """Sample as many responses as are missing, in one call."""
    kit, take = runtime.context, state["take"]
    missing = kit.params.responses - len(state["responses"])
    replies = await kit.ask_many(RESPOND, missing, take=take, instruction=state["instruction"])
    return {"replies": replies, "take": take + 1}


async def sift(state: State) -> State:
    """Keep those that are whole, in the language, and another one than all before."""
    found, fault = list(state["responses"]), ""
    for reply in state["replies"]:
        wrong = refused(reply, state["instruction"], state["record"].language, found)
        fault = wrong or fault
        found += [] if wrong else [str(reply)]
    return {"responses": found, "fault": fault}


async def keep(state: State, runtime: Run) -> State:
    """Note the responses, and who wrote them."""
    record = state["record"]
    facts: dict[str, Json] = {"responses": state["responses"]}
    facts |= {"writers": sorted({call.model for call in runtime.context.hop("").calls})}
    facts |= {"parallel_id": str(record.facts.get("parallel_id") or record.id)}
    facts |= {"provenance": provenance(record, response="regenerated", rejected="regenerated")}
    return {"out": [record.with_facts(**facts)]}


async def give_up(state: State) -> State:
    """Drop what cannot be answered, or not in different ways."""
    if not state["take"]:
        return {"out": [Drop(state["record"], state["fault"])]}
    told = f"{len(state['responses'])} that differ; the last refused: {state['fault']}"
    return {"out": [Drop(state["record"], "too_few_responses", told)]}


def after_open(state: State) -> Literal["respond", "give_up"]:
    """Ask where there is something to ask."""
    return "give_up" if state["fault"] else "respond"


def after_sift(state: State, runtime: Run) -> Literal["keep", "respond", "give_up"]:
    """Ask for what is missing while there are takes left."""
    params = runtime.context.params
    if len(state["responses"]) >= params.responses:
        return "keep"
    return "respond" if state["take"] < params.takes else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_instruction -> (respond -> sift)* -> keep | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_instruction, respond, sift, keep, give_up):
        g.add_node(node)
    g.add_edge(START, "open_instruction")
    g.add_conditional_edges("open_instruction", after_open)
    g.add_edge("respond", "sift")
    g.add_conditional_edges("sift", after_sift)
    g.add_edge("keep", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(RESPOND,))
