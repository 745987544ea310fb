"""Bactrian-X: the prompt is translated, the answer is written natively in the target language.

A translated answer carries the translator's mistakes into what a model learns to write. So only
the prompt is translated (the step ``translate``, with ``response: regenerate``), and the answer is
asked for here, from the translated prompt alone, in its language. One that is blank, cut, or not in
the language is asked for again. Every record says that its prompt is a translation and its answer
is none; ``parallel_id`` is the same in all languages, and the pass ``parallel_ids`` behind this
step keeps what every language has.

Source: Li, Koto, Wu, Aji, Baldwin, "Bactrian-X: Multilingual Replicable Instruction-Following
Models with Low-Rank Adaptation", 2023, arXiv:2305.15011, section 3: 67,000 prompts in 52 languages.
Differs: any model answers (there gpt-3.5-turbo), and is told in which language; answers in another
language are asked for again and then drop (there they stayed).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message
from engine.kit import Flow, Generator, Kit
from engine.languages.answers import provenance
from engine.languages.quality import answer_fault
from engine.prompting import Prompt
from engine.text.questions import unanswered

ANSWER = Prompt("bactrian/answer", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    takes: int = Field(default=2, ge=1, le=10)
    """How often an answer is asked for, at most."""


class State(Flow, total=False):
    """What the nodes pass on."""

    prompt: str
    """The last thing the user said, in the record's language."""
    answer: str
    take: int
    """How often it has been asked."""
    fault: str
    """Why the prompt or the answer will not do; empty where it will."""


Run = Runtime[Kit[Params]]


async def open_prompt(state: State) -> State:
    """Take the prompt, and nothing else: an answer in another language is not looked at."""
    asked, fault = unanswered(state["record"])
    return {"prompt": asked, "answer": "", "take": 0, "fault": fault}


async def answer(state: State, runtime: Run) -> State:
    """Ask in the record's language."""
    kit, take = runtime.context, state["take"]
    reply = await kit.ask(ANSWER, take=take, instruction=state["prompt"])
    cut = "cut_answer" if getattr(reply, "truncated", False) else ""
    return {"answer": str(reply), "take": take + 1, "fault": cut}


async def check(state: State, runtime: Run) -> State:
    """See that it is an answer in the language it was asked in."""
    language = state["record"].language
    return {"fault": state["fault"] or answer_fault(state["answer"], state["prompt"], language)}


async def pair(state: State) -> State:
    """Set prompt and answer together, and say which of them is whose."""
    record = state["record"]
    origins = provenance(record, response="regenerated")
    facts = {
        "provenance": origins,
        "translated_input": origins["instruction"] == "translated",
        "translated_output": False,
        "parallel_id": str(record.facts.get("parallel_id") or record.id),
    }
    turns = (*record.messages, Message("assistant", state["answer"]))
    return {"out": [replace(record.with_facts(**facts), messages=turns)]}


async def give_up(state: State) -> State:
    """Drop the record, with the last answer as evidence."""
    return {"out": [Drop(state["record"], state["fault"], state["answer"])]}


def after_open(state: State) -> Literal["answer", "give_up"]:
    """Ask where there is something to ask."""
    return "give_up" if state["fault"] else "answer"


def after_check(state: State, runtime: Run) -> Literal["pair", "answer", "give_up"]:
    """Ask once more while there are takes left."""
    if not state["fault"]:
        return "pair"
    return "answer" if state["take"] < runtime.context.params.takes else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_prompt -> (answer -> check)* -> pair | give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_prompt, answer, check, pair, give_up):
        g.add_node(node)
    g.add_edge(START, "open_prompt")
    g.add_conditional_edges("open_prompt", after_open)
    g.add_edge("answer", "check")
    g.add_conditional_edges("check", after_check)
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(ANSWER,))
