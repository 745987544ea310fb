"""Cross-lingual reasoning: asked in one language, reasoned about in another, by way of a third.

A row is a question with its reasoning in a widely spoken language. For each language that is to
learn it, and each epoch, records come out that differ in what stands around the same question and
reasoning: ``distilled``, nothing (once: no draw changes it); ``restated``, the response first says
the question again in a language that is drawn for this row and epoch, by a name that says both, so
that an epoch can be made again, alone; ``demonstrated``, examples before it (those of the pass
``n_shot`` with ``place: fact``), with spans swapped for their aligned translations, every swap
noted.

Versions of a question come from the row's aligned segments, else from a model, and then every
number has to be there with its value; forms whose version fails for good are dropped. Reasoning is
the row's own where it is in the wanted language, else a model's; its final answer has to equal the
reference, where there is one.

Source: Chai et al., "xCoT: Cross-lingual Instruction Tuning for Cross-lingual Chain-of-Thought
Reasoning", 2024, arXiv:2401.07037, section 3 (cross-lingual in-context learning, random online
reasoning, distillation).
Differs: the epochs are made beforehand; of the distillation the data, not the loss on token
distributions; rates and languages are the job's, as the paper's are not known.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.core import Drop
from engine.kit import Flow, Generator, Kit
from engine.languages.restating import carried, restated, segments_of, version
from engine.languages.translate import Unit
from engine.prompting import Prompt
from engine.reasoning import Settings, Told, composed, reasoning_fault, row_fault

RESTATE = Prompt("cross_lingual_cot/restate", reply=str)
REASON = Prompt("cross_lingual_cot/reason", reply=str)


class Params(Settings, extra="forbid"):
    """Settings a job may change."""


class State(Flow, total=False):
    """What the nodes pass on."""

    left: list[tuple[int, str]]
    """Epoch and language of the question, of the ways to come; the one at work first."""
    into: str
    """Tag of the language drawn for this way, to restate the question in."""
    versions: dict[str, Unit]
    """The question in every language that it has been wanted in so far."""
    reasoning: str
    own: bool
    """Whether the reasoning is the row's."""
    take: int
    """How often the reasoning has been asked for."""
    fault: str
    """Why row or reasoning will not do, as a slug; empty where it will."""


Run = Runtime[Kit[Params]]


async def open_row(state: State, runtime: Run) -> State:
    """See what the row has: a question, and perhaps reasoning in the wanted language."""
    record, params = state["record"], runtime.context.params
    queries = params.queries or [record.language]
    left = [(epoch, query) for epoch in range(params.epochs) for query in queries]
    own = record.language == params.reasons_in(record)
    found: State = {"left": left, "versions": {}, "take": 0, "out": []}
    text = record.last("assistant") if own else ""
    return found | {"reasoning": text, "own": bool(text), "fault": row_fault(record, params)}


async def reason(state: State, runtime: Run) -> State:
    """Ask for reasoning, from the question as the row has it."""
    kit, record, take = runtime.context, state["record"], state["take"]
    asked = {"question": record.last("user"), "solution": record.last("assistant")}
    reply = await kit.ask(REASON, take=take, language=kit.params.reasons_in(record), **asked)
    cut = "cut_reasoning" if getattr(reply, "truncated", False) else ""
    return {"reasoning": str(reply), "take": take + 1, "fault": cut}


async def check_reasoning(state: State, runtime: Run) -> State:
    """See that it is in its language, and comes to the reference."""
    fault = state["fault"]
    found = await reasoning_fault(state["record"], state["reasoning"], runtime.context.params)
    return {"fault": fault or found}


async def draw(state: State, runtime: Run) -> State:
    """Draw the language to restate the question in, by the names of epoch and way."""
    kit, record, (epoch, query) = runtime.context, state["record"], state["left"][0]
    others = [tag for tag in kit.params.languages if tag != query]
    into = kit.random("language", query, epoch).choice(others)
    wanted = (query, into) if "restated" in kit.params.forms else (query,)
    question, segments = record.last("user"), segments_of(record.facts)
    fresh = {
        tag: version(question, segments, record.language, tag)
        for tag in wanted
        if tag not in state["versions"]
    }
    return {"into": into, "versions": state["versions"] | fresh}


async def restate(state: State, runtime: Run) -> State:
    """Have the question said in those languages of this way that it is not there in yet."""
    kit, versions = runtime.context, state["versions"]

    async def one(unit: Unit) -> Unit:
        asked = {"question": unit.masked.text, "origin": kit.language, "marks": carried(unit)}
        wrong = f"{unit.fault.replace('_', ' ')}: {unit.detail}" if unit.fault else ""
        reply = await kit.ask(RESTATE, take=unit.take, language=unit.language, fault=wrong, **asked)
        return restated(unit, reply, kit.record.language)

    fresh = await asyncio.gather(*map(one, _missing(state, kit.params)))
    return {"versions": versions | {unit.language: unit for unit in fresh}}


async def compose(state: State, runtime: Run) -> State:
    """Put the records of this way together, each form by itself; one may lack its version."""
    kit, (epoch, query) = runtime.context, state["left"][0]
    told = Told(epoch, query, state["into"], state["versions"], state["reasoning"], state["own"])
    forms = [form for form in kit.params.forms if form != "distilled" or not epoch]
    draws = kit.random("swap", query, epoch)
    made = [composed(state["record"], form, told, kit.params, draws) for form in forms]
    return {"out": [*state["out"], *made], "left": state["left"][1:]}


async def give_up(state: State) -> State:
    """Drop the row, with the last reasoning as evidence."""
    return {"out": [Drop(state["record"], state["fault"], state["reasoning"][:1000])]}


def after_open(state: State) -> Literal["check_reasoning", "reason", "give_up"]:
    """Reason where the row does not."""
    return "give_up" if state["fault"] else "check_reasoning" if state["own"] else "reason"


def after_check(state: State, runtime: Run) -> Literal["draw", "reason", "give_up"]:
    """Ask once more while there are takes left; what the row itself says stays wrong."""
    if not state["fault"]:
        return "draw"
    more = not state["own"] and state["take"] < runtime.context.params.takes
    return "reason" if more else "give_up"


def after_draw(state: State, runtime: Run) -> Literal["restate", "compose"]:
    """Ask for what is missing, while there are takes left."""
    return "restate" if _missing(state, runtime.context.params) else "compose"


def after_way(state: State) -> Literal["draw", "__end__"]:
    """The next way, or the end."""
    return "draw" if state["left"] else "__end__"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_row -> (reason -> check_reasoning)* -> (draw -> restate* -> compose)*``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_row, reason, check_reasoning, draw, restate, compose, give_up):
        g.add_node(node)
    g.add_edge(START, "open_row")
    g.add_conditional_edges("open_row", after_open)
    g.add_edge("reason", "check_reasoning")
    g.add_conditional_edges("check_reasoning", after_check)
    g.add_conditional_edges("draw", after_draw)
    g.add_conditional_edges("restate", after_draw)
    g.add_conditional_edges("compose", after_way)
    g.add_edge("give_up", END)
    return g


def _missing(state: State, params: Params) -> list[Unit]:
    """Versions of this way that are not sound yet, and may still be asked for."""
    wanted = (state["left"][0][1], state["into"])
    units = [state["versions"][tag] for tag in wanted if tag in state["versions"]]
    return [unit for unit in units if not unit.sound and unit.take < params.takes]


GENERATOR = Generator(graph, Params, prompts=(RESTATE, REASON))
