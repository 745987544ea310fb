"""CodecLM, second part: an instruction made harder until it tells two models apart.

From an instruction's metadata (``codec_instructions``) the model writes rubrics of what makes such
an instruction hard, each with an action. An action is drawn and applied, the strong and the target
model answer, and a judge scores both in both orders. A lead of the strong one above ``gap`` keeps
the pair; a smaller one, with a good answer, asks for another action; else the instruction drops.

Source: Wang et al., "CodecLM: Aligning Language Models with Tailored Synthetic Data", 2024,
arXiv:2404.05875 (self-rubrics, contrastive filtering).
Differs: all limits are settings; no action is applied twice while others are left; the target's
answer is kept as ``rejected``; a failed rewrite costs an iteration.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message
from engine.judging import fence
from engine.kit import Flow, Generator, Kit
from engine.measures.contrast import Contrast
from engine.prompting import Prompt
from engine.text.elimination import rewrite_fault
from engine.text.leftovers import unwrapped
from engine.text.sameness import bare


class Rubric(BaseModel, extra="forbid"):
    """What makes an instruction hard, and an action that makes it harder."""

    rubric: str = Field(min_length=1)
    action: str = Field(min_length=1)


class Rubrics(BaseModel, extra="forbid"):
    """Rubrics for one use case and its skills."""

    rubrics: list[Rubric] = Field(max_length=20)


class Scores(BaseModel, extra="forbid"):
    """How good two answers are, from 1 to 10, in the order they were shown."""

    reason: str
    first: int = Field(ge=1, le=10)
    second: int = Field(ge=1, le=10)


RUBRICS = Prompt("codec/rubrics", reply=Rubrics)
IMPROVE = Prompt("codec/improve", reply=str)
ANSWER = Prompt("codec/answer", reply=str)
ATTEMPT = Prompt("codec/attempt", reply=str)
SCORE = Prompt("codec/score", reply=Scores)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change; scores are 1..10."""

    gap: float = Field(default=3.0, ge=0, le=9)
    """Points by which the strong answer must lead, more than that, for the pair to be kept."""
    good: float = Field(default=6.0, ge=1, le=10)
    """Points from which a strong answer is good enough to go on with its instruction."""
    lead: float = Field(default=0.0, ge=0, le=9)
    """Points that the target may lead by; more than that drops the instruction."""
    iterations: int = Field(default=4, ge=1, le=20)
    """Actions applied to an instruction, at most."""
    rubrics: int = Field(default=4, ge=1, le=20)
    """Different actions that there must be to choose from."""


class State(Flow, total=False):
    """What the nodes pass on."""

    instruction: str
    rubrics: list[Rubric]
    left: list[Rubric]  # not applied yet
    applied: list[dict[str, str]]
    fault: str
    answer: str
    attempt: str
    scores: dict[str, Json]
    verdict: str


Run = Runtime[Kit[Params]]


async def rubrics(state: State, runtime: Run) -> State:
    """Write rubrics and their actions from the metadata."""
    facts, kit, asked = state["record"].facts, runtime.context, state["record"].last("user")
    use_case, skills = facts.get("use_case"), facts.get("skills")
    if not (use_case and skills and asked.strip()):
        return {"verdict": "no_metadata"}
    many = kit.params.rubrics
    reply = await kit.ask(RUBRICS, count=many, use_case=use_case, skills=skills)
    found = {bare(each.action): each for each in reply.rubrics if bare(each.action)}
    verdict, listed = "" if len(found) >= many else "too_few_rubrics", list(found.values())
    return {"instruction": asked, "rubrics": listed, "left": [], "applied": [], "verdict": verdict}


async def improve(state: State, runtime: Run) -> State:
    """Apply an action, drawn from those that were not applied yet."""
    kit, before, turn = runtime.context, state["instruction"], len(state["applied"])
    among = state["left"] or state["rubrics"]
    drawn = kit.random("action", turn).choice(among)
    reply = await kit.ask(IMPROVE, take=turn, instruction=before, **drawn.model_dump())
    text = "" if getattr(reply, "truncated", False) else unwrapped(reply)
    fault = rewrite_fault(text, [before], state["record"].language)
    applied = {**drawn.model_dump(), "instruction": text, "fault": fault}
    after: State = {} if fault else {"instruction": text}
    left = [each for each in among if each is not drawn]
    return {**after, "left": left, "applied": [*state["applied"], applied], "fault": fault}


