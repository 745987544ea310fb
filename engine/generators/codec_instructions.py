"""CodecLM, first part: a seed encoded as metadata, and new instructions decoded from it.

Metadata is one use case and the skills that an answer takes: what a seed is about, without its
words. From it the model writes basic instructions that share both with the seed and nothing else;
``codec`` makes them harder. A record that brings ``use_case`` and ``skills`` as facts needs no
seed instruction: its metadata was encoded before, or written by hand.

Source: Wang et al., "CodecLM: Aligning Language Models with Tailored Synthetic Data", 2024,
arXiv:2404.05875 (metadata encoding and decoding).
Differs: several instructions a call; metadata is decoded where it was encoded, instead of being
drawn from a pool of all seeds; copies of the seed are dropped.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, Outcome, Record
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.leftovers import unwrapped
from engine.text.sameness import bare


class Metadata(BaseModel, extra="forbid"):
    """What an instruction is for, and what it takes to answer it."""

    use_case: str = Field(min_length=1)
    skills: list[str] = Field(min_length=1, max_length=6)


class Instructions(BaseModel, extra="forbid"):
    """Basic instructions for one use case and its skills."""

    instructions: list[str] = Field(min_length=1, max_length=40)


ENCODE = Prompt("codec_instructions/encode", reply=Metadata)
DECODE = Prompt("codec_instructions/decode", reply=Instructions)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    instructions: int = Field(default=4, ge=1, le=40)
    """Instructions asked for, and kept, of each seed at most."""


class State(Flow, total=False):
    """What the nodes pass on."""

    use_case: str
    skills: list[str]
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def begin(state: State, runtime: Run) -> State:
    """Take metadata that is there already."""
    facts = state["record"].facts
    skills = facts.get("skills")
    given = [str(each) for each in skills] if isinstance(skills, list) else []
    use_case = str(facts.get("use_case") or "")
    nothing = not (use_case and given) and not state["record"].last("user").strip()
    return {"use_case": use_case, "skills": given, "reason": "no_instruction" if nothing else ""}


async def encode(state: State, runtime: Run) -> State:
    """Say what the seed is for and which skills it takes."""
    reply = await runtime.context.ask(ENCODE, instruction=state["record"].last("user"))
    skills = {bare(each): each.strip() for each in reply.skills if bare(each)}
    use_case = reply.use_case.strip()
    reason = "" if use_case and skills else "no_metadata"
    return {"use_case": use_case, "skills": list(skills.values()), "reason": reason}


async def decode(state: State, runtime: Run) -> State:
    """Write basic instructions from the metadata alone."""
    record, kit, count = state["record"], runtime.context, runtime.context.params.instructions
    known: dict[str, Json] = {"use_case": state["use_case"], "skills": state["skills"]}
    reply = await kit.ask(DECODE, count=count, **known)
    seen, out = {bare(record.last("user"))}, list[Outcome]()
    for at, text in enumerate(map(unwrapped, reply.instructions)):
        facts = {**known, "basic_instruction": text, "seed_instruction": record.last("user")}
        child = record.child(at, messages=(Message("user", text),), facts=facts)
        out.append(Drop(child, fault) if (fault := _fault(text, seen)) else child)
        seen.add(bare(text))
    kept = [each for each in out if isinstance(each, Record)]
    over = [Drop(each, "enough_instructions") for each in kept[count:]]
    return {"out": [*kept[:count], *over, *(each for each in out if isinstance(each, Drop))]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a seed without metadata."""
    return {"out": [Drop(state["record"], state["reason"])]}


def after_begin(state: State) -> Literal["encode", "decode", "give_up"]:
    """Metadata that is known is not asked for."""
    if state["reason"]:
        return "give_up"
    return "decode" if state["use_case"] and state["skills"] else "encode"


def after_encode(state: State) -> Literal["decode", "give_up"]:
    """Nothing can be decoded from nothing."""
    return "give_up" if state["reason"] else "decode"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``begin -> encode -> decode``, or ``decode`` at once, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (begin, encode, decode, give_up):
        g.add_node(node)
    g.add_edge(START, "begin")
    g.add_conditional_edges("begin", after_begin)
    g.add_conditional_edges("encode", after_encode)
    g.add_edge("decode", END)
    g.add_edge("give_up", END)
    return g


def _fault(text: str, seen: set[str]) -> str:
    """Why an instruction is none, as a slug; empty where it is one."""
    if not bare(text, punctuation=False):
        return "empty_instruction"
    return "copied_instruction" if bare(text) in seen else ""


GENERATOR = Generator(graph, Params, prompts=(ENCODE, DECODE))
