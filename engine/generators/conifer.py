"""Conifer, second part: one question at five levels, from easy to hard.

To a question (best of ``conifer_questions``) the model lists constraints by category. Each of five
levels is given two or three of them, of categories of its own, and the model writes the question
so that each level keeps what the easier ones ask. Some levels also get a few conditions that a
program can check. A level that cannot be answered, or that
contradicts itself, is left out. ``conifer_answers`` answers what is left.

Source: Sun et al., "Conifer: Improving Complex Constrained Instruction-Following Ability of Large
Language Models", 2024, arXiv:2404.02823.
Differs: which constraints a level adds is drawn, not left to the model; the conditions of form
and number are IFEval's with their parameters, in the language's own wording; levels that are the
same, or do not grow, are written once more, then dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.constraints.adding import offer, picked, wordings
from engine.constraints.drawing import attached
from engine.constraints.kinds import Ground
from engine.constraints.stock import stock_for
from engine.core import Drop, Json, Message, Outcome, Record, ReplyError
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.text.levels import by_category, levels_fault, spread

LEVELS, CATEGORIES, TAKES, ANSWERS = 5, 7, 2, ("yes", "no")


class Category(BaseModel, extra="forbid"):
    """A kind of constraint on an answer, and some of that kind."""

    name: str
    values: list[str]


class Constraints(BaseModel, extra="forbid"):
    """What can be asked of an answer to the question; nothing where it should not be answered."""

    categories: list[Category]


class Levels(BaseModel, extra="forbid"):
    """The question at each level, from easy to hard."""

    instructions: list[str] = Field(min_length=LEVELS, max_length=LEVELS)


class Pick(BaseModel, extra="forbid"):
    """An offered condition, in words."""

    number: int
    sentence: str


class Picks(BaseModel, extra="forbid"):
    """The conditions that suit the instruction."""

    picks: list[Pick] = Field(min_length=1, max_length=3)


CONSTRAINTS = Prompt("conifer/constraints", reply=Constraints)
GRADE = Prompt("conifer/levels", reply=Levels)
CONDITIONS = Prompt("conifer/conditions", reply=Picks)
SOUND = Prompt("conifer/sound", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    shape: Literal["levels", "conversation"] = "levels"
    """``levels``: a record for each; ``conversation``: one, in which each level is a turn."""
    conditions: float = Field(default=0.2, ge=0, le=1)
    """Share (0..1) of levels that get one to three conditions that a program checks."""


class State(Flow, total=False):
    """What the nodes pass on."""

    categories: dict[str, list[str]]
    levels: list[Record]  # those that have stood so far, from easy to hard
    drops: list[Drop]
    take: int
    reason: str
    """Why it ends without a level, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def constrain(state: State, runtime: Run) -> State:
    """List constraints by category; a question that should not be answered has none."""
    question = state["record"].last("user").strip()
    if not question:
        return {"reason": "no_question"}
    reply = await runtime.context.ask(CONSTRAINTS, question=question, count=CATEGORIES)
    listed = by_category((each.name, each.values) for each in reply.categories)
    reason = "" if len(listed) >= LEVELS else "too_few_constraints"
    return {"categories": listed, "take": 0, "drops": [], "reason": reason}


async def grade(state: State, runtime: Run) -> State:
    """Write the question at five levels that build on each other."""
    kit, record, take = runtime.context, state["record"], state["take"]
    added, question = spread(state["categories"], LEVELS, kit.random("levels")), record.last("user")
    reply = await kit.ask(GRADE, take=take, question=question, added=added)
    levels: list[Record] = []
    for n, (text, values) in enumerate(zip(reply.instructions, added, strict=True), start=1):
        facts: dict[str, Json] = {"question": question, "level": n, "added": values}
        levels.append(record.child(n, messages=(Message("user", text.strip()),), facts=facts))
    wrong = levels_fault(question, reply.instructions)
    return {"levels": levels, "take": take + 1, "reason": wrong}


async def vary(state: State, runtime: Run) -> State:
    """Put conditions that a program checks below some of the levels."""
    kit, tag = runtime.context, state["record"].language

    async def varied(level: Record) -> Outcome:
        rng, text = kit.random("conditions", level.facts["level"]), level.last("user")
        ground = Ground(tag, text, stock_for(tag), rng)
        offered = offer(ground) if rng.random() < kit.params.conditions else []
        if not offered:
            return level
        listed, take = wordings(offered, ground), level.facts["level"]
        reply = await kit.ask(CONDITIONS, take=take, instruction=text, conditions=listed)
        numbers, said = [p.number for p in reply.picks], [p.sentence.strip() for p in reply.picks]
        found = picked(offered, numbers, said, tag)
        if not found:
            return Drop(level, "unworded_condition", " | ".join(said))
        level = level.with_facts(constraints=[each.dump() for each in found])
        return replace(level, messages=(Message("user", attached(text, said, tag, rng)),))

    return await _each(state, varied)


async def check(state: State, runtime: Run) -> State:
    """Leave out what cannot be answered or contradicts itself."""

    async def checked(level: Record) -> Outcome:
        take, text = level.facts["level"], level.last("user")
        said = await runtime.context.choose(SOUND, ANSWERS, take=take, instruction=text)
        return level if said == "yes" else Drop(level, "conflict")

    return await _each(state, checked)


async def finish(state: State, runtime: Run) -> State:
    """A record for each level; or the hardest, with the easier ones as a fact."""
    levels, drops = state["levels"], state["drops"]
    if runtime.context.params.shape == "conversation" and levels:
        levels = [levels[-1].with_facts(easier=[each.last("user") for each in levels[:-1]])]
    none = [] if levels else [Drop(state["record"], "no_level_stands")]
    return {"out": [*levels, *drops, *none]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop a question that cannot be graded."""
    return {"out": [Drop(state["record"], state["reason"])]}


def after_constrain(state: State) -> Literal["grade", "give_up"]:
    """Go on where there are constraints for every level."""
    return "give_up" if state["reason"] else "grade"


def after_grade(state: State) -> Literal["vary", "grade", "give_up"]:
    """Have levels that do not build on each other written once more."""
    if state["reason"]:
        return "grade" if state["take"] < TAKES else "give_up"
    return "vary"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``constrain -> (grade)* -> vary -> check -> finish``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (constrain, grade, vary, check, finish, give_up):
        g.add_node(node)
    for ahead in ((START, "constrain"), ("vary", "check"), ("check", "finish"), ("finish", END)):
        g.add_edge(*ahead)
    g.add_conditional_edges("constrain", after_constrain)
    g.add_conditional_edges("grade", after_grade)
    g.add_edge("give_up", END)
    return g


async def _each(state: State, work: Callable[[Record], Awaitable[Outcome]]) -> State:
    """Every level by itself, side by side: one that fails does not take the others along."""

    async def alone(level: Record) -> Outcome:
        try:
            return await work(level)
        except ReplyError as error:
            return Drop(level, "bad_reply", str(error))

    found = await asyncio.gather(*map(alone, state["levels"]))
    fallen = [each for each in found if isinstance(each, Drop)]
    return {"levels": [e for e in found if isinstance(e, Record)], "drops": state["drops"] + fallen}


GENERATOR = Generator(graph, Params, prompts=(CONSTRAINTS, GRADE, CONDITIONS, SOUND))
