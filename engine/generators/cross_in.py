"""CrossIn: asked in one language, answered in another, and translations; no model is asked.

``cross_in_pairs`` has drawn which rows of parallel examples meet. Here each pair becomes a record.
A task in a is followed by the request for an answer in b, said in b, and the response is that of
the row in b; a translation has the task of a as its text and the task of b as the response. The
record's language is the answer's; ``facts["cross"]`` names the form and both languages, and
``facts["sides"]`` the rows it is made of.

Source: Lin et al., "CrossIn: An Efficient Instruction Tuning Approach for Cross-Lingual Knowledge
Alignment", 2024, arXiv:2404.11932.
Differs: the request is a sentence in the language it asks for; CrossIn's tag behind the input can
be had in its place. Translations go in every direction of the grid, not into English alone.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.core import Drop, Message
from engine.kit import Flow, Generator, Kit, NoParams
from engine.text.crossing import FACT, Composed, Pair, crossed, translated


class State(Flow, total=False):
    """What the nodes pass on."""

    at: int
    """Which of the record's pairs is being made."""
    pair: Pair
    texts: Composed


Run = Runtime[Kit[NoParams]]


async def take(state: State, runtime: Run) -> State:
    """The next pair that the row begins."""
    at = state.get("at", -1) + 1
    return {"at": at, "pair": Pair.model_validate(state["record"].facts[FACT][at])}


async def cross(state: State, runtime: Run) -> State:
    """The task of one side with the answer of the other, and which language is wanted."""
    return {"texts": crossed(state["pair"], _choice(state, runtime))}


async def translate(state: State, runtime: Run) -> State:
    """The task of one side as the text, that of the other as its translation."""
    return {"texts": translated(state["pair"], _choice(state, runtime))}


async def write(state: State, runtime: Run) -> State:
    """The pair as a record."""
    record, pair, texts, at = state["record"], state["pair"], state["texts"], state["at"]
    asked = f"{texts.instruction}\n\n{texts.input}" if texts.input else texts.instruction
    tags = {"asked": pair.asks.language, "answered": pair.answers.language}
    made = record.child(
        at,
        language=pair.answers.language,
        messages=(Message("user", asked), Message("assistant", texts.output)),
        facts={
            "instruction": texts.instruction,
            "input": texts.input,
            "cross": {"form": pair.form, **tags},
            "sides": [pair.asks.id, pair.answers.id],
            "provenance": texts.provenance,
            FACT: None,
        },
    )
    return {"out": [*state.get("out", []), made]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a row that begins no pair."""
    return {"out": [Drop(state["record"], "no_pair")]}


def before_take(state: State) -> Literal["take", "give_up"]:
    """Only rows that ``cross_in_pairs`` has gone through begin pairs."""
    return "take" if state["record"].facts.get(FACT) else "give_up"


def after_take(state: State) -> Literal["cross", "translate"]:
    """By the form that was drawn."""
    return "translate" if state["pair"].form == "translation" else "cross"


def after_write(state: State) -> Literal["take", "__end__"]:
    """On with the next pair that the row begins."""
    return "take" if state["at"] + 1 < len(state["record"].facts[FACT]) else "__end__"


def graph() -> StateGraph[State, Kit[NoParams], State, State]:
    """``(take -> cross | translate -> write)*``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (take, cross, translate, write, give_up):
        g.add_node(node)
    g.add_conditional_edges(START, before_take)
    g.add_conditional_edges("take", after_take)
    g.add_edge("cross", "write")
    g.add_edge("translate", "write")
    g.add_conditional_edges("write", after_write)
    g.add_edge("give_up", END)
    return g


def _choice(state: State, runtime: Run) -> int:
    return runtime.context.random("sentence", state["at"]).randrange(1 << 16)


GENERATOR = Generator(graph, NoParams, prompts=())
