"""Sequential instructions: tasks added to a task, or one task taken apart, step after step.

What the instruction works on is parted from it, and its side remembered. Then the model chooses:
take the task apart (A), put a task before it (B), put one behind it (C), or keep it (D); and
writes the new instruction, from which the next iteration goes on. Keeping it, and a reply that
cannot be read, leave the instruction as it is. In the end it is answered anew, if it has changed.

Source: Hu, Yu, Chen, Ponti, "Fine-tuning Large Language Models with Sequential Instructions",
2024, arXiv:2403.07794.
Differs: examples in several languages; an input counts only if it stands in the instruction word
for word; responses are asked for where they are kept, not in every iteration, since no later one
reads them.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text import sequential
from engine.text.sameness import bare
from engine.text.sequential import Option, Side


class Parted(BaseModel, extra="forbid"):
    """What an instruction works on, copied word for word; empty where it works on nothing."""

    input: str


class Review(BaseModel, extra="forbid"):
    """Whether a new instruction is sound; if not, how it should be."""

    sound: bool
    rewrite: str


PART = Prompt("sequential_instructions/part", reply=Parted)
CHOOSE = Prompt("sequential_instructions/choose", reply=str)
DECOMPOSE = Prompt("sequential_instructions/decompose", reply=str)
PREFIX = Prompt("sequential_instructions/prefix", reply=str)
SUFFIX = Prompt("sequential_instructions/suffix", reply=str)
REVIEW = Prompt("sequential_instructions/review", reply=Review)
RESPOND = Prompt("sequential_instructions/respond", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    iterations: int = Field(default=2, ge=1, le=10)
    """How often an option is chosen, each time for the instruction as it is by then."""
    part_inputs: bool = True
    """Whether the model is asked for an input within the instruction, where none is known."""
    review: bool = False
    """Whether the model checks every new instruction and rewrites it where it is not sound."""


class State(Flow, total=False):
    """What the nodes pass on."""

    instruction: str
    input: str
    side: Side
    option: Option
    new: str
    """What was written for the option; empty where it cannot be read."""
    iteration: int
    history: list[dict[str, Json]]
    """Each iteration's option and the instruction that came of it."""


Run = Runtime[Kit[Params]]


async def part(state: State, runtime: Run) -> State:
    """Pull the input out of the instruction; a known one is taken as it is."""
    record, kit = state["record"], runtime.context
    whole, given = record.last("user").strip(), str(record.facts.get("input") or "")
    if not given and kit.params.part_inputs and whole:
        given = (await kit.ask(PART, instruction=whole)).input
    instruction, given, side = sequential.part_off(whole, given) or (whole, "", "after")
    begin: State = {"iteration": 0, "history": [], "instruction": instruction}
    return begin | {"input": given, "side": side}


async def choose(state: State, runtime: Run) -> State:
    """Choose what to do; a reply that names no option means to keep the instruction."""
    kit, n = runtime.context, state["iteration"]
    shown = sequential.examples("choose", kit.random("choose", n))
    reply = await kit.ask(CHOOSE, take=n, examples=shown, **_asked(state))
    return {"option": sequential.option(reply), "iteration": n + 1, "new": ""}


async def decompose(state: State, runtime: Run) -> State:
    """Take the task apart into two that follow each other."""
    return await _written(state, runtime.context, DECOMPOSE)


async def prefix(state: State, runtime: Run) -> State:
    """Put a task before it."""
    return await _written(state, runtime.context, PREFIX)


async def suffix(state: State, runtime: Run) -> State:
    """Put a task behind it."""
    return await _written(state, runtime.context, SUFFIX)


async def review(state: State, runtime: Run) -> State:
    """Have the new instruction checked, and rewritten where it is not sound."""
    said = await runtime.context.ask(REVIEW, take=state["iteration"], **_asked(state, "new"))
    return {"new": state["new"] if said.sound else said.rewrite.strip()}


async def adopt(state: State, runtime: Run) -> State:
    """Go on from the new instruction; without one, or to keep it, from the one there is."""
    before, new = state["instruction"], state["new"]
    after = new if new and bare(new) != bare(before) else before
    noted = {"option": state["option"], "changed": after != before, "instruction": after}
    return {"instruction": after, "history": [*state["history"], noted]}


async def respond(state: State, runtime: Run) -> State:
    """Answer the new instruction; one that never changed keeps the answer it came with."""
    record, kit = state["record"], runtime.context
    whole = sequential.put_together(state["instruction"], state["input"], state["side"])
    changed = any(each["changed"] for each in state["history"])
    user = whole if changed else record.last("user")
    reply, cut = record.last("assistant"), False
    if changed or not reply:
        said = await kit.ask(RESPOND, instruction=user)
        reply, cut = str(said), bool(getattr(said, "truncated", False))
    facts: dict[str, Json] = {"instruction": state["instruction"], "input": state["input"]}
    facts |= {"side": state["side"], "history": state["history"], "iteration": state["iteration"]}
    facts |= {"options": [each["option"] for each in state["history"]], "changed": changed}
    turns = (Message("user", user), Message("assistant", reply))
    made = record.child(0, messages=turns, facts=facts)
    reason = "cut_response" if cut else "" if reply else "empty_response"
    return {"out": [Drop(made, reason) if reason else made]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a record without an instruction."""
    return {"out": [Drop(state["record"], "no_instruction")]}


def after_part(state: State) -> Literal["choose", "give_up"]:
    """Go on where there is an instruction."""
    return "choose" if state["instruction"] else "give_up"


def after_choose(state: State) -> Option:
    """By the option; what is kept is adopted as it is."""
    return state["option"]


def after_writing(state: State, runtime: Run) -> Literal["review", "adopt"]:
    """Have it checked, where the job wants that and there is something to check."""
    return "review" if runtime.context.params.review and state["new"] else "adopt"


def after_adopt(state: State, runtime: Run) -> Literal["choose", "respond"]:
    """Once more, until there were as many iterations as the job wants."""
    return "choose" if state["iteration"] < runtime.context.params.iterations else "respond"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``part -> (choose -> [decompose | prefix | suffix -> [review]] -> adopt)* -> respond``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (part, choose, decompose, prefix, suffix, review, adopt, respond, give_up):
        g.add_node(node)
    g.add_conditional_edges("part", after_part)
    to: dict[Hashable, str] = {"A": "decompose", "B": "prefix", "C": "suffix", "D": "adopt"}
    g.add_conditional_edges("choose", after_choose, to)
    for name in ("decompose", "prefix", "suffix"):
        g.add_conditional_edges(name, after_writing)
    g.add_conditional_edges("adopt", after_adopt)
    for way in ((START, "part"), ("review", "adopt"), ("respond", END), ("give_up", END)):
        g.add_edge(*way)
    return g


async def _written(state: State, kit: Kit[Params], prompt: Prompt[str]) -> State:
    """The new instruction of a reply; none where it cannot be read or was cut."""
    kind = prompt.name.rpartition("/")[2]
    shown = sequential.examples(kind, kit.random(kind, state["iteration"]))
    reply = await kit.ask(prompt, take=state["iteration"], examples=shown, **_asked(state))
    return {"new": "" if getattr(reply, "truncated", False) else sequential.new_instruction(reply)}


def _asked(state: State, *more: Literal["new"]) -> dict[str, str]:
    """What every prompt is given of the state."""
    given = {"instruction": state["instruction"], "input": state["input"], "side": state["side"]}
    return given | {name: state[name] for name in more}


GENERATOR = Generator(
    graph, Params, prompts=(PART, CHOOSE, DECOMPOSE, PREFIX, SUFFIX, REVIEW, RESPOND)
)
