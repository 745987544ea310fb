"""Cycle-Instruct: two models teach each other, and the human text is always the target.

A human answer gets a question written for it; a human question gets an answer. The other model,
which sees only what was written, writes the human side again: how near it comes is the score, as
a cosine and, where the server gives log-probabilities, as the likelihood of the human text. The
pass ``best_share`` keeps the best. Takes seeds of the source ``unpaired``. ``facts["side"]`` says
which side is human, ``facts["cycle"]`` holds the scores.

Source: Shen et al., "Cycle-Instruct: Fully Seed-Free Instruction Tuning via Dual Self-Training and
Cycle Consistency", 2025, arXiv:2508.16100, section 3.
Differs: an instruct model bootstraps, in the text's language; of samples the best reconstructed
stays; likelihood also as a gain over the human text alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast, get_args

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.asking import EMBEDDER
from engine.core import Drop, Json, Message
from engine.judging import fence
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.scoring import in_chat
from engine.text.cycling import written_fault
from engine.text.leftovers import unwrapped
from engine.text.unpaired import Side

Role = Literal["asker", "answerer"]
QUESTION = Prompt("cycle_instruct/question", reply=str)
ANSWER = Prompt("cycle_instruct/answer", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    samples: int = Field(default=1, ge=1, le=16)
    """Texts written for each human one; the one from which it is reconstructed best stays."""
    likelihood: bool = False
    """Whether log-likelihoods are noted, too; 2 calls more, of vLLM (0.32: not with LoRA on)."""
    max_shared_words: int = Field(default=12, ge=1)
    """Longest run of words that a question may share with the opening of its answer."""


class State(Flow, total=False):
    """What the nodes pass on."""

    human: str
    side: Side
    texts: list[str]
    again: list[str]
    """The human side as reconstructed from each; blank where nothing came."""
    written: str
    scores: dict[str, Json]
    fault: str
    """Why the seed ends here, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def take_segment(state: State, runtime: Run) -> State:
    """Take the human text and its side."""
    facts = state["record"].facts
    human, side = str(facts.get("segment") or ""), facts.get("side")
    known = human.strip() and side in get_args(Side)
    return {"human": human, "side": cast(Side, side), "fault": "" if known else "no_segment"}


async def write_question(state: State, runtime: Run) -> State:
    """Ask the asker which instruction the human answer answers."""
    return {"texts": await _written(runtime.context, "asker", state["human"])}


async def write_answer(state: State, runtime: Run) -> State:
    """Have the answerer answer the human question."""
    return {"texts": await _written(runtime.context, "answerer", state["human"])}


async def check(state: State, runtime: Run) -> State:
    """Keep what can be one side of a pair: whole, no copy of the other, no refusal."""
    human, side, most = state["human"], state["side"], runtime.context.params.max_shared_words
    tag = state["record"].language
    faults = {text: written_fault(text, human, side, tag, most) for text in state["texts"]}
    good = [text for text, fault in faults.items() if not fault]
    return {"texts": good, "fault": "" if good else next(iter(faults.values()), "cut_or_empty")}


async def answer_again(state: State, runtime: Run) -> State:
    """Have the human answer written again, from each question alone."""
    return {"again": await _again(runtime.context, "answerer", state["texts"])}


async def ask_again(state: State, runtime: Run) -> State:
    """Have the human question asked again, from each answer alone."""
    return {"again": await _again(runtime.context, "asker", state["texts"])}


async def compare(state: State, runtime: Run) -> State:
    """How near the reconstructions come to the human text; the nearest decides what stays."""
    kit, again = runtime.context, state["again"]
    vectors = await kit.embed([state["human"], *again])
    near = vectors[1:] @ vectors[0]
    best = int(near.argmax())
    embedder = next((call.model for call in kit.hop("").calls if call.role == EMBEDDER), "")
    scores = {"similarity": round(float(near[best]), 4), "reconstruction": again[best]}
    fault = "" if again[best] else "no_reconstruction"
    found: State = {"written": state["texts"][best], "fault": fault}
    return {**found, "scores": {**scores, "embedder": embedder, "samples": len(again)}}


