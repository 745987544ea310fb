"""InfinityInstruct-Subject, step 3: an instruction becomes a conversation of two to four rounds.

The number of rounds is drawn. The model answers, then plays the person who asked and goes on in
one of several ways that is drawn too (ask why, change a condition, doubt, apply, ...), answers
that, and so on. A turn that is cut, empty or an apology, or a question that was asked before, is
left out and ends the conversation; with fewer than two whole rounds it is dropped.

Source: Du et al., "Scaling Towards the Information Boundary of Instruction Set:
InfinityInstruct-Subject Technical Report", 2025, arXiv:2507.06968.
Differs: how a person goes on is drawn from a list, since models left to themselves ask for "more
details" each time; a conversation that ends early counts with the rounds it has.
"""

from __future__ import annotations

from typing import Literal, Self

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field, model_validator

from engine.core import Drop, Message, Record
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.elimination import answer_fault, rewrite_fault
from engine.text.leftovers import unwrapped

LEAST, MOST = 2, 4
"""Rounds of a conversation."""
MOVES = ("why", "change", "doubt", "apply", "example", "narrow", "next", "shape")
"""Ways in which a person goes on."""

ANSWER = Prompt("subject_dialogue/answer", reply=str)
GO_ON = Prompt("subject_dialogue/go_on", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    min_rounds: int = Field(default=LEAST, ge=LEAST, le=MOST)
    """Rounds (a question and its answer) that are drawn at least, 2..4."""
    max_rounds: int = Field(default=MOST, ge=LEAST, le=MOST)
    """Rounds that are drawn at most, 2..4; each takes two calls, the first one."""
    apology_below: int = Field(default=80, ge=0)
    """An answer with an apology and fewer words than this ends the conversation; 0: none does."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_rounds > self.max_rounds:
            raise ValueError("min_rounds is above max_rounds")
        return self


class State(Flow, total=False):
    """What the nodes pass on."""

    wanted: int
    """Rounds that were drawn."""
    turns: list[Message]
    """The conversation; a user's turn waits for its answer at the end."""
    moves: list[str]
    fault: str
    """Why the conversation ends early, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def begin(state: State, runtime: Run) -> State:
    """Draw the rounds; the instruction is the first turn."""
    ask, instruction = runtime.context.params, state["record"].last("user").strip()
    wanted = runtime.context.random("rounds").randint(ask.min_rounds, ask.max_rounds)
    turns, fault = [Message("user", instruction)], "" if instruction else "no_instruction"
    return {"wanted": wanted, "turns": turns, "moves": [], "fault": fault}


async def answer(state: State, runtime: Run) -> State:
    """Answer the last question, after all that was said."""
    kit, turns = runtime.context, state["turns"]
    reply = await kit.ask(ANSWER, take=len(turns), turns=turns)
    tag, below = state["record"].language, kit.params.apology_below
    fault = answer_fault(reply, turns[-1].content, tag, below)
    if fault or getattr(reply, "truncated", False):
        return {"fault": fault or "cut_answer"}
    return {"turns": [*turns, Message("assistant", str(reply))]}


async def go_on(state: State, runtime: Run) -> State:
    """Play the person: react to the answer in a way that is drawn."""
    kit, turns, moves = runtime.context, state["turns"], state["moves"]
    left = [move for move in MOVES if move not in moves]
    move = kit.random("move", len(turns)).choice(left)
    reply = await kit.ask(GO_ON, take=len(turns), turns=turns, move=move)
    text = "" if getattr(reply, "truncated", False) else unwrapped(reply)
    known = [turn.content for turn in turns]
    if fault := rewrite_fault(text, known, state["record"].language):
        return {"fault": "lost_thread" if fault == "copied_parent" else fault}
    return {"turns": [*turns, Message("user", text)], "moves": [*moves, move]}


async def finish(state: State, runtime: Run) -> State:
    """The conversation, where it has rounds enough; a question without an answer is left off."""
    record, turns = state["record"], state["turns"]
    whole = tuple(turns[: len(turns) // 2 * 2])
    facts = {"rounds": len(whole) // 2, "moves": state["moves"], "ended_by": state["fault"]}
    child: Record = record.child(0, messages=whole or record.messages, facts=facts)
    few = len(whole) // 2 < LEAST
    reason = "no_instruction" if state["fault"] == "no_instruction" else "too_few_rounds"
    return {"out": [Drop(child, reason, state["fault"]) if few else child]}


def after_begin(state: State) -> Literal["answer", "finish"]:
    """Answer what asks something."""
    return "finish" if state["fault"] else "answer"


def after_answer(state: State) -> Literal["go_on", "finish"]:
    """Go on until the rounds are full."""
    full = len(state["turns"]) // 2 >= state["wanted"]
    return "finish" if full or state["fault"] else "go_on"


def after_go_on(state: State) -> Literal["answer", "finish"]:
    """Answer what was asked."""
    return "finish" if state["fault"] else "answer"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``begin -> answer (-> go_on -> answer)* -> finish``."""
    g = StateGraph(State, context_schema=Kit)
    for node in (begin, answer, go_on, finish):
        g.add_node(node)
    g.add_edge(START, "begin")
    g.add_conditional_edges("begin", after_begin)
    g.add_conditional_edges("answer", after_answer)
    g.add_conditional_edges("go_on", after_go_on)
    g.add_edge("finish", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(ANSWER, GO_ON))
