"""SelfCodeAlign: programming tasks from real functions, answered by code that passes its tests.

A function is shown to the model, which names the concepts in it; from these it makes a task of a
drawn category and difficulty, without the function before it. The task is answered several
times, each time with tests; every answer runs in the sandbox, and one of those that hold is
kept. So the model teaches itself, and execution decides.

Source: Wei, Cassano, Liu, Ding, Jain, Mueller, de Vries, von Werra, Guha, Zhang, "SelfCodeAlign:
Self-Alignment for Code Generation", 2024, arXiv:2410.24198.
Differs: chat prompts with one example in place of 8 shots; tasks in any language; the concepts'
call also judges docstring and code; what runs must assert something, must not pass with its
bodies taken out and cannot hide a failure (there exit code 0 passes). Python only.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.sandbox.limits import Limits, Program
from engine.sandbox.pool import shared
from engine.sandbox.proof import PROVEN, proof
from engine.text.leftovers import unwrapped
from engine.text.lengths import words
from engine.text.python_code import representation
from engine.text.tested_code import Tested, taken_apart

Category = Literal["function", "class", "program"]
Difficulty = Literal["easy", "medium", "hard"]
CUT = Tested("", "", "", "cut_response")


class Concepts(BaseModel, extra="forbid"):
    """What a function teaches."""

    sound: bool
    """Whether the docstring says what the code does and the code is worth learning from."""
    concepts: list[str] = Field(max_length=12)


CONCEPTS = Prompt("self_code_align/concepts", reply=Concepts)
TASK = Prompt("self_code_align/task", reply=str)
RESPOND = Prompt("self_code_align/respond", reply=str)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    responses: int = Field(default=10, ge=1, le=100)
    """Responses sampled for a task, in one call."""
    categories: tuple[Category, ...] = Field(
        default=("function", "function", "class", "program"), min_length=1
    )
    """Kinds of task, with equal odds; one that is named twice has twice the odds."""
    difficulties: tuple[Difficulty, ...] = Field(default=("easy", "medium", "hard"), min_length=1)
    """Difficulties, in the same way."""
    max_words: int = Field(default=200, ge=10)
    """Words of an instruction, at most, in any script."""
    timeout_s: float = Field(default=10.0, gt=0, le=600)
    """Seconds from start to end of one run."""
    memory_mib: int = Field(default=1024, ge=64, le=65536)
    """MiB of memory of one run, 64 or more."""
    workers: int = Field(default=2, ge=1, le=64)
    """How many programs run at once, for the whole process; about one for each core."""


class State(Flow, total=False):
    """What the nodes pass on."""

    concepts: list[str]
    category: Category
    difficulty: Difficulty
    instruction: str
    usable: list[Tested]
    passed: list[Tested]
    faults: Counter[str]
    """How often each thing was wrong with a response, by slug."""
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def extract(state: State, runtime: Run) -> State:
    """Name the concepts in the function, unless it is not worth it."""
    snippet = str(state["record"].facts.get("snippet") or "").strip()
    if not snippet:
        return {"reason": "no_snippet"}
    reply = await runtime.context.ask(CONCEPTS, snippet=snippet)
    found = list(dict.fromkeys(name.strip() for name in reply.concepts if name.strip()))
    reason = "unsound_snippet" if not reply.sound else "" if found else "no_concepts"
    return {"concepts": found, "reason": reason}


async def devise(state: State, runtime: Run) -> State:
    """Make a task of these concepts, of a drawn category and difficulty."""
    kit, rng = runtime.context, runtime.context.random("task")
    category, difficulty = rng.choice(kit.params.categories), rng.choice(kit.params.difficulties)
    reply = await kit.ask(
        TASK, concepts=state["concepts"], category=category, difficulty=difficulty
    )
    task = unwrapped(reply)
    cut = "cut_instruction" if getattr(reply, "truncated", False) else ""
    long = "instruction_too_long" if words(task) > kit.params.max_words else ""
    reason = cut or long or ("" if task else "no_instruction")
    return {"instruction": task, "category": category, "difficulty": difficulty, "reason": reason}


async def respond(state: State, runtime: Run) -> State:
    """Answer the task several times, with tests, and take each answer apart."""
    kit = runtime.context
    replies = await kit.ask_many(RESPOND, kit.params.responses, instruction=state["instruction"])
    found = [CUT if getattr(text, "truncated", False) else taken_apart(text) for text in replies]
    faults = Counter(each.fault for each in found if each.fault)
    return {"usable": [each for each in found if not each.fault], "faults": faults}


async def execute(state: State, runtime: Run) -> State:
    """Run every answer with its tests; the same program once."""
    usable, ask = state["usable"], runtime.context.params
    limits = Limits(ask.timeout_s, memory_mib=ask.memory_mib)
    programs = list(dict.fromkeys((each.code, each.tests) for each in usable))
    box = shared(ask.workers)
    ran = await asyncio.gather(*(proof(box, Program(*each), limits) for each in programs))
    ends = dict(zip(programs, ran, strict=True))
    passed = [each for each in usable if ends[each.code, each.tests] == PROVEN]
    failed = Counter(ends[each.code, each.tests] for each in usable if each not in passed)
    return {"passed": passed, "faults": state["faults"] + failed}


async def pick(state: State, runtime: Run) -> State:
    """Keep one of the answers that hold."""
    kit, passed = runtime.context, state["passed"]
    best = kit.random("pick").choice(passed)
    share = round(len(passed) / (len(passed) + state["faults"].total()), 4)
    facts: dict[str, Json] = {"concepts": state["concepts"], "instruction": state["instruction"]}
    facts |= {"category": state["category"], "difficulty": state["difficulty"]}
    facts |= {"tests": best.tests, "code": representation(best.code), "pass_rate": share}
    turns = (Message("user", state["instruction"]), Message("assistant", best.response))
    return {"out": [state["record"].child(0, messages=turns, facts=facts)]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what came to nothing, with what was wrong."""
    wrong: Sequence[tuple[str, int]] = state.get("faults", Counter()).most_common()
    detail = ", ".join(f"{fault} {times}x" for fault, times in wrong)
    reason = state.get("reason") or "no_response_holds"
    return {"out": [Drop(state["record"], reason, detail or state.get("instruction", ""))]}


def unless_over(state: State) -> Literal["on", "give_up"]:
    """Go on where there is something to go on with."""
    return "give_up" if state["reason"] else "on"


def after_execute(state: State) -> Literal["pick", "give_up"]:
    """Keep one where one holds."""
    return "pick" if state["passed"] else "give_up"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``extract -> devise -> respond -> execute -> pick``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (extract, devise, respond, execute, pick, give_up):
        g.add_node(node)
    g.add_edge(START, "extract")
    g.add_conditional_edges("extract", unless_over, {"on": "devise", "give_up": "give_up"})
    g.add_conditional_edges("devise", unless_over, {"on": "respond", "give_up": "give_up"})
    g.add_edge("respond", "execute")
    g.add_conditional_edges("execute", after_execute)
    g.add_edge("pick", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(CONCEPTS, TASK, RESPOND))
