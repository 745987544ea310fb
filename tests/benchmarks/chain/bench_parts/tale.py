"""Three chained calls: an instruction on a topic, a response, and a verdict where it asks for one.

Source: none; it exists for the benchmarks. ``[[k=ROW.CALL]]`` in each prompt tells the simulated
server which reply to give, so that every client gives it the same work.
"""

from __future__ import annotations

import json

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from engine import Drop, Generator, Kit, Prompt
from engine.core import Message
from engine.kit import Flow, NoParams


class Verdict(BaseModel):
    tag: str
    score: int
    reason: str


INSTRUCT = Prompt("tale/instruct", reply=str)
RESPOND = Prompt("tale/respond", reply=str)
JUDGE = Prompt("tale/judge", reply=Verdict)


class State(Flow, total=False):
    instruction: str
    response: str


Run = Runtime[Kit[NoParams]]


async def instruct(state: State, runtime: Run) -> State:
    record = state["record"]
    topic, row = record.last("user"), record.facts["row"]
    return {"instruction": await runtime.context.ask(INSTRUCT, row=row, topic=topic)}


async def respond(state: State, runtime: Run) -> State:
    row, asked = state["record"].facts["row"], state["instruction"]
    return {"response": await runtime.context.ask(RESPOND, row=row, instruction=asked)}


def after_respond(state: State) -> str:
    return "judge" if " J1 " in state["response"][:32] else "keep"


async def judge(state: State, runtime: Run) -> State:
    row, asked = state["record"].facts["row"], state["instruction"]
    verdict = await runtime.context.ask(
        JUDGE, row=row, instruction=asked, response=state["response"]
    )
    return made(state, json.dumps(verdict.model_dump()))


def keep(state: State) -> State:
    return made(state, None)


def made(state: State, verdict: str | None) -> State:
    turns = (Message("user", state["instruction"]), Message("assistant", state["response"]))
    record = state["record"].child(0, messages=turns, facts={"verdict": verdict})
    empty = [turn.role for turn in turns if not turn.content]
    return {"out": [Drop(record, "empty", ", ".join(empty)) if empty else record]}


def graph() -> StateGraph[State, Kit[NoParams], State, State]:
    g = StateGraph(State, context_schema=Kit)
    g.add_node(instruct).add_node(respond).add_node(judge).add_node(keep)
    g.add_edge(START, "instruct")
    g.add_edge("instruct", "respond")
    g.add_conditional_edges("respond", after_respond, ["judge", "keep"])
    g.add_edge("judge", END)
    g.add_edge("keep", END)
    return g


GENERATOR = Generator(graph, NoParams, prompts=(INSTRUCT, RESPOND, JUDGE))
