"""Step-by-step instructions, second part: a task's procedure in the prompt of every instance.

No model is asked. A prompt is the definition, the steps, the positive examples and the input; the
target is the instance's own, untouched. All instances of a task have the same steps. Variants for
comparison are the same prompts with the steps in another order, with some left out or said twice,
with those of another task, or with none. Where a prompt is longer than the budget, examples give
way one by one; one that is too long without them drops.

Source: Wu et al., "Improving Cross-Task Generalization with Step-by-Step Instructions", 2023,
arXiv:2305.04429.
Differs: tokens are estimated from bytes; labels are of the record's language.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, Outcome
from engine.kit import Flow, Generator, Kit
from engine.text.procedures import Variant, prompt, varied, words_for
from engine.text.sizes import estimated_tokens


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    variants: tuple[Variant, ...] = Field(default=("steps",), min_length=1)
    """A record for each, of every instance: ``steps``, and for comparison ``none``, ``shuffled``,
    ``reversed``, ``deleted``, ``repeated`` and ``other`` (needs the pass ``other_steps``)."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of a prompt, estimated; examples give way to it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt in the making."""

    variant: Variant
    steps: list[str]
    instance: dict[str, str]
    examples: int
    """How many are shown."""
    text: str = ""


class State(Flow, total=False):
    """What the nodes pass on."""

    procedures: dict[Variant, list[str] | None]
    """The steps in each variant, the same for all instances; ``None`` where there is none."""
    drafts: list[Draft]


Run = Runtime[Kit[Params]]


async def vary(state: State, runtime: Run) -> State:
    """The steps in every variant."""
    kit, facts = runtime.context, state["record"].facts
    steps, other = facts["steps"], (facts.get("other_steps") or {}).get("steps", ())
    found = {v: varied(steps, v, kit.random(v), other) for v in kit.params.variants}
    shown = len(facts.get("examples") or ())
    drafts = [
        Draft(variant, steps, instance, shown)
        for instance in facts["instances"]
        for variant, steps in found.items()
        if steps is not None
    ]
    return {"procedures": found, "drafts": drafts}


async def assemble(state: State, runtime: Run) -> State:
    """Put definition, steps, examples and input together."""
    facts, said = state["record"].facts, words_for(state["record"].language)
    assert said is not None  # before_vary has seen to it

    def text(draft: Draft) -> str:
        shown = facts["examples"][: draft.examples]
        return prompt(facts["definition"], draft.steps, shown, draft.instance["input"], said)

    return {"drafts": [replace(draft, text=text(draft)) for draft in state["drafts"]]}


async def thin(state: State, runtime: Run) -> State:
    """Leave out the last example of the prompts that are too long."""
    most, drafts = runtime.context.params.max_tokens, state["drafts"]
    return {"drafts": [replace(d, examples=d.examples - _thick(d, most)) for d in drafts]}


async def write(state: State, runtime: Run) -> State:
    """A record for each instance and variant."""
    record, most = state["record"], runtime.context.params.max_tokens
    out: list[Outcome] = []
    for at, draft in enumerate(state["drafts"]):
        facts: dict[str, Json] = dict.fromkeys(("instances", "examples", "other_steps"))
        facts |= {"instruction": draft.text, "input": "", "steps": draft.steps}
        facts |= {"variant": draft.variant, "examples_shown": draft.examples}
        turns = (Message("user", draft.text), Message("assistant", draft.instance["output"]))
        made = record.child(at, messages=turns, facts=facts)
        over = estimated_tokens(draft.text) > most
        out.append(Drop(made, "over_budget") if over else made)
    for variant, steps in state["procedures"].items():
        if steps is None:
            out.append(Drop(record.child(len(out)), "no_variant", variant))
    return {"out": out}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a task without a procedure, or in a language without labels."""
    worded = words_for(state["record"].language)
    return {"out": [Drop(state["record"], "no_procedure" if worded else "unworded_language")]}


def before_vary(state: State) -> Literal["vary", "give_up"]:
    """A task has a procedure (``step_procedures``), instances and words."""
    record = state["record"]
    whole = record.facts.get("steps") and record.facts.get("instances")
    return "vary" if whole and words_for(record.language) else "give_up"


def after_assemble(state: State, runtime: Run) -> Literal["thin", "write"]:
    """As long as some prompt is too long and has an example left."""
    most = runtime.context.params.max_tokens
    return "thin" if any(_thick(draft, most) for draft in state["drafts"]) else "write"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``vary -> assemble -> (thin -> assemble)* -> write``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (vary, assemble, thin, write, give_up):
        g.add_node(node)
    g.add_conditional_edges(START, before_vary)
    g.add_edge("vary", "assemble")
    g.add_conditional_edges("assemble", after_assemble)
    g.add_edge("thin", "assemble")
    g.add_edge("write", END)
    g.add_edge("give_up", END)
    return g


def _thick(draft: Draft, most: int) -> bool:
    return draft.examples > 0 and estimated_tokens(draft.text) > most


GENERATOR = Generator(graph, Params, prompts=())
