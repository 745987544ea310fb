"""AutoIF, second part: checkers to a constraint, held against cases, each other and their meaning.

For one constraint (the seed's instruction) the model writes several functions, each with cases.
They run in the sandbox: a case stays where a function agrees with it, a function where it is right
about most of the cases that stay. The functions are then put into words again, and a constraint
that one of them contradicts is dropped. What is left is paired with queries of the seed
(``demonstrations``, as the source ``pool`` draws them): a record each, for ``auto_if_responses``.

Source: Dong et al., "Self-play with Execution Feedback: Improving Instruction-following
Capabilities of Large Language Models" (AutoIF), 2024, arXiv:2406.13542, section 3.
Differs: a model asked to choose stands in for the NLI model; the output of a case is a truth
value by type, so that "true" is no longer a case that nobody meets; queries are bounded in words
of any script, and one that ends without a mark has the constraint on a line of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import regex
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.constraints.stock import stock_for
from engine.core import Drop, Json, Message, Outcome, Record
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.sandbox.checkers import Agreed, Case, agreed, cleaned, distinct, verdicts
from engine.sandbox.limits import Limits
from engine.sandbox.pool import shared
from engine.text.leftovers import unwrapped
from engine.text.lengths import words

RELATIONS = ("entailment", "neutral", "contradiction")
BACK = 3
"""Checkers that are put into words again, at most."""
_ENDED = regex.compile(r"\p{Sentence_Terminal}[\p{P}\p{Z}]*\Z")


class Sample(BaseModel, extra="forbid"):
    """A text and whether it obeys the constraint."""

    input: str
    output: bool


class Checker(BaseModel, extra="forbid"):
    """A function that checks the constraint, and cases for it."""

    func: str
    cases: list[Sample] = Field(min_length=1)


CHECKER = Prompt("auto_if/checker", reply=Checker)
BACK_TRANSLATE = Prompt("auto_if/back_translate", reply=str)
COMPARE = Prompt("auto_if/compare", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    replies: int = Field(default=8, ge=1, le=100)
    """Replies sampled for a constraint, in one call; each a function and its cases."""
    min_functions: int = Field(default=3, ge=1)
    """Different functions that a constraint needs before they are run."""
    min_cases: int = Field(default=10, ge=1)
    """Different cases that it needs before they are run."""
    min_accuracy: float = Field(default=0.8, gt=0, le=1)
    """Share (0..1) of the kept cases about which a function has to be right."""
    queries: int = Field(default=4, ge=1, le=100)
    """Queries that a constraint is paired with, at most; drawn."""
    min_query_words: int = Field(default=4, ge=1)
    """Words of a query with its input, at least."""
    max_query_words: int = Field(default=60, ge=1)
    """Words of a query with its input, at most."""
    timeout_s: float = Field(default=5.0, gt=0, le=600)
    """Seconds for one function and all its cases."""
    workers: int = Field(default=2, ge=1, le=64)
    """How many functions run at once, for the whole process; about one for each core."""


class State(Flow, total=False):
    """What the nodes pass on."""

    constraint: str
    checkers: list[str]
    cases: list[Case]
    agreed: Agreed
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""
    detail: str


Run = Runtime[Kit[Params]]


async def write(state: State, runtime: Run) -> State:
    """Have functions and cases written; pool those that differ."""
    kit, constraint = runtime.context, state["record"].last("user").strip()
    if not constraint:
        return {"constraint": "", "reason": "no_constraint", "detail": ""}
    replies = await kit.ask_many(CHECKER, kit.params.replies, constraint=constraint)
    checkers = distinct([cleaned(reply.func) for reply in replies])
    cases = list(dict.fromkeys(Case(c.input, c.output) for r in replies for c in r.cases))
    reason = "too_few_cases" if len(cases) < kit.params.min_cases else ""
    reason = "too_few_functions" if len(checkers) < kit.params.min_functions else reason
    detail = f"{len(checkers)} functions, {len(cases)} cases"
    pooled: State = {"constraint": constraint, "checkers": checkers, "cases": cases}
    return {**pooled, "reason": reason, "detail": detail}


async def cross_validate(state: State, runtime: Run) -> State:
    """Run every function on every case; keep what agrees."""
    ask, mark = runtime.context.params, f"{runtime.context.random('mark').getrandbits(64):016x}"
    checkers, cases, box = state["checkers"], state["cases"], shared(ask.workers)
    said = await verdicts(box, checkers, [c.text for c in cases], Limits(ask.timeout_s), mark)
    found = agreed(checkers, cases, said, ask.min_accuracy)
    return {"agreed": found, "reason": "" if found.checkers else "no_function_agrees"}


async def back_translate(state: State, runtime: Run) -> State:
    """Put the functions into words and compare: none may contradict the constraint."""
    kit = runtime.context

    async def relation(take: int, checker: str) -> tuple[str, str]:
        statement = unwrapped(await kit.ask(BACK_TRANSLATE, take=take, checker=checker))
        first = state["constraint"]
        how = await kit.choose(COMPARE, RELATIONS, take=take, first=first, second=statement)
        return how, statement

    asked = (relation(*each) for each in enumerate(state["agreed"].checkers[:BACK]))
    found = await asyncio.gather(*asked)
    against = [statement for how, statement in found if how == "contradiction"]
    return {"reason": "contradicted" if against else "", "detail": " | ".join(against)}


async def pair(state: State, runtime: Run) -> State:
    """A record for each of some queries: the query with the constraint, and its checkers."""
    kit, record, left = runtime.context, state["record"], state["agreed"]
    fit = range(kit.params.min_query_words, kit.params.max_query_words + 1)
    known = [each for each in _queries(record) if words("\n".join(each)) in fit]
    drawn = kit.random("queries").sample(known, min(kit.params.queries, len(known)))
    facts: dict[str, Json] = {"constraint": state["constraint"], "checkers": left.checkers}
    facts |= {"accuracies": left.accuracies, "cases": [list(case) for case in left.cases]}
    own = replace(record, facts={k: v for k, v in record.facts.items() if k != "demonstrations"})
    out: list[Outcome] = []
    for at, (query, given) in enumerate(drawn):
        between = stock_for(record.language).joiner if _ENDED.search(query) else "\n"
        asked = f"{query}{between}{state['constraint']}"
        turns = (Message("user", f"{asked}\n\n{given}" if given else asked),)
        more = {"query": query, "instruction": asked, "input": given}
        out.append(own.child(at, messages=turns, facts=facts | more))
    return {"out": out or [Drop(record, "no_query", "no demonstration of a fitting length")]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a constraint that could not be made sure of."""
    return {"out": [Drop(state["record"], state["reason"], state.get("detail", ""))]}


def unless_over(state: State) -> Literal["on", "give_up"]:
    """Go on with what has stood so far."""
    return "give_up" if state["reason"] else "on"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``write -> cross_validate -> back_translate -> pair``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (write, cross_validate, back_translate, pair, give_up):
        g.add_node(node)
    g.add_edge(START, "write")
    for check, then in pairwise(("write", "cross_validate", "back_translate", "pair")):
        g.add_conditional_edges(check, unless_over, {"on": then, "give_up": "give_up"})
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


def _queries(record: Record) -> list[tuple[str, str]]:
    """The seed's tasks, each with its input."""
    tasks = record.facts.get("demonstrations") or []
    found = (
        (str(task.get(name) or "").strip() for name in ("instruction", "input")) for task in tasks
    )
    return list(dict.fromkeys((query, given) for query, given in found))


GENERATOR = Generator(graph, Params, prompts=(CHECKER, BACK_TRANSLATE, COMPARE))
