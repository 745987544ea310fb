"""Constrained: instructions with conditions that a program can check, and answers that meet them.

A few constraints that can stand together are drawn and put below the instruction in its own
language. The instruction is answered several times in one call; what meets every constraint to
the letter is kept, and the share that does is the difficulty. Types, parameters, results and
rates stay on the record, so that the verifier ``constraints`` can check it again at any time.

Source: Zhou et al., "Instruction-Following Evaluation for Large Language Models", 2023,
arXiv:2311.07911 (the 25 types); Lambert et al., "Tulu 3: Pushing Frontiers in Open Language Model
Post-Training", 2024, arXiv:2411.15124 (training data from such constraints).
Differs: in any language, by its own rules of words, letters and sentences; a type that makes no
sense there is not offered; a wording that is not listed is written by a model and must name
every number and word of the constraint; set phrases and other languages only where a job asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Self

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, field_validator, model_validator

from engine.constraints.drawing import all_said, attached, draw, in_english, worded
from engine.constraints.kinds import Ground
from engine.constraints.reading import KINDS, Constraint, failures, language_of, passes, results
from engine.constraints.stock import stock_for
from engine.core import Drop, Json, Message, Outcome
from engine.kit import Flow, Generator, Kit
from engine.languages.agreement import teller
from engine.prompting import Prompt

RARE = ("detectable_format:constrained_response", "language:response_language")
"""Not drawn: set phrases fit few questions, unless a job asks; no job says which languages."""
TAKES = 2


class Worded(BaseModel, extra="forbid"):
    """The constraints, one sentence each."""

    sentences: list[str] = Field(min_length=1)


WORD = Prompt("constrained/word", reply=Worded)
ANSWER = Prompt("constrained/answer", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    min_constraints: int = Field(default=1, ge=1, le=10)
    """Constraints of an instruction, at least; drops where fewer can stand together."""
    max_constraints: int = Field(default=3, ge=1, le=10)
    """Constraints of an instruction, at most."""
    answers: int = Field(default=4, ge=1, le=64)
    """Answers sampled for an instruction, in one call."""
    keep: int = Field(default=1, ge=1, le=64)
    """Answers kept of those that pass, at most; which, is drawn."""
    max_pass_rate: float = Field(default=1.0, gt=0, le=1)
    """Share (0..1) of answers that pass above which an instruction is too easy to keep."""
    types: tuple[str, ...] = Field(default=tuple(k for k in KINDS if k not in RARE), min_length=1)
    """Types to draw from, with equal odds; all that can be checked here but set phrases."""

    @field_validator("types")
    @classmethod
    def _known(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        for type_ in types:
            if type_ not in KINDS or type_ == RARE[1]:
                raise ValueError(f"{type_!r} cannot be drawn; one of {', '.join(KINDS)}")
        return types

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_constraints > self.max_constraints or self.keep > self.answers:
            raise ValueError("min_constraints is at most max_constraints, keep at most answers")
        return self


class State(Flow, total=False):
    """What the nodes pass on."""

    asked: str
    """The instruction without constraints and without its input."""
    constraints: list[Constraint]
    sentences: list[str]
    """The constraints in words; empty where a model has to find them."""
    take: int
    answers: Sequence[str]
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def choose(state: State, runtime: Run) -> State:
    """Draw constraints that fit the instruction, its language and each other."""
    kit, record, params = runtime.context, state["record"], runtime.context.params
    given, rng = str(record.facts.get("input") or ""), kit.random("constraints")
    asked = str(record.facts.get("instruction") or record.last("user").removesuffix(given)).strip()
    stock = stock_for(record.language)
    ground = Ground(record.language, asked, stock, rng, has_input=bool(given))
    count = rng.randint(params.min_constraints, params.max_constraints)
    drawn = draw(ground, params.types, count) if asked else []
    few = "too_few_constraints" if len(drawn) < params.min_constraints else ""
    reason = few if asked else "no_instruction"
    return {"asked": asked, "constraints": drawn, "reason": reason, "take": 0}


async def word(state: State, runtime: Run) -> State:
    """Say the constraints in the language; a model does, where their wording is not listed."""
    kit, take, drawn = runtime.context, state["take"], state["constraints"]
    tag, rng = kit.record.language, kit.random("wording")
    said = [worded(constraint, tag, rng) for constraint in drawn]
    if not all(said):
        english = [in_english(constraint, tag, rng) for constraint in drawn]
        reply = await kit.ask(WORD, take=take, instruction=state["asked"], constraints=english)
        said = [sentence.strip() for sentence in reply.sentences]
    reason = "" if all_said(said, drawn, tag) else "unworded_constraint"
    return {"sentences": said, "take": take + 1, "reason": reason}


async def answer(state: State, runtime: Run) -> State:
    """Answer the instruction several times, with its constraints and its input."""
    kit, asked, record = runtime.context, state["asked"], state["record"]
    full = attached(asked, state["sentences"], record.language, kit.random("layout"))
    given = str(record.facts.get("input") or "")
    turns = (Message("user", f"{full}\n\n{given}" if given else full),)
    dumped: Json = [constraint.dump() for constraint in state["constraints"]]
    facts = {"seed_instruction": asked, "instruction": full, "constraints": dumped}
    facts["constraint_sentences"] = state["sentences"]
    replies = await kit.ask_many(ANSWER, kit.params.answers, instruction=turns[0].content)
    whole = [text for text in replies if not getattr(text, "truncated", False)]
    asking = replace(record, messages=turns).with_facts(**facts, answers=len(replies))
    return {"answers": whole, "record": asking}


async def verify(state: State, runtime: Run) -> State:
    """Hold every answer against the constraints; keep some of those that meet all of them."""
    kit, record, answers = runtime.context, state["record"], state["answers"]
    tell = teller(language_of(state["constraints"], record.language))
    found = [results(text, state["constraints"], record.language, tell) for text in answers]
    passed = [n for n, each in enumerate(found) if passes(each)]
    record = record.with_facts(pass_rate=round(len(passed) / record.facts["answers"], 4))
    if not passed or record.facts["pass_rate"] > kit.params.max_pass_rate:
        reason = "too_easy" if passed else "no_answer_passes"
        return {"out": [Drop(record, reason, failures(found))]}
    chosen = kit.random("keep").sample(passed, min(kit.params.keep, len(passed)))
    kept: list[Outcome] = []
    for n in chosen:
        turns = (*record.messages, Message("assistant", str(answers[n])))
        kept.append(record.child(n, messages=turns, facts={"constraint_results": found[n]}))
    return {"out": kept}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what cannot be asked."""
    return {"out": [Drop(state["record"], state["reason"], " | ".join(state.get("sentences", [])))]}


def after_choose(state: State) -> Literal["word", "give_up"]:
    """Go on where there is something to ask."""
    return "give_up" if state["reason"] else "word"


def after_word(state: State) -> Literal["answer", "word", "give_up"]:
    """Have a wording that leaves something out written once more."""
    if not state["reason"]:
        return "answer"
    return "word" if state["take"] < TAKES else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``choose -> (word)* -> answer -> verify``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (choose, word, answer, verify, give_up):
        g.add_node(node)
    g.add_edge(START, "choose")
    g.add_conditional_edges("choose", after_choose)
    g.add_conditional_edges("word", after_word)
    g.add_edge("answer", "verify")
    g.add_edge("verify", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(WORD, ANSWER))