async def respond(state: State, runtime: Run) -> State:
    """Have both models answer."""
    kit, asked, turn = runtime.context, state["instruction"], len(state["applied"])
    answer, attempt = await asyncio.gather(
        kit.ask(ANSWER, take=turn, instruction=asked),
        kit.ask(ATTEMPT, take=turn, instruction=asked),
    )
    verdict = "" if answer and not getattr(answer, "truncated", False) else "cut_answer"
    return {"answer": str(answer), "attempt": str(attempt), "verdict": verdict}


async def compare(state: State, runtime: Run) -> State:
    """Score both answers in both orders, and take the means."""
    kit, turn, pair = runtime.context, len(state["applied"]), (state["answer"], state["attempt"])

    async def scored(take: int, first: str, second: str) -> Scores:
        shown = {"instruction": state["instruction"], "first": first, "second": second}
        return await kit.ask(SCORE, take=take, **shown, fence=fence(kit))

    forth, back = await asyncio.gather(
        scored(2 * turn, *pair), scored(2 * turn + 1, *reversed(pair))
    )
    found = Contrast((forth.first, forth.second), (back.second, back.first))
    mean = {"strong": found.strong, "target": found.target, "gap": found.gap}
    verdict = found.ruled(kit.params.gap, kit.params.good, kit.params.lead)
    return {"scores": {**mean, "orders": [found.forth, found.back]}, "verdict": verdict}


async def accept(state: State, runtime: Run) -> State:
    """The instruction with the strong answer, and how it came to be."""
    record, said = state["record"], state["answer"]
    turns = (Message("user", state["instruction"]), Message("assistant", said))
    facts = {"actions": state["applied"], "scores": state["scores"], "rejected": state["attempt"]}
    return {"out": [record.child(0, messages=turns, facts=facts)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop an instruction that teaches the target nothing."""
    scores = state.get("scores", {})
    detail = f"strong {scores['strong']:g}, target {scores['target']:g}" if scores else ""
    reason = "no_gap" if state["verdict"] == "again" else state["verdict"] or state["fault"]
    record = state["record"].with_facts(actions=state.get("applied", []), scores=scores)
    return {"out": [Drop(record, reason, detail)]}


def after_check(state: State) -> Literal["sound", "give_up"]:
    """Without enough actions, or a whole answer, it ends."""
    return "give_up" if state["verdict"] else "sound"


def after_improve(state: State, runtime: Run) -> Literal["respond", "improve", "give_up"]:
    """A rewrite that failed leaves the iterations that are left."""
    return _another(state, runtime) if state["fault"] else "respond"


def after_compare(state: State, runtime: Run) -> Literal["accept", "improve", "give_up"]:
    """Keep it, make it harder still, or drop it."""
    again = state["verdict"] == "again"
    return "accept" if state["verdict"] == "accept" else _another(state, runtime, again)


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``rubrics -> (improve -> respond -> compare)* -> accept``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (rubrics, improve, respond, compare, accept, give_up):
        g.add_node(node)
    g.add_edge(START, "rubrics")
    for check, then in (("rubrics", "improve"), ("respond", "compare")):
        g.add_conditional_edges(check, after_check, {"sound": then, "give_up": "give_up"})
    g.add_conditional_edges("improve", after_improve)
    g.add_conditional_edges("compare", after_compare)
    g.add_edge("accept", END)
    g.add_edge("give_up", END)
    return g


def _another(state: State, runtime: Run, again: bool = True) -> Literal["improve", "give_up"]:
    left = len(state["applied"]) < runtime.context.params.iterations
    return "improve" if again and left else "give_up"


GENERATOR = Generator(graph, Params, prompts=(RUBRICS, IMPROVE, ANSWER, ATTEMPT, SCORE))
