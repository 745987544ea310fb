"""AutoIF, third part: answers that the checkers of their constraint pass, as rows or as pairs.

A query with a constraint (from ``auto_if``) is answered several times in one call; the share of
the constraint's functions that an answer passes is its pass rate. The best are judged, one after
the other, for whether they answer the query at all, until enough are good. ``answers`` gives a row
for each; ``pairs`` gives preference pairs with answers that no function passes as the losers.

Source: Dong et al., "Self-play with Execution Feedback: Improving Instruction-following
Capabilities of Large Language Models" (AutoIF), 2024, arXiv:2406.13542, sections 3.2 and 3.3.
Differs: the winner of a pair is judged as well; the judge is asked for the best first and no more
than needed; a cut answer neither wins nor loses.
"""

from __future__ import annotations

from itertools import product
from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Message, Outcome
from engine.kit import Flow, Generator, Kit
from engine.prompting import Prompt
from engine.sandbox.checkers import shares, verdicts
from engine.sandbox.limits import Limits
from engine.sandbox.pool import shared

POSITIVE = 0.5
"""Pass rate (0..1) of a pair's winner, at least; the loser's is 0."""
Rated = tuple[str, float]


class Grade(BaseModel, extra="forbid"):
    """How well an answer serves its query."""

    reason: str
    score: int = Field(ge=0, le=10)


ANSWER = Prompt("auto_if_responses/answer", reply=str)
JUDGE = Prompt("auto_if_responses/judge", reply=Grade)


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    make: Literal["answers", "pairs"] = "answers"
    """``answers``: a row for each good answer; ``pairs``: with the fact ``rejected``."""
    answers: int = Field(default=8, ge=1, le=100)
    """Answers sampled for a query, in one call."""
    keep: int = Field(default=1, ge=1, le=100)
    """Good answers to a query, at most; in pairs, winners."""
    losers: int = Field(default=1, ge=1, le=100)
    """Losers that each winner is paired with, at most; drawn."""
    above: float = Field(default=8.0, ge=0, lt=10)
    """The judge's mean score (0..10) has to be above this."""
    judgements: int = Field(default=1, ge=1, le=16)
    """Judgements of an answer that the mean is of, in one call."""
    timeout_s: float = Field(default=3.0, gt=0, le=600)
    """Seconds for one function and all the answers."""
    workers: int = Field(default=2, ge=1, le=64)
    """How many functions run at once, for the whole process; about one for each core."""


class State(Flow, total=False):
    """What the nodes pass on."""

    checkers: list[str]
    texts: list[str]
    left: list[Rated]
    """Answers that are still to be judged, the best first."""
    losers: list[str]
    good: list[tuple[Rated, float]]
    """With the mean score of each."""
    reason: str
    """Why it ends without a record, as a slug; empty while it goes on."""


Run = Runtime[Kit[Params]]


async def respond(state: State, runtime: Run) -> State:
    """Answer the query several times; the same answer counts once."""
    kit, record = runtime.context, state["record"]
    asked, checkers = record.last("user").strip(), record.facts.get("checkers") or []
    if not asked or not checkers:
        return {"reason": "no_checkers" if asked else "no_instruction"}
    replies = await kit.ask_many(ANSWER, kit.params.answers, instruction=asked)
    whole = [str(text) for text in replies if text and not getattr(text, "truncated", False)]
    reason = "" if whole else "no_whole_answer"
    return {"checkers": checkers, "texts": list(dict.fromkeys(whole)), "reason": reason}


async def execute(state: State, runtime: Run) -> State:
    """Let the functions say which answers obey; put the best first."""
    kit, texts, ask = runtime.context, state["texts"], runtime.context.params
    mark, limits = f"{kit.random('mark').getrandbits(64):016x}", Limits(ask.timeout_s)
    said = await verdicts(shared(ask.workers), state["checkers"], texts, limits, mark)
    rates = dict(zip(texts, shares(said, len(texts)), strict=True))
    pairs = ask.make == "pairs"
    least = POSITIVE if pairs else 1e-9
    best = sorted(texts, key=lambda text: -rates[text])
    left = [(text, rates[text]) for text in best if rates[text] >= least]
    losers = [text for text in texts if rates[text] == 0]
    reason = "no_answer_fails" if pairs and not losers else ""
    return {"left": left, "losers": losers, "good": [], "reason": reason if left else "none_obeys"}


async def judge(state: State, runtime: Run) -> State:
    """Grade the next best answer on what it does for the query."""
    kit, ((text, rate), *left) = runtime.context, state["left"]
    grades = await kit.ask_many(
        JUDGE,
        kit.params.judgements,
        instruction=state["record"].last("user"),
        response=text,
        fence=f"{kit.random('fence').getrandbits(48):012x}",
    )
    mean = round(sum(grade.score for grade in grades) / len(grades), 4)
    good = [((text, rate), mean)] if mean > kit.params.above else []
    return {"left": left, "good": [*state["good"], *good]}


async def finish(state: State, runtime: Run) -> State:
    """A record for each good answer, or for each pair."""
    kit, record, out = runtime.context, state["record"], list[Outcome]()
    losers: list[str | None] = [None]
    if kit.params.make == "pairs":
        losers = [*kit.random("losers").sample(state["losers"], len(state["losers"]))]
        losers = losers[: kit.params.losers]
    for at, (((text, rate), mean), loser) in enumerate(product(state["good"], losers)):
        turns = (*record.messages, Message("assistant", text))
        facts: dict[str, Json] = {"pass_rate": rate, "score": mean}
        facts |= {} if loser is None else {"rejected": loser}
        out.append(record.child(at, messages=turns, facts=facts))
    return {"out": out or [Drop(record, "low_score", f"none above {kit.params.above}")]}


async def give_up(state: State, runtime: Run) -> State:
    """Drop what has no answer to keep."""
    return {"out": [Drop(state["record"], state["reason"])]}


def unless_over(state: State) -> Literal["on", "give_up"]:
    """Go on where there is something to go on with."""
    return "give_up" if state["reason"] else "on"


def after_judge(state: State, runtime: Run) -> Literal["judge", "finish"]:
    """Judge on while answers are left and too few are good."""
    enough = len(state["good"]) >= runtime.context.params.keep
    return "finish" if enough or not state["left"] else "judge"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``respond -> execute -> (judge)* -> finish``, or ``give_up`` on the way."""
    g = StateGraph(State, context_schema=Kit)
    for node in (respond, execute, judge, finish, give_up):
        g.add_node(node)
    g.add_edge(START, "respond")
    g.add_conditional_edges("respond", unless_over, {"on": "execute", "give_up": "give_up"})
    g.add_conditional_edges("execute", unless_over, {"on": "judge", "give_up": "give_up"})
    g.add_conditional_edges("judge", after_judge)
    g.add_edge("finish", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(ANSWER, JUDGE))
