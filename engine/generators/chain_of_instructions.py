"""Chain-of-Instructions, third part: the stages of a chain, one after another, as one example.

``chain_walks`` gives each task the chains that begin with it. The first output is the task's own;
every further task is carried out on the output before it, until all stages are there. Then the
instructions are joined, and the response lists every stage's output. For a share of chains the
joined instruction is said as one natural sentence.

Source: Hayati et al., "Chain-of-Instructions: Compositional Instruction Tuning on Large Language
Models", 2024, arXiv:2402.11532.
Differs: joiner and labels are of the record's language, in one form; a stage that repeats its
input ends the chain; chains of irrelevant tasks are carried out like the others (what the paper's
hold as outputs is not known to us).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, Outcome, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.chains import has_label, joined, joiners, words_for, written
from engine.text.leftovers import unwrapped
from engine.text.sameness import bare

PERFORM = Prompt("chain_of_instructions/perform", reply=str)
PHRASE = Prompt("chain_of_instructions/phrase", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    natural: float = Field(default=0.2, ge=0, le=1)
    """Share (0..1) of chains whose instruction is said as one sentence by the model."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain in the making."""

    tasks: list[dict[str, str]]
    relevant: bool
    outputs: tuple[str, ...]
    instruction: str = ""
    said: str = ""
    """The instruction as one sentence, where it is to be."""
    reason: str = ""
    """Why it ends, as a slug; empty while it goes on."""


class State(Flow, total=False):
    """What the nodes pass on."""

    chains: list[Chain]


Run = Runtime[Kit[Params]]


async def begin(state: State, runtime: Run) -> State:
    """Every chain begins with the task's own output."""
    record = state["record"]
    own, given = record.last("assistant").strip(), record.facts.get("chains") or []
    return {"chains": [Chain(each["tasks"], each["relevant"], (own,)) for each in given]}


async def perform(state: State, runtime: Run) -> State:
    """Carry out the next task of each chain on the output of the one before."""
    kit = runtime.context

    async def next_stage(at: int, chain: Chain) -> Chain:
        if not _goes_on(chain):
            return chain
        stage, given = len(chain.outputs), chain.outputs[-1]
        task, take = chain.tasks[stage]["task"], 10 * at + stage
        try:
            reply = await kit.ask(PERFORM, take=take, task=task, given=given)
        except ReplyError:
            return replace(chain, reason="bad_reply")
        output, cut = unwrapped(reply), getattr(reply, "truncated", False)
        fault = "cut_stage" if cut else "empty_stage" if not output else ""
        fault = fault or ("copied_stage" if bare(output) == bare(given) else "")
        return replace(chain, outputs=(*chain.outputs, output), reason=fault)

    return {"chains": await asyncio.gather(*(next_stage(*c) for c in enumerate(state["chains"])))}


async def join(state: State, runtime: Run) -> State:
    """Join the instructions; there is a joiner between any two and no more."""
    words = words_for(state["record"].language)

    def one(chain: Chain) -> Chain:
        if chain.reason or words is None:
            return replace(chain, reason=chain.reason or "unworded_language")
        instruction = joined([each["task"] for each in chain.tasks], words)
        labelled = any(has_label(output, words) for output in chain.outputs)
        fault = "joiner_in_task" if joiners(instruction, words) + 1 != len(chain.tasks) else ""
        fault = fault or ("label_in_output" if labelled else "")
        return replace(chain, instruction=instruction, reason=fault)

    return {"chains": [one(chain) for chain in state["chains"]]}


async def phrase(state: State, runtime: Run) -> State:
    """Say a share of the instructions as one sentence."""
    kit = runtime.context

    async def said(at: int, chain: Chain) -> Chain:
        if chain.reason or kit.random("natural", at).random() >= kit.params.natural:
            return chain
        tasks = [each["task"] for each in chain.tasks]
        try:
            reply = await kit.ask(PHRASE, take=at, tasks=tasks)
        except ReplyError:
            return replace(chain, reason="bad_reply")
        sentence = "" if getattr(reply, "truncated", False) else unwrapped(reply)
        return replace(chain, said=sentence, reason="" if sentence else "no_sentence")

    return {"chains": await asyncio.gather(*(said(*each) for each in enumerate(state["chains"])))}


async def write(state: State, runtime: Run) -> State:
    """A record for each chain."""
    record = state["record"]
    words, given = words_for(record.language), str(record.facts.get("input") or "")
    out: list[Outcome] = []
    for at, chain in enumerate(state["chains"]):
        instruction = chain.said or chain.instruction
        facts: dict[str, Json] = {"instruction": instruction, "joined": chain.instruction}
        facts |= {"stages": list(chain.outputs), "tasks": [t["id"] for t in chain.tasks]}
        facts |= {"relevant": chain.relevant, "natural": bool(chain.said)}
        facts |= dict.fromkeys(("chains", "followers", "strangers"))
        made = record.child(at, facts=facts)
        if chain.reason or words is None:
            out.append(Drop(made, chain.reason, chain.outputs[-1][:200]))
            continue
        user = Message("user", f"{instruction}\n\n{given}".strip())
        turns = (user, Message("assistant", written(chain.outputs, words)))
        out.append(replace(made, messages=turns))
    return {"out": out or [Drop(record, "no_chain")]}


def after_perform(state: State) -> Literal["perform", "join"]:
    """As long as some chain has a stage left."""
    return "perform" if any(map(_goes_on, state["chains"])) else "join"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``begin -> (perform)* -> join -> phrase -> write``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (begin, perform, join, phrase, write):
        g.add_node(node)
    g.add_edge(START, "begin")
    g.add_conditional_edges("begin", after_perform)
    g.add_conditional_edges("perform", after_perform)
    for ahead in (("join", "phrase"), ("phrase", "write"), ("write", END)):
        g.add_edge(*ahead)
    return g


def _goes_on(chain: Chain) -> bool:
    return not chain.reason and len(chain.outputs) < len(chain.tasks)


GENERATOR = Generator(graph, Params, prompts=(PERFORM, PHRASE))
