"""Auto-Evol: the model itself plans how to make an instruction harder, does it, and reviews it.

There are no operators. One call lists ways to complicate this instruction, combines several in a
plan, rewrites by it, and goes over the rewrite once more; only what stands under the last label
of the reply is the evolved instruction, and a reply without that label is dropped. What the model
planned is kept as facts (``methods``, ``plan``), so that methods can be counted; with ``keywords``
another call names them in short phrases.

Source: Hu et al., "Smaller Language Models Are Better Instruction Evolvers", 2024,
arXiv:2412.11231, third scenario; the prompt's four steps after Zeng et al., "Automatic
Instruction Evolving for Large Language Models", 2024, arXiv:2406.00770.
Differs: copies, leaked labels and short apologies are eliminated as in Evol-Instruct; an answer
is written at once; the method is not optimised over trajectories. Further rounds are further steps
of the job; the arms of a comparison are cut to one size by the pass ``balance`` (as in the shipped
job ``small_evolver``).
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Record, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.elimination import rewrite_fault
from engine.text.evolution import answered, bare_task, evolved
from engine.text.labelled import labelled
from engine.text.leftovers import unwrapped
from engine.text.numbered import items

METHODS, PLAN, DRAFT, FINAL = "EVOLVE_METHODS", "EVOLVE_PLAN", "EVOLVE_DRAFT", "EVOLVE_FINAL"
LABELS = (METHODS, PLAN, DRAFT, FINAL)
"""What the parts of a reply stand under."""


class Keywords(BaseModel, extra="forbid"):
    """The methods of a plan, a short phrase each."""

    keywords: list[str] = Field(max_length=12)


EVOLVE = Prompt("auto_evol/evolve", reply=str)
ANSWER = Prompt("auto_evol/answer", reply=str)
KEYWORDS = Prompt("auto_evol/keywords", reply=Keywords)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    answers: bool = True
    """Whether children are answered here; if not, a later step does."""
    keywords: bool = False
    """Whether the methods of each survivor are named by one more call, for analysis."""
    apology_below: int = Field(default=80, ge=0)
    """An answer with an apology and fewer words than this is eliminated; 0: none is."""


class State(Flow, total=False):
    """What the nodes pass on; the facts of ``record`` and ``child`` hold instruction and input."""

    reply: str
    child: Record
    fault: str
    """Why there is no rewrite, as a slug; empty while it stands."""


Run = Runtime[Kit[Params]]


async def begin(state: State, runtime: Run) -> State:
    """Take the instruction, apart from its input."""
    seed = bare_task(state["record"])
    fault = "" if seed.facts["instruction"] else "no_instruction"
    return {"record": seed, "child": seed, "fault": fault}


async def evolve(state: State, runtime: Run) -> State:
    """Have the methods listed, a plan made, the rewrite done and reviewed, in one reply."""
    facts = state["record"].facts
    shown = {key: facts[key] for key in ("instruction", "input")}
    reply = await runtime.context.ask(EVOLVE, reply_labels=LABELS, **shown)
    return {"reply": reply, "fault": "cut_rewrite" if getattr(reply, "truncated", False) else ""}


async def read(state: State, runtime: Run) -> State:
    """Take the text under the final label, and the plan above it as facts."""
    parts, seed = labelled(state["reply"], LABELS), state["record"]
    text, plan = unwrapped(parts.get(FINAL, "")), parts.get(PLAN, "")
    methods = items(parts.get(METHODS, ""))
    child = evolved(seed, 0, seed, text, seed.facts["input"], methods=methods, plan=plan)
    return {"child": child, "fault": state["fault"] or ("" if FINAL in parts else "no_final_label")}


async def screen(state: State, runtime: Run) -> State:
    """Find what no model is needed for: nothing, a copy, a label of the prompt, a sorry."""
    child, known = state["child"], [state["record"].facts["instruction"]]
    return {"fault": rewrite_fault(child.facts["instruction"], known, child.language)}


async def answer(state: State, runtime: Run) -> State:
    """Answer the child, together with its input."""
    asked = {key: state["child"].facts[key] for key in ("instruction", "input")}
    reply = await runtime.context.ask(ANSWER, **asked)
    child, fault = answered(state["child"], reply, runtime.context.params.apology_below)
    return {"child": child, "fault": fault}


async def keywords(state: State, runtime: Run) -> State:
    """Name the methods of the plan; a child whose methods nobody can name has none named."""
    facts = state["child"].facts
    try:
        said = await runtime.context.ask(KEYWORDS, methods=facts["methods"], plan=facts["plan"])
    except ReplyError:
        return {}
    named = list(dict.fromkeys(word.strip() for word in said.keywords if word.strip()))
    return {"child": state["child"].with_facts(keywords=named)}


async def finish(state: State, runtime: Run) -> State:
    """The evolved instruction, or what failed."""
    child, fault = state["child"], state["fault"]
    return {"out": [Drop(child, fault) if fault else child]}


def after_begin(state: State) -> Literal["evolve", "finish"]:
    """Evolve what asks something."""
    return "finish" if state["fault"] else "evolve"


def after_read(state: State) -> Literal["screen", "finish"]:
    """A reply without the final label, or cut short, is no rewrite."""
    return "finish" if state["fault"] else "screen"


def after_screen(state: State, runtime: Run) -> Literal["answer", "keywords", "finish"]:
    """Answer what stands, where answers are wanted."""
    answers = runtime.context.params.answers and not state["fault"]
    return "answer" if answers else after_answer(state, runtime)


def after_answer(state: State, runtime: Run) -> Literal["keywords", "finish"]:
    """Name the methods of what stands, where they are wanted."""
    return "keywords" if runtime.context.params.keywords and not state["fault"] else "finish"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``begin -> evolve -> read -> screen -> answer -> keywords -> finish``; a fault ends it."""
    g = StateGraph(State, context_schema=Kit)
    for node in (begin, evolve, read, screen, answer, keywords, finish):
        g.add_node(node)
    for ahead in ((START, "begin"), ("evolve", "read"), ("keywords", "finish"), ("finish", END)):
        g.add_edge(*ahead)
    g.add_conditional_edges("begin", after_begin)
    g.add_conditional_edges("read", after_read)
    g.add_conditional_edges("screen", after_screen)
    g.add_conditional_edges("answer", after_answer)
    return g


GENERATOR = Generator(graph, Params, prompts=(EVOLVE, ANSWER, KEYWORDS))
