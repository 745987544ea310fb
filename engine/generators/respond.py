"""Respond: what people really asked, answered several times, and the best answer kept.

Human instructions have a variety that no model makes up; what they lack is responses that may be
used. An open model writes up to six of them, a judge scores each by itself, and the best is kept:
of equals the first, so that the same replies give the same choice. An instruction that is blank
costs no call. Repeated ones are sorted out before, by the pass ``human_instructions``.

Source: Ma, Mizuki, Fujii, Nakamura, Ohi, Shimada, Shiotani, Saito, Maeda, Hattori, Okamoto,
Ishida, Yokota, Takamura, Okazaki, "Building Instruction-Tuning Datasets from Human-Written
Instructions with Open-Weight Large Language Models", 2025, arXiv:2503.23714
(tokyotech-llm/lmsys-chat-1m-synth): about 450,000 instructions of LMSYS-Chat-1M, six responses.
Differs: instructions are answered in the language in which they were written; none is translated.
A response that is blank, cut or the same as another is not judged; one whose judgement cannot be
read is not chosen. The judge should be another model than the writer.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt

MOST = 6
"""Responses to an instruction, at most."""


class Score(BaseModel, extra="forbid"):
    """What the judge says of one response."""

    reason: str = Field(min_length=1)
    score: int = Field(ge=1, le=10)


RESPOND = Prompt("respond/respond", reply=str)
JUDGE = Prompt("respond/judge", reply=Score)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    responses: int = Field(default=MOST, ge=1, le=MOST)
    """Responses sampled for an instruction, in one call."""
    min_score: int = Field(default=1, ge=1, le=10)
    """A best response below this score (1..10) drops the record; 1 keeps any."""


class State(Flow, total=False):
    """What the nodes pass on."""

    instruction: str
    responses: list[str]
    """Whole, and each another one."""
    scores: list[Score | None]
    """Of each response; None where the judge's reply could not be read."""


Run = Runtime[Kit[Params]]


async def respond(state: State, runtime: Run) -> State:
    """Answer the instruction several times."""
    kit, asked = runtime.context, _asked(state)
    replies = await kit.ask_many(RESPOND, kit.params.responses, instruction=asked)
    whole = [str(text) for text in replies if text and not getattr(text, "truncated", False)]
    return {"instruction": asked, "responses": list(dict.fromkeys(whole))}


async def judge(state: State, runtime: Run) -> State:
    """Score each response by itself."""
    kit = runtime.context
    fence = f"{kit.random('fence').getrandbits(48):012x}"

    async def scored(take: int, response: str) -> Score | None:
        asked = state["instruction"]
        try:
            return await kit.ask(
                JUDGE, take=take, instruction=asked, response=response, fence=fence
            )
        except ReplyError:  # what was not scored is not chosen
            return None

    said = await asyncio.gather(*(scored(*each) for each in enumerate(state["responses"])))
    return {"scores": list(said)}


async def pick(state: State, runtime: Run) -> State:
    """Keep the best response, of equals the first; note them all with their scores."""
    found = [(said.score, -n) for n, said in enumerate(state["scores"]) if said]
    score, at = max(found)
    best = state["responses"][-at]
    facts: dict[str, Json] = {"responses": state["responses"], "best": -at, "score": score}
    facts |= {"scores": [said.score if said else None for said in state["scores"]]}
    facts |= {"judgements": [said.reason if said else None for said in state["scores"]]}
    turns = (Message("user", state["instruction"]), Message("assistant", best))
    record = replace(state["record"].with_facts(**facts), messages=turns)
    least = runtime.context.params.min_score
    return {"out": [record if score >= least else Drop(record, "low_score", f"best: {score}")]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what has no response that could be scored."""
    reason = "no_score" if state.get("responses") else "no_response"
    return {"out": [Drop(state["record"], reason if _asked(state) else "empty_instruction")]}


def at_start(state: State) -> Literal["respond", "give_up"]:
    """A blank instruction costs no call."""
    return "respond" if _asked(state) else "give_up"


def after_respond(state: State) -> Literal["judge", "give_up"]:
    """Go on with what is whole."""
    return "judge" if state["responses"] else "give_up"


def after_judge(state: State) -> Literal["pick", "give_up"]:
    """Choose where there is something to choose by."""
    return "pick" if any(state["scores"]) else "give_up"


def _asked(state: State) -> str:
    turns = state["record"].messages
    return next((turn.content for turn in turns if turn.role == "user"), "").strip()


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``respond -> judge -> pick``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    g.add_node(respond).add_node(judge).add_node(pick).add_node(give_up)
    g.add_conditional_edges(START, at_start)
    g.add_conditional_edges("respond", after_respond)
    g.add_conditional_edges("judge", after_judge)
    g.add_edge("pick", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(RESPOND, JUDGE))
