"""Evol-Instruct: make an instruction harder, or another one, round by round, with its answers.

Each round applies one operator to the youngest survivor, answers what came out, and eliminates
it where it failed; the next round then starts from the parent again. Every generation that
survives is a record of its own, so a seed of four rounds gives up to four, ever harder.

Source: Xu et al., "WizardLM: Empowering Large Language Models to Follow Complex Instructions",
2023, arXiv:2304.12244, sections 3.1 and 3.2; ``rotate`` after HypherX/Evolution-Analysis.
Differs: rules without a model run first, the judge before an answer is paid for; cut replies are
eliminated; an input is kept beside the instruction; ``rotate`` starts at an offset drawn for the
seed, not at its row number; see also ``engine.text.elimination``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, Record, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.elimination import answer_fault, rewrite_fault
from engine.text.leftovers import unwrapped
from engine.text.lengths import words

Operator = Literal[
    "add_constraint", "deepen", "concretize", "more_reasoning", "complicate_input", "in_breadth"
]
FORMATS = ("XML", "SQL", "Python code", "HTML", "shell commands", "JSON")


class Verdict(BaseModel, extra="forbid"):
    """Whether the child asks for something else or something more than its parent."""

    different: bool


EVOLVE = {name: Prompt(f"evol_instruct/{name}", reply=str) for name in get_args(Operator)}
JUDGE = Prompt("evol_instruct/judge", reply=Verdict)
ANSWER = Prompt("evol_instruct/answer", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    rounds: int = Field(default=4, ge=1, le=50)
    """Rounds per seed, 1..50, of at most 3 model calls each."""
    operators: tuple[Operator, ...] = Field(default=get_args(Operator), min_length=1)
    """Operators to choose from, with equal odds; one that is named twice has twice the odds."""
    schedule: Literal["random", "rotate"] = "random"
    """``rotate``: the operators in turn, from an offset drawn once for the seed."""
    apology_below: int = Field(default=80, ge=0)
    """An answer with an apology and fewer words than this is eliminated; 0: none is."""


class State(Flow, total=False):
    """What the nodes pass on; the facts of ``parent`` and ``child`` hold instruction and input."""

    parent: Record
    child: Record
    fault: str
    round: int
    kept: list[Record]
    drops: list[Drop]


Run = Runtime[Kit[Params]]


async def begin(state: State, runtime: Run) -> State:
    """Take the seed's instruction, apart from its input, as generation zero."""
    record = state["record"]
    given = str(record.facts.get("input") or "")
    asked = str(record.facts.get("instruction") or record.last("user").removesuffix(given)).strip()
    spent = 0 if asked else runtime.context.params.rounds
    parent = record.with_facts(instruction=asked, input=given)
    return {"parent": parent, "fault": "", "round": spent, "kept": [], "drops": []}


async def evolve(state: State, runtime: Run) -> State:
    """Apply this round's operator to the youngest survivor."""
    kit, turn, parent = runtime.context, state["round"], state["parent"].facts
    operators, shown = kit.params.operators, {key: parent[key] for key in ("instruction", "input")}
    operator = kit.random("operator", turn).choice(operators)
    if kit.params.schedule == "rotate":
        offset = kit.random("operator").randrange(len(operators))
        operator = operators[(offset + turn) % len(operators)]
    if operator == "complicate_input":
        shown["format"] = kit.random("format", turn).choice(FORMATS)
    reply = await kit.ask(EVOLVE[operator], take=turn, **shown)
    text = "" if getattr(reply, "truncated", False) else unwrapped(reply)
    given = "" if operator == "in_breadth" else parent["input"]
    facts: dict[str, Json] = {"operator": operator, "generation": len(state["kept"]) + 1}
    facts |= {"instruction": text, "input": given, "parent_instruction": parent["instruction"]}
    facts["growth_words"] = words(text) - words(parent["instruction"])
    asked = (Message("user", f"{text}\n\n{given}" if given else text),)
    return {"child": state["record"].child(turn, messages=asked, facts=facts), "round": turn + 1}


async def screen(state: State, runtime: Run) -> State:
    """Find what no model is needed for: nothing, a copy, a label of the prompt, a sorry."""
    child, seen = state["child"], [state["parent"].facts["instruction"]]
    seen += [elder.facts["parent_instruction"] for elder in state["kept"]]
    return {"fault": rewrite_fault(child.facts["instruction"], seen, child.language)}


async def judge(state: State, runtime: Run) -> State:
    """Ask whether the child asks for more than its parent; it falls where nobody can tell."""
    parent, child = (state[who].facts["instruction"] for who in ("parent", "child"))
    try:
        verdict = await runtime.context.ask(JUDGE, parent=parent, child=child)
    except ReplyError:
        return {"fault": "no_verdict"}
    return {"fault": "" if verdict.different else "no_gain"}


async def answer(state: State, runtime: Run) -> State:
    """Answer the child, together with its input."""
    child, below = state["child"], runtime.context.params.apology_below
    asked = {key: child.facts[key] for key in ("instruction", "input")}
    reply = await runtime.context.ask(ANSWER, **asked)
    child = replace(child, messages=(*child.messages, Message("assistant", str(reply))))
    if getattr(reply, "truncated", False):
        return {"child": child, "fault": "cut_answer"}
    return {"child": child, "fault": answer_fault(reply, child.last("user"), child.language, below)}


async def eliminate(state: State, runtime: Run) -> State:
    """Keep a child without a fault, the next round's parent; else go back to the parent."""
    child, fault = state["child"], state["fault"]
    if fault:
        return {"drops": [*state["drops"], Drop(child, fault)]}
    return {"parent": child, "kept": [*state["kept"], child]}


async def finish(state: State, runtime: Run) -> State:
    """Give back every survivor, or the seed as a drop, and what was eliminated on the way."""
    asked, kept = state["parent"].facts["instruction"], state["kept"]
    barren = Drop(state["record"], "no_rewrite_survived" if asked else "no_instruction")
    return {"out": [*kept, *state["drops"], *([] if kept else [barren])]}


def after_check(state: State, runtime: Run) -> Literal["alive", "faulty"]:
    """A fault ends the round without another call."""
    return "faulty" if state["fault"] else "alive"


def after_round(state: State, runtime: Run) -> Literal["evolve", "finish"]:
    """Evolve on while rounds are left."""
    return "evolve" if state["round"] < runtime.context.params.rounds else "finish"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``begin -> (evolve -> screen -> judge -> answer -> eliminate)* -> finish``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (begin, evolve, screen, judge, answer, eliminate, finish):
        g.add_node(node)
    for ahead in ((START, "begin"), ("evolve", "screen"), ("answer", "eliminate"), ("finish", END)):
        g.add_edge(*ahead)
    for check, then in (("screen", "judge"), ("judge", "answer")):
        g.add_conditional_edges(check, after_check, {"alive": then, "faulty": "eliminate"})
    g.add_conditional_edges("begin", after_round)
    g.add_conditional_edges("eliminate", after_round)
    return g


GENERATOR = Generator(graph, Params, prompts=(*EVOLVE.values(), JUDGE, ANSWER))
