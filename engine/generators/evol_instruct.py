"""Evol-Instruct: make an instruction harder, or another one, round by round, with its answers.

Each round applies one operator to the youngest survivor, answers what came out, and eliminates
it where it failed; the next round then starts from the parent again. Every generation that
survives is a record of its own, so a seed of four rounds gives up to four, ever harder.

Source: Xu et al., "WizardLM: Empowering Large Language Models to Follow Complex Instructions",
2023, arXiv:2304.12244, sections 3.1 and 3.2.
The released code is a variant of it: ``rounds: 1``, the operators ``add_constraint, deepen,
concretize, more_reasoning, in_breadth`` and ``eliminators: []``. Of Hu et al., "Smaller Language
Models Are Better Instruction Evolvers", 2024, arXiv:2412.11231, the first scenario is ``schedule:
rotate`` with the ``row`` of each seed (the shipped job ``small_evolver``).
Differs: rules without a model run first, the judge before an answer is paid for; copies and cut
replies are eliminated whatever the rules; an input is kept beside the instruction; a seed without
a row number rotates from an offset drawn for it; see also ``engine.text.elimination``.
"""

from __future__ import annotations

from typing import Literal, get_args

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Record, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.elimination import rewrite_fault
from engine.text.evolution import answered, bare_task, evolved, family, row_number
from engine.text.leftovers import unwrapped

Operator = Literal[
    "add_constraint", "deepen", "concretize", "more_reasoning", "complicate_input", "in_breadth"
]
Rule = Literal["no_gain", "apology", "empty_answer", "label_leak"]
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
    """``rotate``: the operators in turn, one further in each round."""
    row: str = ""
    """The fact with a seed's row number, 0 or more: ``rotate`` begins with the operator of this
    number, counted round the list. Left out, with one drawn for the seed."""
    eliminators: tuple[Rule, ...] = get_args(Rule)
    """Rules that end a child: the judge sees no difference (``no_gain``), a rewrite or a short
    answer says sorry, an answer says nothing, a rewrite names a label of its prompt."""
    answers: bool = True
    """Whether children are answered here; if not, a later step does, and an answer's rules rest."""
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
    parent = bare_task(state["record"])
    spent = 0 if parent.facts["instruction"] else runtime.context.params.rounds
    return {"parent": parent, "fault": "", "round": spent, "kept": [], "drops": []}


async def evolve(state: State, runtime: Run) -> State:
    """Apply this round's operator to the youngest survivor."""
    kit, turn, parent = runtime.context, state["round"], state["parent"]
    operators = kit.params.operators
    shown = {key: parent.facts[key] for key in ("instruction", "input")}
    operator = kit.random("operator", turn).choice(operators)
    if kit.params.schedule == "rotate":
        row = row_number(parent, kit.params.row, kit.random("operator").randrange(len(operators)))
        operator = operators[(row + turn) % len(operators)]
    if operator == "complicate_input":
        shown["format"] = kit.random("format", turn).choice(FORMATS)
    reply = await kit.ask(EVOLVE[operator], take=turn, **shown)
    text = "" if getattr(reply, "truncated", False) else unwrapped(reply)
    given = "" if operator == "in_breadth" else parent.facts["input"]
    nth, seed = len(state["kept"]) + 1, state["record"]
    child = evolved(seed, turn, parent, text, given, operator=operator, generation=nth)
    return {"child": child, "round": turn + 1}


async def screen(state: State, runtime: Run) -> State:
    """Find what no model is needed for: nothing, a copy, a label of the prompt, a sorry."""
    child, seen = state["child"], [state["parent"].facts["instruction"]]
    seen += [elder.facts["parent_instruction"] for elder in state["kept"]]
    rules = runtime.context.params.eliminators
    return {"fault": rewrite_fault(child.facts["instruction"], seen, child.language, rules)}


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
    child, ask = state["child"], runtime.context.params
    asked = {key: child.facts[key] for key in ("instruction", "input")}
    reply = await runtime.context.ask(ANSWER, **asked)
    child, fault = answered(child, reply, ask.apology_below, ask.eliminators)
    return {"child": child, "fault": fault}


async def eliminate(state: State, runtime: Run) -> State:
    """Keep a child without a fault, the next round's parent; else go back to the parent."""
    child, fault = state["child"], state["fault"]
    if fault:
        return {"drops": [*state["drops"], Drop(child, fault)]}
    return {"parent": child, "kept": [*state["kept"], child]}


async def finish(state: State, runtime: Run) -> State:
    """Give back every survivor, or the seed as a drop, and what was eliminated on the way."""
    return {"out": family(state["record"], state["kept"], state["drops"])}


def after_screen(state: State, runtime: Run) -> Literal["judge", "answer", "eliminate"]:
    """A fault ends the round without another call; the judge is a rule as the others."""
    if state["fault"] or "no_gain" not in runtime.context.params.eliminators:
        return after_judge(state, runtime)
    return "judge"


def after_judge(state: State, runtime: Run) -> Literal["answer", "eliminate"]:
    """Answer what stands, where answers are wanted."""
    return "answer" if runtime.context.params.answers and not state["fault"] else "eliminate"


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
    g.add_conditional_edges("screen", after_screen)
    g.add_conditional_edges("judge", after_judge)
    g.add_conditional_edges("begin", after_round)
    g.add_conditional_edges("eliminate", after_round)
    return g


GENERATOR = Generator(graph, Params, prompts=(*EVOLVE.values(), JUDGE, ANSWER))
