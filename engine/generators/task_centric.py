"""TCIA, third part: a query and its constraints put into words, checked, and answered.

A state (``task_centric_states``) is written as one instruction. A judge says whether it can be
done, whether it contradicts itself, whether it has all that is needed, and whether every constraint
is in it; what is missing is repaired, what cannot be done is dropped. Several responses are scored
by several criteria, and the best is kept where its mean reaches ``min_score``.

Source: Ma et al., "TCIA: A Task-Centric Instruction Augmentation Method for Instruction
Finetuning", 2025, arXiv:2508.20374 (instruction from a state, validation, responses by score).
Differs: the responses are samples of one model, there of several; the criteria are ours.
"""

from __future__ import annotations

import asyncio
import statistics
from typing import Annotated, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, ReplyError
from engine.judging import fence
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.symbolic.states import constraints_in
from engine.text.elimination import rewrite_fault
from engine.text.leftovers import unwrapped

Points = Annotated[int, Field(ge=1, le=5)]


class Check(BaseModel, extra="forbid"):
    """Whether an instruction can be used, and what it lacks."""

    note: str
    feasible: bool
    consistent: bool
    complete: bool
    expressed: bool


class Scores(BaseModel, extra="forbid"):
    """How good a response is, by criterion."""

    reason: str
    correct: Points
    follows: Points
    helpful: Points
    clear: Points


VERBALIZE = Prompt("task_centric/verbalize", reply=str)
VALIDATE = Prompt("task_centric/validate", reply=Check)
REPAIR = Prompt("task_centric/repair", reply=str)
RESPOND = Prompt("task_centric/respond", reply=str)
JUDGE = Prompt("task_centric/judge", reply=Scores)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    repairs: int = Field(default=1, ge=0, le=10)
    """How often an instruction that lacks something is written anew, at most."""
    responses: int = Field(default=3, ge=1, le=32)
    """Responses sampled for an instruction, in one call."""
    min_score: float = Field(default=3.5, ge=1, le=5)
    """Mean over the criteria (1..5) that the best response must have."""


class State(Flow, total=False):
    """What the nodes pass on."""

    known: dict[str, Json]
    """Task, query, input, and the texts of the constraints, as the prompts take them."""
    instruction: str
    check: Check
    repaired: int
    responses: list[str]
    scores: dict[str, Json]
    best: str
    fault: str  # why it ends without a record, as a slug; empty while it goes on


Run = Runtime[Kit[Params]]


async def verbalize(state: State, runtime: Run) -> State:
    """Write the query under its constraints as one instruction."""
    facts = state["record"].facts
    known: dict[str, Json] = {n: str(facts.get(n) or "") for n in ("task", "query", "input")}
    known["constraints"] = [each.text for each in constraints_in(facts.get("constraints"))]
    if not known["query"]:
        return {"fault": "no_query"}
    text = _whole(await runtime.context.ask(VERBALIZE, **known))
    seen = [str(facts.get("seed_instruction") or "")]
    fault = rewrite_fault(text, seen, state["record"].language)
    return {"known": known, "instruction": text, "repaired": 0, "fault": fault}


async def validate(state: State, runtime: Run) -> State:
    """Have it judged: can it be done, is it one, is all there."""
    turn, text = state["repaired"], state["instruction"]
    check = await runtime.context.ask(VALIDATE, take=turn, instruction=text, **state["known"])
    slugs = {"feasible": "infeasible", "consistent": "inconsistent"}
    slugs |= {"complete": "lacks_context", "expressed": "unsaid_constraint"}
    fault = next((slug for name, slug in slugs.items() if not getattr(check, name)), "")
    return {"check": check, "fault": fault}


async def repair(state: State, runtime: Run) -> State:
    """Add what is missing."""
    turn, shown = state["repaired"], {"instruction": state["instruction"], **state["known"]}
    note = state["check"].note
    text = _whole(await runtime.context.ask(REPAIR, take=turn, note=note, **shown))
    fault = rewrite_fault(text, [], state["record"].language)
    return {"instruction": text, "repaired": turn + 1, "fault": fault}


async def respond(state: State, runtime: Run) -> State:
    """Sample responses; those that are cut or empty are none."""
    kit, text, given = runtime.context, state["instruction"], state["known"]["input"]
    said = await kit.ask_many(RESPOND, kit.params.responses, instruction=text, input=given)
    whole = [str(each) for each in said if each and not getattr(each, "truncated", False)]
    return {"responses": list(dict.fromkeys(whole)), "fault": "" if whole else "cut_answer"}


async def judge(state: State, runtime: Run) -> State:
    """Score every response, and take the best, of equals the first."""
    kit, shown = runtime.context, {"instruction": state["instruction"], "fence": ""}
    shown |= {"input": state["known"]["input"], "fence": fence(kit)}

    async def scored(take: int, response: str) -> tuple[float, dict[str, Json]]:
        try:
            found = await kit.ask(JUDGE, take=take, response=response, **shown)
        except ReplyError:  # a response that nobody could score is not the best
            return 0.0, {}
        points = found.model_dump(exclude={"reason"})
        return statistics.fmean(points.values()), points

    found = await asyncio.gather(*(scored(n, text) for n, text in enumerate(state["responses"])))
    mean, points = max(found, key=lambda each: each[0])
    best = state["responses"][found.index((mean, points))]
    scores = {**points, "mean": round(mean, 6), "responses": [round(each, 6) for each, _ in found]}
    low = "" if mean >= kit.params.min_score else "low_score" if mean else "no_verdict"
    return {"scores": scores, "best": best, "fault": low}


async def accept(state: State, runtime: Run) -> State:
    """The instruction with its best response."""
    record, text, given = state["record"], state["instruction"], state["known"]["input"]
    asked = Message("user", f"{text}\n\n{given}" if given else text)
    facts = {"instruction": text, "repaired": state["repaired"], "scores": state["scores"]}
    turns = (asked, Message("assistant", state["best"]))
    return {"out": [record.child(0, messages=turns, facts=facts)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a state that no good example came of."""
    note = state["check"].note if "check" in state else ""
    detail = f"{state.get('instruction', '')} | {note}"
    return {"out": [Drop(state["record"], state["fault"], detail)]}


def after_check(state: State) -> Literal["sound", "faulty"]:
    """A fault ends it."""
    return "faulty" if state["fault"] else "sound"


def after_validate(state: State, runtime: Run) -> Literal["respond", "repair", "give_up"]:
    """What is missing can be repaired, what cannot be done cannot."""
    if not state["fault"]:
        return "respond"
    missing = state["fault"] in ("lacks_context", "unsaid_constraint")
    left = state["repaired"] < runtime.context.params.repairs
    return "repair" if missing and left else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``verbalize -> (validate -> repair)* -> respond -> judge -> accept``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (verbalize, validate, repair, respond, judge, accept, give_up):
        g.add_node(node)
    g.add_edge(START, "verbalize")
    checks = (("verbalize", "validate"), ("repair", "validate"))
    for check, then in (*checks, ("respond", "judge"), ("judge", "accept")):
        g.add_conditional_edges(check, after_check, {"sound": then, "faulty": "give_up"})
    g.add_conditional_edges("validate", after_validate)
    g.add_edge("accept", END)
    g.add_edge("give_up", END)
    return g


def _whole(reply: str) -> str:
    return "" if getattr(reply, "truncated", False) else unwrapped(reply)


GENERATOR = Generator(graph, Params, prompts=(VERBALIZE, VALIDATE, REPAIR, RESPOND, JUDGE))
