"""Instruction backtranslation, first part: label a segment with the instruction it answers.

The backward model p(instruction | output) is a model that is shown seed pairs with the answer
first (``examples``, which the pass ``in_context_examples`` deals out), or one that was trained on
them and needs none. Seed pairs travel with the segments and are marked: ``origin`` is ``seed`` or
``augmented``, and where the language has wording for it a system turn says which, so that a model
trained on both can tell the assistant's style from what was found on the web. ``self_curation``
chooses among what comes out, more than once.

Source: Li et al., "Self-Alignment with Instruction Backtranslation" (Humpback), 2023,
arXiv:2308.06259, sections 2.1, 2.2 and 2.4.
Differs: nothing is trained here; a label that quotes the segment, points at it or is no
instruction is asked for once more; the system turns are ours, in the language of the record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Message
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.headings import heading_fault
from engine.text.lengths import words
from engine.text.phrases import phrase_lists, phrases_for
from engine.text.reversal import document_fault, paired, request, request_fault

Origin = Literal["seed", "augmented"]
LABEL = Prompt("backtranslation/label", reply=str)
TAKES = 2


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    min_words: int = Field(default=30, ge=1)
    """Shorter segments drop; in scripts without spaces, characters' worth in words."""
    max_words: int = Field(default=1000, ge=1)
    """Longer ones do, too: they answer several questions, or none."""
    max_shared_words: int = Field(default=7, ge=1)
    """Longest run of words an instruction may share with the segment's opening."""
    system_turns: bool = True
    """Whether a system turn tells seed pairs from augmented ones."""


class State(Flow, total=False):
    """What the nodes pass on."""

    segment: str
    origin: Origin
    instruction: str
    take: int
    """How often the label has been asked for."""
    fault: str
    """Why the segment or the label will not do, as a slug; empty where it will."""


Run = Runtime[Kit[Params]]


async def open_segment(state: State, runtime: Run) -> State:
    """Tell seed pairs from segments; one that is too short or long, or a scrap, ends here."""
    record, params = state["record"], runtime.context.params
    seeded = bool(record.last("user").strip() and record.last("assistant").strip())
    segment = str(record.facts.get("document") or "")
    long = "document_too_long" if words(segment) > params.max_words else ""
    heading = heading_fault(str(record.facts.get("section") or ""))
    fault = "" if seeded else document_fault(segment, params.min_words) or long or heading
    origin: Origin = "seed" if seeded else "augmented"
    return {"segment": segment, "origin": origin, "fault": fault, "take": 0, "instruction": ""}


async def label(state: State, runtime: Run) -> State:
    """Ask which instruction the segment answers."""
    kit, facts = runtime.context, state["record"].facts
    reply = await kit.ask(
        LABEL,
        take=state["take"],
        segment=state["segment"],
        heading=str(facts.get("section") or ""),
        examples=facts.get("examples") or [],
    )
    return {"instruction": request(reply, "Instruction"), "take": state["take"] + 1}


async def check(state: State, runtime: Run) -> State:
    """See that the label is an instruction, and gives nothing of the segment away."""
    most, language = runtime.context.params.max_shared_words, state["record"].language
    return {"fault": request_fault(state["instruction"], state["segment"], language, most)}


async def pair(state: State, runtime: Run) -> State:
    """Set label and segment against each other."""
    return {"record": paired(state["record"], state["instruction"])}


async def tag(state: State, runtime: Run) -> State:
    """Mark where the pair is from, as a fact and in a system turn."""
    record, origin = state["record"].with_facts(origin=state["origin"]), state["origin"]
    wording = phrases_for(phrase_lists("backtranslation.yaml"), origin, record.language)[:1]
    own = any(message.role == "system" for message in record.messages)
    if runtime.context.params.system_turns and wording and not own:
        turns = (Message("system", wording[0]), *record.messages)
        record = replace(record, messages=turns)
    return {"out": [record]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop the segment, with the last label as evidence."""
    return {"out": [Drop(state["record"], state["fault"], state["instruction"])]}


def after_open(state: State) -> Literal["label", "tag", "give_up"]:
    """Label segments; seed pairs have their instruction."""
    if state["fault"]:
        return "give_up"
    return "tag" if state["origin"] == "seed" else "label"


def after_check(state: State) -> Literal["pair", "label", "give_up"]:
    """Ask once more where the label will not do."""
    if not state["fault"]:
        return "pair"
    return "label" if state["take"] < TAKES else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_segment -> (label -> check)* -> pair -> tag``; seeds go to ``tag`` at once."""
    g = StateGraph(State, context_schema=Kit)
    for node in (open_segment, label, check, pair, tag, give_up):
        g.add_node(node)
    g.add_edge(START, "open_segment")
    g.add_conditional_edges("open_segment", after_open)
    g.add_edge("label", "check")
    g.add_conditional_edges("check", after_check)
    g.add_edge("pair", "tag")
    g.add_edge("tag", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(LABEL,))
