"""AutoIF, first part: new constraints on the form of an answer, proposed after some examples.

A seed asks for a list of constraints in its language, each of a kind that a short program can
check; a few of ours show the kind. Every usable one becomes a record, for ``auto_if`` to write
checkers to.

Source: Dong et al., "Self-play with Execution Feedback: Improving Instruction-following
Capabilities of Large Language Models" (AutoIF), 2024, arXiv:2406.13542, section 3.1.
Differs: seed constraints of our own (``taxonomies/auto_if.yaml``), some of them drawn for each
call; in the language of the seed; copies, fragments and essays are dropped at once.
"""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message, Outcome
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.leftovers import unwrapped
from engine.text.lengths import words
from engine.text.phrases import phrase_lists, phrases_for
from engine.text.sameness import bare

SHORTEST, LONGEST = 2, 60
"""Words of a constraint, in any script."""


class Proposed(BaseModel, extra="forbid"):
    """New constraints, a sentence each."""

    constraints: list[str] = Field(min_length=1)


PROPOSE = Prompt("auto_if_constraints/propose", reply=Proposed)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    count: int = Field(default=10, ge=1, le=50)
    """Constraints that a call asks for."""
    examples: int = Field(default=8, ge=1, le=30)
    """Seed constraints that a call shows, at most."""


class State(Flow, total=False):
    """What the nodes pass on."""

    shown: list[str]
    found: list[str]


Run = Runtime[Kit[Params]]


async def propose(state: State, runtime: Run) -> State:
    """Ask for constraints of the kind of some drawn examples."""
    kit, lists = runtime.context, phrase_lists("auto_if.yaml")
    seeds = phrases_for(lists, "constraints", kit.record.language)
    seeds = seeds or phrases_for(lists, "constraints", "en")
    shown = kit.random("examples").sample(seeds, min(kit.params.examples, len(seeds)))
    reply = await kit.ask(PROPOSE, examples=shown, count=kit.params.count)
    return {"shown": shown, "found": [unwrapped(text) for text in reply.constraints]}


async def sift(state: State, runtime: Run) -> State:
    """A record for each constraint that is one, and not one of those before it."""
    seen, out = set(map(bare, state["shown"])), list[Outcome]()
    for at, text in enumerate(state["found"]):
        facts = {"constraint": text}
        record = state["record"].child(at, messages=(Message("user", text),), facts=facts)
        if not SHORTEST <= words(text) <= LONGEST:
            out.append(Drop(record, "no_constraint", f"{words(text)} words"))
        elif bare(text) in seen:
            out.append(Drop(record, "copied_constraint"))
        else:
            out.append(record)
        seen.add(bare(text))
    return {"out": out}


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``propose -> sift``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (propose, sift):
        g.add_node(node)
    for ahead in ((START, "propose"), ("propose", "sift"), ("sift", END)):
        g.add_edge(*ahead)
    return g


GENERATOR = Generator(graph, Params, prompts=(PROPOSE,))
