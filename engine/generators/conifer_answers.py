"""Conifer, third part: answers to the levels, and what feedback teaches about them.

A level's instruction is answered, a share of them with an account of how the conditions were met
(internal feedback); conditions that a program can check are checked. The hardest level is also
answered by a weaker model and compared with the answer: where it falls short, the weak answer,
the user's criticism and the good answer are a second record (external feedback). Where a record
brings the easier levels along, they are turns of one conversation, from easy to hard.

Source: Sun et al., "Conifer: Improving Complex Constrained Instruction-Following Ability of Large
Language Models", 2024, arXiv:2404.02823, section 3.2.
Differs: an answer that breaks a checkable condition is dropped; a level with one is not accounted
for, since the account would break it; the criticism is the user's next turn, in their language.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.constraints.reading import (
    ConstraintError,
    failures,
    language_of,
    listed,
    passes,
    results,
)
from engine.core import Drop, Message, Record, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.languages.agreement import teller
from engine.prompting import Prompt

HARDEST = 5
"""The level from which on a weaker model is asked, too; a record without a level is as hard."""


class Review(BaseModel, extra="forbid"):
    """Whether an answer is as good as the reference, and what its reader would say."""

    as_good: bool
    criticism: str
    """The user's next turn; empty where there is nothing to criticise."""


ANSWER = Prompt("conifer_answers/answer", reply=str)
ACCOUNT = Prompt("conifer_answers/account", reply=str)
ATTEMPT = Prompt("conifer_answers/attempt", reply=str)
REVIEW = Prompt("conifer_answers/review", reply=Review)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    accounts: float = Field(default=0.2, ge=0, le=1)
    """Share (0..1) of levels whose answer says how it meets the conditions."""
    feedback: bool = True
    """Whether a weaker model (role ``weaker``) tries the hardest level."""


class State(Flow, total=False):
    """What the nodes pass on; ``record`` is given its answer on the way."""

    asked: str
    answer: str
    attempt: str
    revised: list[Record]
    """The conversation with feedback, where there is one."""
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""
    detail: str


Run = Runtime[Kit[Params]]


async def answer(state: State, runtime: Run) -> State:
    """Answer the level, after the easier ones where there are some."""
    kit, record = runtime.context, state["record"]
    asked = [*map(str, record.facts.get("easier") or []), record.last("user")]
    if not all(map(str.strip, asked)):
        return {"reason": "no_instruction"}
    often = 0 if record.facts.get("constraints") else kit.params.accounts
    accounted = kit.random("account").random() < often
    prompts: list[Prompt[str]] = [ANSWER] * (len(asked) - 1) + [ACCOUNT if accounted else ANSWER]

    async def said(prompt: Prompt[str], text: str) -> str:
        return await kit.ask(prompt, instruction=text)

    replies = await asyncio.gather(*map(said, prompts, asked))
    pairs = zip(asked, replies, strict=True)
    turns = tuple(m for q, a in pairs for m in (Message("user", q), Message("assistant", str(a))))
    cut = any(not reply or getattr(reply, "truncated", False) for reply in replies)
    record = replace(
        record.with_facts(feedback="internal" if accounted else "none"), messages=turns
    )
    found: State = {"record": record, "asked": asked[-1], "answer": str(replies[-1])}
    return {**found, "revised": [], "reason": "cut_answer" if cut else ""}


async def verify(state: State, runtime: Run) -> State:
    """Hold the answer against the conditions that a program can check."""
    record = state["record"]
    try:
        constraints = listed(record.facts.get("constraints"))
    except ConstraintError as error:
        return {"reason": "bad_constraint", "detail": str(error)}
    tell = teller(language_of(constraints, record.language))
    found = results(state["answer"], constraints, record.language, tell)
    if constraints and not passes(found):
        return {"reason": "constraint_failed", "detail": failures([found])}
    return {"record": record.with_facts(constraint_results=found) if constraints else record}


async def attempt(state: State, runtime: Run) -> State:
    """Let a weaker model answer the hardest level."""
    said = await runtime.context.ask(ATTEMPT, instruction=state["asked"])
    return {"attempt": "" if getattr(said, "truncated", False) else str(said)}


async def review(state: State, runtime: Run) -> State:
    """Compare the weak answer with ours; where it falls short, make the conversation of it."""
    kit, record = runtime.context, state["record"]
    fence = f"{kit.random('fence').getrandbits(48):012x}"
    asked, ours, weak = state["asked"], state["answer"].strip(), state["attempt"].strip()
    if weak in ("", ours):
        return {"revised": []}
    try:
        said = await kit.ask(REVIEW, instruction=asked, reference=ours, response=weak, fence=fence)
    except ReplyError:  # no feedback is no reason to lose the answer
        return {"revised": []}
    critic = said.criticism.strip()
    if said.as_good or not critic:
        return {"revised": []}
    question, answered = record.messages[-2:]
    turns = (question, Message("assistant", weak), Message("user", critic), answered)
    return {"revised": [record.child(0, messages=turns, facts={"feedback": "external"})]}


async def finish(state: State, runtime: Run) -> State:
    """The answered record, and the one with feedback."""
    return {"out": [state["record"], *state["revised"]]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what has no answer that holds."""
    return {"out": [Drop(state["record"], state["reason"], state.get("detail", ""))]}


def after_answer(state: State) -> Literal["verify", "give_up"]:
    """Go on with a whole answer."""
    return "give_up" if state["reason"] else "verify"


def after_verify(state: State, runtime: Run) -> Literal["attempt", "finish", "give_up"]:
    """Try the hardest level with the weaker model, too."""
    if state["reason"]:
        return "give_up"
    hardest = state["record"].facts.get("level", HARDEST) >= HARDEST
    return "attempt" if hardest and runtime.context.params.feedback else "finish"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``answer -> verify -> (attempt -> review) -> finish``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (answer, verify, attempt, review, finish, give_up):
        g.add_node(node)
    for ahead in ((START, "answer"), ("attempt", "review"), ("review", "finish")):
        g.add_edge(*ahead)
    g.add_conditional_edges("answer", after_answer)
    g.add_conditional_edges("verify", after_verify)
    g.add_edge("finish", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(ANSWER, ACCOUNT, ATTEMPT, REVIEW))
