"""Localise: a constrained instruction for another place, its conditions and its verifier with it.

Three moves for every locale. What must not change is taken out of the prompt first: the conditions
that a program checks, each put into the language by a policy, with a mark in its place. Then what
is bound to a culture is listed, each piece with one of equal function there. Then the prompt, and
the answer where there is one, is rewritten in the language, and says which facts it changed. The
rewrite is measured: nothing of the originals left, every number that somebody calculates with
kept, the answer held against the localised conditions. A reply that fails is asked for once more,
with what is wrong with it; then the record drops in that locale.

Source: Zeng et al., "Marco-Bench-MIF: On Multilingual Instruction-Following Capability of Large
Language Models", 2025, arXiv:2507.11882 (constraints and culture adapted, in 30 languages).
Differs: no person edits, and nothing is machine-translated first; three questions, each with a
typed reply; a condition on capitals drops where there are none, unless a job lets it force the
answer into the source's language; whether enough has changed is told by the pieces that were
listed, not by how near a back-translation comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from engine.core import Drop, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.languages.adapted import bound, rewritten
from engine.languages.adapting import Conditions, Rewrite, Spans, Stage, Work
from engine.languages.conditions import held, questions, silent
from engine.languages.names import english_name
from engine.places import Settings, brief, customs, opening, outcome, shared
from engine.prompting import Prompt

HOLD = Prompt("localise/hold", reply=Conditions)
LIST = Prompt("localise/list", reply=Spans)
REWRITE = Prompt("localise/rewrite", reply=Rewrite)


class Params(Settings, extra="forbid"):
    """Settings a job may change."""


class State(Flow, total=False):
    """What the nodes pass on."""

    works: tuple[Work, ...]
    """The record on its way into each locale but its own."""
    fault: tuple[str, str]
    """Why the record cannot be localised at all, and particulars; empty where it can."""


Run = Runtime[Kit[Params]]
Ask = Callable[[Kit[Params], Work], Awaitable[Work]]


async def open_row(state: State, runtime: Run) -> State:
    """Take a prompt, or one with its answer; decide what becomes of its conditions."""
    works, *fault = opening(state["record"], runtime.context.params)
    return {"works": works, "fault": (fault[0], fault[1])}


async def hold(state: State, runtime: Run) -> State:
    """First move: find the conditions, say them in the language, put marks in their places."""
    return {"works": await _each(state, runtime, "hold", _hold)}


async def list_spans(state: State, runtime: Run) -> State:
    """Second move: list what is bound to a culture, with replacements of equal function."""
    return {"works": await _each(state, runtime, "list_spans", _list_spans)}


async def rewrite(state: State, runtime: Run) -> State:
    """Third move: write prompt and answer anew around the marks; measure what came."""
    return {"works": await _each(state, runtime, "rewrite", _rewrite)}


async def compose(state: State, runtime: Run) -> State:
    """A record for every locale, or its drop."""
    works, record = {work.tag: work for work in state["works"]}, state["record"]
    into = runtime.context.params.into
    return {"out": [outcome(record, n, each, works.get(each)) for n, each in enumerate(into)]}


async def give_up(state: State) -> State:
    """Drop what is no prompt."""
    return {"out": [Drop(state["record"], *state["fault"])]}


def after_open(state: State) -> Literal["hold", "give_up"]:
    """Go on with what can be localised."""
    return "give_up" if state["fault"][0] else "hold"


def after_hold(state: State, runtime: Run) -> Literal["hold", "list_spans"]:
    """Ask about the conditions once more where a reply will not do."""
    return "hold" if _left(state, runtime, "hold") else "list_spans"


def after_list(state: State, runtime: Run) -> Literal["list_spans", "rewrite"]:
    """Ask for another list where one will not do."""
    return "list_spans" if _left(state, runtime, "list_spans") else "rewrite"


def after_rewrite(state: State, runtime: Run) -> Literal["rewrite", "compose"]:
    """Have a rewrite that a check refused written once more."""
    return "rewrite" if _left(state, runtime, "rewrite") else "compose"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_row -> (hold)* -> (list_spans)* -> (rewrite)* -> compose``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_row, hold, list_spans, rewrite, compose, give_up):
        g.add_node(node)
    g.add_edge(START, "open_row")
    g.add_conditional_edges("open_row", after_open)
    g.add_conditional_edges("hold", after_hold)
    g.add_conditional_edges("list_spans", after_list)
    g.add_conditional_edges("rewrite", after_rewrite)
    g.add_edge("compose", END)
    g.add_edge("give_up", END)
    return g


async def _hold(kit: Kit[Params], work: Work) -> Work:
    rng, answers = kit.random("wording", work.tag), english_name(work.answer_language)
    if silent(work, rng):
        return held(work, (), rng)
    asked = {"prompt": work.prompt, "answer_language": answers, **shared(work, kit)}
    conditions = questions(work, rng)
    reply = await kit.ask(HOLD, take=work.take, language=work.tag, conditions=conditions, **asked)
    return held(work, reply.conditions, rng)


async def _list_spans(kit: Kit[Params], work: Work) -> Work:
    asked = {"prompt": work.masked.text, "customs": customs(work, kit), **shared(work, kit)}
    reply = await kit.ask(LIST, take=work.take, language=work.tag, **asked)
    return bound(work, reply.spans, kit.params.known(work.tag), kit.params.neutral)


async def _rewrite(kit: Kit[Params], work: Work) -> Work:
    asked = {**brief(work, kit), "customs": customs(work, kit), **shared(work, kit)}
    return rewritten(work, await kit.ask(REWRITE, take=work.take, language=work.tag, **asked))


async def _each(state: State, runtime: Run, stage: Stage, ask: Ask) -> tuple[Work, ...]:
    """Every work that waits for this question, asked it; one locale's bad reply hurts no other."""
    kit = runtime.context

    async def one(work: Work) -> Work:
        if work.stage != stage or work.take >= kit.params.takes:
            return work
        try:
            done = await ask(kit, work)
        except ReplyError as error:
            done = work.failed("bad_reply", str(error))
        return replace(done, take=work.take + 1) if done.fault else done

    return tuple(await asyncio.gather(*map(one, state["works"])))


def _left(state: State, runtime: Run, stage: Stage) -> bool:
    takes = runtime.context.params.takes
    return any(work.stage == stage and work.take < takes for work in state["works"])


GENERATOR = Generator(graph, Params, prompts=(HOLD, LIST, REWRITE))
