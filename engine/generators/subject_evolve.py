"""InfinityInstruct-Subject, step 2: an informative instruction evolved along one dimension.

Of breadth, depth, difficulty and complexity one is drawn, and the instruction is rewritten along
it alone. What failed is dropped: first by rules that need no model (nothing, a copy, a label of
the prompt, an apology), then by a judge who says whether the rewrite keeps to its dimension and
can be answered as it stands. ``subject_dialogue`` makes conversations of the others.

Source: Du et al., "Scaling Towards the Information Boundary of Instruction Set:
InfinityInstruct-Subject Technical Report", 2025, arXiv:2507.06968.
Differs: the four prompts and the questions of compliance are ours; the child keeps the label of
its seed until it is tagged itself in the next turn of the loop.
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
from engine.text.evolution import bare_task, evolved
from engine.text.leftovers import unwrapped

Dimension = Literal["breadth", "depth", "difficulty", "complexity"]


class Compliance(BaseModel, extra="forbid"):
    """Whether a rewrite is what it was to be; the reason comes first."""

    reason: str
    along_dimension: bool
    answerable: bool


EVOLVE = {name: Prompt(f"subject_evolve/{name}", reply=str) for name in get_args(Dimension)}
VALIDATE = Prompt("subject_evolve/validate", reply=Compliance)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    dimensions: tuple[Dimension, ...] = Field(default=get_args(Dimension), min_length=1)
    """Dimensions to draw from, with equal odds; one that is named twice has twice the odds."""


class State(Flow, total=False):
    """What the nodes pass on."""

    dimension: Dimension
    child: Record
    fault: str
    """Why the rewrite failed, as a slug; empty while it stands."""
    detail: str


Run = Runtime[Kit[Params]]


async def draw(state: State, runtime: Run) -> State:
    """Draw the one dimension."""
    kit = runtime.context
    seed = bare_task(state["record"])
    fault = "" if seed.facts["instruction"] else "no_instruction"
    drawn = kit.random("dimension").choice(kit.params.dimensions)
    return {"record": seed, "child": seed, "dimension": drawn, "fault": fault, "detail": ""}


async def evolve(state: State, runtime: Run) -> State:
    """Rewrite the instruction along it."""
    seed, drawn = state["record"], state["dimension"]
    shown = {key: seed.facts[key] for key in ("instruction", "input")}
    reply = await runtime.context.ask(EVOLVE[drawn], **shown)
    text = "" if getattr(reply, "truncated", False) else unwrapped(reply)
    given = "" if drawn == "breadth" else seed.facts["input"]
    return {"child": evolved(seed, 0, seed, text, given, dimension=drawn)}


async def screen(state: State, runtime: Run) -> State:
    """Find what no model is needed for: nothing, a copy, a label of the prompt, a sorry."""
    child, known = state["child"], [state["record"].facts["instruction"]]
    return {"fault": rewrite_fault(child.facts["instruction"], known, child.language)}


async def validate(state: State, runtime: Run) -> State:
    """Ask whether the rewrite complies; it falls where nobody can tell."""
    child, drawn = state["child"].facts, state["dimension"]
    parent, text = child["parent_instruction"], child["instruction"]
    try:
        said = await runtime.context.ask(
            VALIDATE, parent=parent, child=text, input=child["input"], dimension=drawn
        )
    except ReplyError as error:
        return {"fault": "no_verdict", "detail": str(error)}
    fault = "" if said.answerable else "not_answerable"
    return {"fault": fault if said.along_dimension else "off_dimension", "detail": said.reason}


async def finish(state: State, runtime: Run) -> State:
    """The rewrite."""
    return {"out": [state["child"]]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a rewrite that failed, or a seed that asks nothing."""
    return {"out": [Drop(state["child"], state["fault"], state["detail"])]}


def after_draw(state: State) -> Literal["evolve", "give_up"]:
    """Evolve what asks something."""
    return "give_up" if state["fault"] else "evolve"


def after_screen(state: State) -> Literal["validate", "give_up"]:
    """A fault costs no judge."""
    return "give_up" if state["fault"] else "validate"


def after_validate(state: State) -> Literal["finish", "give_up"]:
    """Keep what complies."""
    return "give_up" if state["fault"] else "finish"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``draw -> evolve -> screen -> validate -> finish``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (draw, evolve, screen, validate, finish, give_up):
        g.add_node(node)
    for ahead in ((START, "draw"), ("evolve", "screen"), ("finish", END), ("give_up", END)):
        g.add_edge(*ahead)
    g.add_conditional_edges("draw", after_draw)
    g.add_conditional_edges("screen", after_screen)
    g.add_conditional_edges("validate", after_validate)
    return g


GENERATOR = Generator(graph, Params, prompts=(*EVOLVE.values(), VALIDATE))
