"""MergeIT: two instructions that are alike become one that is richer, if that is better.

A record with a partner (the pass ``merge_pairs``) is written together with it as one task, unless
that puts the two side by side or lets the reader choose. Both originals and the try are scored by
the quality of Deita, and a try above the mean of the two is kept; others are repeated, and where
none is better both originals are given back. ``facts["merge"]`` says what became of each record
(``merged``, ``failed``, ``unused``): together they are what came in.

Source: Cai et al., "MergeIT: From Selection to Merging for Efficient Instruction Tuning", 2025,
arXiv:2503.00034; the score: Liu et al., 2023, arXiv:2312.15685.
Differs: the score sees the input, too, there only instruction and output; a prompt of ours is
scored, by any model that gives log-probabilities; "or" and mere joins are found by rule.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Json, Message, Record, ReplyError
from engine.judging import fence
from engine.kit import Flow, Generator, Kit
from engine.measures.losses import Undefined
from engine.prompting import Prompt
from engine.scoring import NOT_SCORED, by_digits
from engine.text.evolution import bare_task
from engine.text.joining import joined
from engine.text.partners import alone, origin, partner, task

DIGITS = (1, 2, 3, 4, 5, 6)


class Merged(BaseModel, extra="forbid"):
    """One task in place of two."""

    instruction: str = Field(min_length=1)
    input: str
    """Material that the instruction works on; empty where it needs none."""
    output: str = Field(min_length=1)


MERGE = Prompt("merge/merge", reply=Merged)
QUALITY = Prompt("merge/quality", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    retries: int = Field(default=3, ge=0, le=20)
    """Tries after a first one that was not better."""
    min_mass: float = Field(default=0.01, ge=0, le=1)
    """Least probability (0..1) that the judge must give to the six digits together."""


class State(Flow, total=False):
    """What the nodes pass on."""

    pair: list[Record]
    wanted: float
    """What a merged record must be above: the mean quality of the two."""
    merged: Record
    quality: float
    fault: str  # of the try at hand, as a slug; empty while it may be kept
    faults: list[str]
    best: float  # quality of a try that was not taken; 0 without any


Run = Runtime[Kit[Params]]


async def begin(state: State, runtime: Run) -> State:
    """Tell the two originals apart."""
    record, other = state["record"], partner(state["record"])
    pair = [bare_task(each) for each in (alone(record), other) if each]
    return {"pair": pair, "faults": [], "best": 0.0}


async def weigh(state: State, runtime: Run) -> State:
    """Score both originals."""
    try:
        found = await asyncio.gather(*(_quality(runtime.context, each) for each in state["pair"]))
    except NOT_SCORED as error:
        return {"fault": "not_scored", "faults": [f"not_scored: {error}"]}
    return {"wanted": sum(found) / len(found), "fault": ""}


async def blend(state: State, runtime: Run) -> State:
    """Write one task in place of two."""
    record, pair = state["record"], state["pair"]
    try:
        one = await runtime.context.ask(MERGE, take=len(state["faults"]), tasks=[*map(task, pair)])
    except ReplyError:
        return {"fault": "bad_reply"}
    asked, given = one.instruction.strip(), one.input.strip()
    said = Message("user", f"{asked}\n\n{given}" if given else asked)
    facts: dict[str, Json] = {"instruction": asked, "input": given}
    turns = (said, Message("assistant", one.output.strip()))
    child = replace(record, facts={}).child(0, messages=turns, facts=facts)
    return {"merged": child, "fault": ""}


async def screen(state: State, runtime: Run) -> State:
    """Find what was only put side by side, and what is empty."""
    merged = state["merged"]
    fault = joined(_of(merged), [_of(each) for each in state["pair"]], merged.language)
    return {"fault": fault or ("" if merged.last("assistant") else "empty_output")}


async def score(state: State, runtime: Run) -> State:
    """Score the merged record as the originals were; it has to be above their mean."""
    try:
        quality = await _quality(runtime.context, state["merged"])
    except NOT_SCORED:
        return {"fault": "not_scored"}
    if quality > state["wanted"]:
        return {"quality": quality, "fault": ""}
    return {"best": max(quality, state["best"]), "fault": "not_better"}


async def reject(state: State, runtime: Run) -> State:
    """Note why a try was not taken."""
    return {"faults": [*state["faults"], state["fault"]]}


async def accept(state: State, runtime: Run) -> State:
    """The merged record in place of both."""
    merged, pair = state["merged"], state["pair"]
    originals = [{"id": each.id, **task(each)} for each in pair]
    told = {"result": "merged", "quality": round(state["quality"], 6), **_told(state)}
    return {"out": [merged.with_facts(**origin(pair), merge={**told, "originals": originals})]}


async def keep_both(state: State, runtime: Run) -> State:
    """Give both originals back."""
    told = {"result": "failed", "best": round(state["best"], 6), **_told(state)}
    first, second = state["pair"]
    back = replace(second, id=state["record"].child(1).id, lineage=first.lineage)
    told_back = {**told, "original": second.id}
    return {"out": [first.with_facts(merge=told), back.with_facts(merge=told_back)]}


async def pass_on(state: State, runtime: Run) -> State:
    """A record without a partner stays as it is."""
    return {"out": [state["record"].with_facts(merge={"result": "unused"})]}


def after_begin(state: State) -> Literal["weigh", "pass_on"]:
    """Only a pair can be merged."""
    return "weigh" if len(state["pair"]) == 2 else "pass_on"


def after_weigh(state: State) -> Literal["blend", "keep_both"]:
    """Without a score there is nothing to be better than."""
    return "keep_both" if state["fault"] else "blend"


def after_check(state: State) -> Literal["sound", "faulty"]:
    """A fault ends the try without another call."""
    return "faulty" if state["fault"] else "sound"


def after_reject(state: State, runtime: Run) -> Literal["blend", "keep_both"]:
    """Try again while tries are left."""
    return "blend" if len(state["faults"]) <= runtime.context.params.retries else "keep_both"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``begin -> weigh -> (blend -> screen -> score -> reject)* -> accept | keep_both``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (begin, weigh, blend, screen, score, reject, accept, keep_both, pass_on):
        g.add_node(node)
    g.add_edge(START, "begin")
    g.add_conditional_edges("begin", after_begin)
    g.add_conditional_edges("weigh", after_weigh)
    for check, then in (("blend", "screen"), ("screen", "score"), ("score", "accept")):
        g.add_conditional_edges(check, after_check, {"sound": then, "faulty": "reject"})
    g.add_conditional_edges("reject", after_reject)
    for last in ("accept", "keep_both", "pass_on"):
        g.add_edge(last, END)
    return g


async def _quality(kit: Kit[Params], record: Record) -> float:
    """Deita's quality of a record, 1..6; raises what is ``NOT_SCORED``."""
    shown = {"instruction": record.last("user"), "response": record.last("assistant")}
    found, _ = await by_digits(kit, QUALITY, DIGITS, **shown, fence=fence(kit))
    if found.mass < kit.params.min_mass:
        raise Undefined(f"the digits have a probability of {found.mass:.2g} altogether")
    return found.score


def _of(record: Record) -> str:
    return str(record.facts["instruction"])


def _told(state: State) -> dict[str, Json]:
    """What is noted of the tries."""
    return {"wanted": round(state.get("wanted", 0.0), 6), "faults": state["faults"]}


GENERATOR = Generator(graph, Params, prompts=(MERGE, QUALITY))
