"""A method of a user's own: answer an instruction, then judge the answer.

Source: none; it exists for the tests.
"""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from engine import Drop, Generator, Kit, Prompt
from engine.core import Message
from engine.kit import Flow, NoParams


class Verdict(BaseModel, extra="forbid"):
    usable: bool


ANSWER = Prompt("chain/answer", reply=str)
JUDGE = Prompt("chain/judge", reply=Verdict)


class State(Flow, total=False):
    answers: list[str]


Run = Runtime[Kit[NoParams]]


async def answer(state: State, runtime: Run) -> State:
    instruction = state["record"].last("user")
    return {
        "answers": [
            await runtime.context.ask(ANSWER, take=i, instruction=instruction) for i in (0, 1)
        ]
    }


async def judge(state: State, runtime: Run) -> State:
    record, out = state["record"], []
    for i, text in enumerate(state["answers"]):
        verdict = await runtime.context.ask(JUDGE, take=i, response=text)
        made = record.child(i, messages=(*record.messages, Message("assistant", text)))
        out.append(made if verdict.usable else Drop(made, "unusable"))
    return {"out": out}


def graph() -> StateGraph[State, Kit[NoParams], State, State]:
    g = StateGraph(State, context_schema=Kit)
    g.add_node(answer).add_node(judge)
    g.add_edge(START, "answer")
    g.add_edge("answer", "judge")
    g.add_edge("judge", END)
    return g


GENERATOR = Generator(graph, NoParams, prompts=(ANSWER, JUDGE))
