"""Conifer, first part: a query turned into questions that stand by themselves.

A query is taken as a hint at what people want to know. Around the things it names the model
writes at least three new requests, each complete in itself; those that nobody could answer
without more context are dropped. Each of the others is a record, for ``conifer`` to make harder.

Source: Sun et al., "Conifer: Improving Complex Constrained Instruction-Following Ability of Large
Language Models", 2024, arXiv:2404.02823, section 3.1.
Differs: queries of any language, bounded in words of any script instead of characters; the
language is the record's and is not guessed.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message, Outcome, Record, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.leftovers import unwrapped
from engine.text.lengths import words
from engine.text.sameness import bare

LEAST = 3
"""Requests that a query has to yield; one that yields fewer names too little."""
ANSWERS = ("yes", "no")


class Reframed(BaseModel, extra="forbid"):
    """Requests around a query; none where it cannot be done."""

    instructions: list[str] = Field(max_length=12)


REFRAME = Prompt("conifer_questions/reframe", reply=Reframed)
ANSWERABLE = Prompt("conifer_questions/answerable", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    min_words: int = Field(default=5, ge=1)
    """Words of a query, at least."""
    max_words: int = Field(default=50, ge=1)
    """Words of a query, at most."""
    keep: int = Field(default=3, ge=1, le=12)
    """Questions of a query that are kept, at most: the first that can be answered."""


class State(Flow, total=False):
    """What the nodes pass on."""

    questions: list[str]
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def reframe(state: State, runtime: Run) -> State:
    """Write requests around what the query names."""
    kit, query = runtime.context, state["record"].last("user").strip()
    if not kit.params.min_words <= words(query) <= kit.params.max_words:
        return {"reason": "unfit_query"}
    reply = await kit.ask(REFRAME, query=query)
    found = {bare(text): text for text in map(unwrapped, reply.instructions) if text}
    found.pop(bare(query), None)
    reason = "cannot_be_reframed" if len(found) < LEAST else ""
    return {"questions": list(found.values()), "reason": reason}


async def sift(state: State, runtime: Run) -> State:
    """Keep the requests that can be answered as they stand."""
    record, kit, query = state["record"], runtime.context, state["record"].last("user")

    async def judged(at: int, text: str) -> Outcome:
        facts = {"query": query, "question": text}
        asked = record.child(at, messages=(Message("user", text),), facts=facts)
        try:
            said = await kit.choose(ANSWERABLE, ANSWERS, take=at, question=text)
        except ReplyError as error:
            return Drop(asked, "no_verdict", str(error))
        return asked if said == "yes" else Drop(asked, "not_answerable")

    found = await asyncio.gather(*(judged(*each) for each in enumerate(state["questions"])))
    good = [each for each in found if isinstance(each, Record)]
    over = [Drop(each, "enough_questions") for each in good[kit.params.keep :]]
    return {"out": [*good[: kit.params.keep], *over, *(e for e in found if isinstance(e, Drop))]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a query that no questions can be made of."""
    detail = " | ".join(state.get("questions", []))
    return {"out": [Drop(state["record"], state["reason"], detail)]}


def after_reframe(state: State) -> Literal["sift", "give_up"]:
    """Go on where there are enough questions."""
    return "give_up" if state["reason"] else "sift"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``reframe -> sift``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (reframe, sift, give_up):
        g.add_node(node)
    g.add_edge(START, "reframe")
    g.add_conditional_edges("reframe", after_reframe)
    g.add_edge("sift", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(REFRAME, ANSWERABLE))
