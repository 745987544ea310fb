"""Mosaic: several rows made into one, with a rule on form, order or omission; no model is asked.

``mosaic_rows`` has drawn which rows go together and what is asked of them. Here each of those
mosaics becomes a record: the instructions under their numbers, with sentences that say how the
answers are marked and, by strategy, in which order they come or which are left out; and the
responses, arranged as those sentences say. Whoever reads the sentences can work the response out.

Source: Li et al., "Mosaic-IT: Cost-Free Compositional Data Synthesis for Instruction Tuning",
2024, arXiv:2405.13326.
Differs: instructions are always numbered, so that an order can speak of them; a rule with ties
(two longest ones) is not drawn; the alphabet is that of Unicode; sentences are the language's own,
and a language offers only the orders that it has (no alphabet in Chinese).
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.core import Drop, Json, Message
from engine.kit import Flow, Generator, Kit, NoParams
from engine.text.mosaics import Plan, answered, asked, replied


class State(Flow, total=False):
    """What the nodes pass on."""

    at: int
    """Which of the record's mosaics is being made."""
    plan: Plan
    instructions: list[str]
    responses: list[str]
    order: list[int]
    """The numbers that are answered, in the order of the answers."""


Run = Runtime[Kit[NoParams]]


async def lay_out(state: State, runtime: Run) -> State:
    """Take the next mosaic; as long as nothing else is asked, every instruction is answered."""
    at = state.get("at", -1) + 1
    mosaic = state["record"].facts["mosaics"][at]
    rows = mosaic["rows"]
    return {
        "at": at,
        "plan": Plan.model_validate(mosaic["plan"]),
        "instructions": [row["instruction"] for row in rows],
        "responses": [row["response"] for row in rows],
        "order": list(range(1, len(rows) + 1)),
    }


async def order(state: State, runtime: Run) -> State:
    """Put the answers into the order that is asked for."""
    return {"order": answered(state["plan"].rule, state["instructions"])}


async def mask(state: State, runtime: Run) -> State:
    """Leave out the answers that are not wanted."""
    return {"order": answered(state["plan"].rule, state["instructions"])}


async def join(state: State, runtime: Run) -> State:
    """One instruction and one response of them all."""
    record, plan, at = state["record"], state["plan"], state["at"]
    mosaic = record.facts["mosaics"][at]
    user = asked(plan, state["instructions"])
    turns = (Message("user", user), Message("assistant", _response(state)))
    facts: dict[str, Json] = {"instruction": user, "input": "", "mosaics": None}
    facts |= {"strategy": plan.strategy, "kind": plan.rule.kind, "count": len(mosaic["rows"])}
    facts |= {"answered": state["order"], "epoch": mosaic["epoch"], "meta": plan.meta}
    facts["rows"] = [row["id"] for row in mosaic["rows"]]
    return {"out": [*state.get("out", []), record.child(at, messages=turns, facts=facts)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a row that leads no mosaic."""
    return {"out": [Drop(state["record"], "no_mosaic")]}


def before_lay_out(state: State) -> Literal["lay_out", "give_up"]:
    """Only rows that ``mosaic_rows`` has gone through lead a mosaic."""
    return "lay_out" if state["record"].facts.get("mosaics") else "give_up"


def after_lay_out(state: State) -> Literal["order", "mask", "join"]:
    """By the strategy that was drawn; the format is said in any case."""
    strategy = state["plan"].strategy
    return "join" if strategy == "format" else strategy


def after_join(state: State) -> Literal["lay_out", "__end__"]:
    """On with the next mosaic that the record leads."""
    return "lay_out" if state["at"] + 1 < len(state["record"].facts["mosaics"]) else "__end__"


def graph() -> StateGraph[State, Kit[NoParams], State, State]:
    """``(lay_out -> [order | mask] -> join)*``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (lay_out, order, mask, join, give_up):
        g.add_node(node)
    g.add_conditional_edges(START, before_lay_out)
    g.add_conditional_edges("lay_out", after_lay_out)
    g.add_edge("order", "join")
    g.add_edge("mask", "join")
    g.add_conditional_edges("join", after_join)
    g.add_edge("give_up", END)
    return g


def _response(state: State) -> str:
    return replied(state["plan"], state["responses"], state["order"])


GENERATOR = Generator(graph, NoParams, prompts=())
