"""GLAN, fourth part: an answer to each homework question.

Another model, as a rule a cheaper one, answers the question and nothing else: it sees neither the
syllabus nor the key concepts. An answer that is empty or cut by the token limit is dropped.

Source: Li et al., "Synthetic Data (Almost) from Scratch: Generalized Instruction Tuning for
Language Models" (GLAN), 2024, arXiv:2402.13064, section 2.4; temperature 0.7, top_p 0.95.
Differs: in the language of the record; cut and empty answers do not become records. As in the
paper, nobody checks whether an answer is right: a verifier behind this step can.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.core import Drop, Message
from engine.kit import Flow, Generator, Kit, NoParams
from engine.prompting import Prompt, Text

ANSWER = Prompt("glan_answers/answer", reply=str)


class State(Flow, total=False):
    """What the nodes pass on."""

    answer: Text


Run = Runtime[Kit[NoParams]]


async def answer(state: State, runtime: Run) -> State:
    """Have the question answered."""
    said = await runtime.context.ask(ANSWER, question=state["record"].last("user"))
    return {"answer": cast(Text, said)}


async def finish(state: State, runtime: Run) -> State:
    """The question with its answer."""
    record, said = state["record"], Message("assistant", str(state["answer"]))
    return {"out": [replace(record, messages=(*record.messages, said))]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a question that was not asked, or not answered to the end."""
    record = state["record"]
    if not record.last("user").strip():
        return {"out": [Drop(record, "no_question")]}
    reason = "truncated" if state["answer"].truncated else "empty_answer"
    return {"out": [Drop(record, reason, state["answer"][-200:])]}


def before_answer(state: State) -> Literal["answer", "give_up"]:
    """Ask nothing about nothing."""
    return "answer" if state["record"].last("user").strip() else "give_up"


def after_answer(state: State) -> Literal["finish", "give_up"]:
    """Keep an answer that is whole."""
    return "finish" if state["answer"] and not state["answer"].truncated else "give_up"


def graph() -> StateGraph[State, Kit[NoParams], State, State]:
    """``answer -> finish``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (answer, finish, give_up):
        g.add_node(node)
    g.add_conditional_edges(START, before_answer)
    g.add_conditional_edges("answer", after_answer)
    g.add_edge("finish", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, NoParams, prompts=(ANSWER,))