async def weigh(state: State, runtime: Run) -> State:
    """How likely the human text is after what was written for it, and how much more than alone."""
    kit, human = runtime.context, state["human"]
    role: Role = "answerer" if state["side"] == "answer" else "asker"
    prompt, inputs = _task(kit, role, state["written"])
    given = await kit.score(prompt, human, **inputs)
    alone = await in_chat(kit, [Message("user", "")], human, role)
    noted = {"log_likelihood": -given.mean_nll, "gain": alone.nll - given.mean_nll}
    return {"scores": {**state["scores"], **noted, "scorer": given.model}}


async def pair(state: State, runtime: Run) -> State:
    """The pair in the forward direction, whichever side is human."""
    record, texts = state["record"], (state["human"], state["written"])
    asked, said = texts if state["side"] == "question" else texts[::-1]
    facts = {k: v for k, v in record.facts.items() if k not in ("segment", "examples")}
    facts["cycle"] = state["scores"]
    turns = (Message("user", asked), Message("assistant", said))
    return {"out": [replace(record.child(0), messages=turns, facts=facts)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop the segment."""
    return {"out": [Drop(state["record"], state["fault"], state.get("human", "")[:200])]}


def after_take(state: State) -> Literal["write_question", "write_answer", "give_up"]:
    """Write the side that is missing."""
    asks = state["side"] == "answer"
    return "give_up" if state["fault"] else "write_question" if asks else "write_answer"


def after_check(state: State) -> Literal["answer_again", "ask_again", "give_up"]:
    """Go back by the other direction."""
    asked = state["side"] == "answer"
    return "give_up" if state["fault"] else "answer_again" if asked else "ask_again"


def after_compare(state: State, runtime: Run) -> Literal["weigh", "pair", "give_up"]:
    """Ask for the likelihood, too, where the job wants it."""
    likely = runtime.context.params.likelihood
    return "give_up" if state["fault"] else "weigh" if likely else "pair"


def _task(kit: Kit[Params], role: Role, given: str) -> tuple[Prompt[str], dict[str, Any]]:
    """What a role is asked; the human texts of its examples stand where it is to write."""
    shown: Any = kit.record.facts.get("examples") or {"question": [], "answer": []}
    if role == "answerer":
        return ANSWER, {"instruction": given, "examples": shown["answer"]}
    return QUESTION, {"response": given, "examples": shown["question"], "fence": fence(kit)}


async def _written(kit: Kit[Params], role: Role, given: str, count: int = 0) -> list[str]:
    """Replies that were not cut, without what encloses them; each once."""
    prompt, inputs = _task(kit, role, given)
    found = await kit.ask_many(prompt, count or kit.params.samples, **inputs)
    whole = [unwrapped(text) for text in found if not getattr(text, "truncated", False)]
    return list(dict.fromkeys(filter(None, whole)))


async def _again(kit: Kit[Params], role: Role, texts: Sequence[str]) -> list[str]:
    found = await asyncio.gather(*(_written(kit, role, text, 1) for text in texts))
    return ["".join(each) for each in found]


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``take -> write_question | write_answer -> check -> the other direction -> compare``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (take_segment, write_question, write_answer, check, answer_again, ask_again):
        g.add_node(node)
    g.add_node(compare).add_node(weigh).add_node(pair).add_node(give_up)
    for ahead in ("take_segment", after_take), ("check", after_check), ("compare", after_compare):
        g.add_conditional_edges(*ahead)
    for source, target in (
        (START, "take_segment"), ("write_question", "check"), ("write_answer", "check"),
        ("answer_again", "compare"), ("ask_again", "compare"), ("weigh", "pair"),
        ("pair", END), ("give_up", END),
    ):  # fmt: skip
        g.add_edge(source, target)
    return g


GENERATOR = Generator(graph, Params, prompts=(QUESTION, ANSWER), roles=(EMBEDDER,))
