"""Okapi: responses are ranked by way of a language that the judge knows best, and paired.

A judge ranks worse in a language that it knows less. So it is led through a conversation of two
turns: it first translates the instruction and all responses into a pivot language, then ranks what
it has translated. Which response is shown first is drawn for every record. The ranks are mapped
back: the pairs hold the native responses, and the pivot texts stay in the record as evidence.

Each text is masked, measured (``pivot_quality``) and held to what is wrong in any language; what
fails is asked for again with the reason. In the second turn both sides are shown with all in its
place, as code and numbers decide ranks. Where the record is in the pivot language, there is nothing
to translate.

Source: Lai et al., "Okapi: Instruction-tuned Large Language Models in Multiple Languages with
Reinforcement Learning from Human Feedback", 2023, arXiv:2307.16039.
Differs: any pivot and any judge (there English and ChatGPT); the order shown is drawn; a ranking is
a strict order by its type, asked for again and then dropped (``bad_reply``) where it is none; which
pairs are made of it is the job's to say.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, Outcome
from engine.fields import Tag
from engine.judging import fence
from engine.kit import Flow, Generator, Kit
from engine.languages.answers import provenance
from engine.languages.together import all_marks, opened_parcel, parcel, reply_labels
from engine.languages.translate import Unit
from engine.prompting import Prompt
from engine.text import rankings
from engine.text.questions import unanswered
from engine.text.rankings import MOST, Ranking, letters
from engine.translating import looked_at

TO_PIVOT = Prompt("okapi/to_pivot", reply=str)
RANK = {n: Prompt("okapi/rank", reply=rankings.ranking_of(n)) for n in range(2, MOST + 1)}


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    pivot: Tag = Field(default="en", min_length=1)
    """BCP-47 tag of the language to rank in."""
    pairs: rankings.Which = "best_worst"
    """``best_worst``: one pair a record; ``adjacent``: each response with the next lower one;
    ``all``: each with every lower one, for 4 responses 6 pairs."""
    takes: int = Field(default=2, ge=1, le=10)
    """How often a translation into the pivot language is asked for, at most."""


class State(Flow, total=False):
    """What the nodes pass on."""

    responses: list[str]
    shown: list[int]
    """Which response is shown as A, as B and so on."""
    units: list[Unit]
    """The instruction and the responses as shown, on their way into the pivot language."""
    take: int
    """How often they have been translated."""
    fault: str
    """Why the record or a translation will not do, as a slug; empty where it will."""
    detail: str
    ranking: Ranking


Run = Runtime[Kit[Params]]


async def open_responses(state: State, runtime: Run) -> State:
    """Draw the order in which the responses are shown."""
    kit, record = runtime.context, state["record"]
    responses = rankings.rankable(record.facts.get("responses"))
    shown = rankings.shuffled(len(responses), kit.random("shown"))
    texts = {f"RESPONSE_{x}": responses[n] for x, n in zip(letters(MOST), shown, strict=False)}
    asked, fault = unanswered(record)
    units = parcel({"INSTRUCTION": asked} | texts, kit.params.pivot)
    fault = fault or ("" if responses else "no_responses")
    return {"responses": responses, "shown": shown, "units": units, "take": 0, "fault": fault}


async def to_pivot(state: State, runtime: Run) -> State:
    """The first turn: translate the instruction and all responses."""
    kit, units = runtime.context, state["units"]
    reply = await kit.ask(
        TO_PIVOT,
        take=state["take"],
        language=kit.params.pivot,
        origin=kit.language,
        texts=[[unit.place, unit.masked.text] for unit in units],
        marks=all_marks(units),
        reply_labels=reply_labels(units),
        fault=f"{state['fault'].replace('_', ' ')}: {state['detail']}" if state["fault"] else "",
        fence=fence(kit),
    )
    done = opened_parcel(units, reply, cut=getattr(reply, "truncated", False))
    return {"units": done, "take": state["take"] + 1}


async def check(state: State) -> State:
    """Measure every translation; note the first that will not do."""
    units = [looked_at(unit, state["record"].language) for unit in state["units"]]
    bad = next((unit for unit in units if unit.fault), None)
    told = f"{bad.place}: {bad.detail}" if bad else ""
    return {"units": units, "fault": bad.fault if bad else "", "detail": told}


async def rank(state: State, runtime: Run) -> State:
    """The second turn: put what was translated in a strict order."""
    kit, units = runtime.context, state["units"]
    labels = letters(len(state["shown"]))
    ranking = await kit.ask(
        RANK[len(labels)],
        language=kit.params.pivot,
        origin=kit.language,
        labels=list(labels),
        native=[[unit.place, unit.source] for unit in units],
        translated=[[unit.place, unit.text] for unit in units if state["take"]],
        fence=fence(kit),
    )
    return {"ranking": ranking}


async def pair(state: State, runtime: Run) -> State:
    """Map the ranks back, and set the native responses against each other."""
    record, params, shown = state["record"], runtime.context.params, state["shown"]
    ranking, responses = state["ranking"], state["responses"]
    order = rankings.ordered(ranking.ranking, shown)
    texts = [unit.text or unit.source for unit in state["units"]]
    facts: dict[str, Json] = {"ranks": rankings.ranks(order), "reasons": ranking.reasons}
    facts |= {"shown": shown, "pivot": params.pivot, "pivot_instruction": texts[0]}
    facts |= {"pivot_responses": [texts[1 + shown.index(n)] for n in range(len(shown))]}
    facts |= {"pivot_quality": {unit.place: _rounded(unit) for unit in state["units"]}}
    facts |= {"provenance": provenance(record, pivot="translated")} if state["take"] else {}
    out: list[Outcome] = []
    for at, (best, worst) in enumerate(rankings.pairs(order, params.pairs)):
        mine = {"pair": [best, worst], "rejected": responses[worst]}
        turns = (*record.messages, Message("assistant", responses[best]))
        out.append(record.child(at, messages=turns, facts=facts | mine))
    return {"out": out}


async def give_up(state: State) -> State:
    """Drop what has nothing to rank, or cannot be translated."""
    return {"out": [Drop(state["record"], state["fault"], state.get("detail", ""))]}


def after_open(state: State, runtime: Run) -> Literal["to_pivot", "rank", "give_up"]:
    """Translate what is not in the pivot language yet."""
    if state["fault"]:
        return "give_up"
    pivot = runtime.context.params.pivot.split("-")[0]
    return "rank" if state["record"].language.split("-")[0] == pivot else "to_pivot"


def after_check(state: State, runtime: Run) -> Literal["rank", "to_pivot", "give_up"]:
    """Ask for a better translation while there are takes left."""
    if not state["fault"]:
        return "rank"
    return "to_pivot" if state["take"] < runtime.context.params.takes else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_responses -> (to_pivot -> check)* -> rank -> pair``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_responses, to_pivot, check, rank, pair, give_up):
        g.add_node(node)
    g.add_edge(START, "open_responses")
    g.add_conditional_edges("open_responses", after_open)
    g.add_edge("to_pivot", "check")
    g.add_conditional_edges("check", after_check)
    g.add_edge("rank", "pair")
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


def _rounded(unit: Unit) -> dict[str, float]:
    return {name: round(value, 4) for name, value in unit.quality.items()}


GENERATOR = Generator(graph, Params, prompts=(TO_PIVOT, RANK[MOST]))
