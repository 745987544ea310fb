"""Cross-lingual feedback: answers in another language than the question's, ranked and paired.

A judge that reads both languages is shown the question, the request for the language of the answer
and all answers (the fact ``responses``), in an order that is drawn for every record, and puts them
in a strict order. The better of a pair becomes the response, the other one ``rejected``. Both are
in one language, for the step ``cross_lingual_answers`` before this one has seen to that; so a pair
says which answer is better, and not which language is wanted.

Source: Lai, Mesgar, Fraser, "LLMs Beyond English: Scaling the Multilingual Capability of LLMs with
Cross-Lingual Feedback", 2024, arXiv:2406.01771 (pairs of 30 languages, for DPO).
Differs: any judge (there ChatGPT); a ranking is a strict order by its type, asked for again and
then dropped (``bad_reply``) where it is none; which pairs are made of it is the job's to say.
"""

from __future__ import annotations

from typing import Literal

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from engine.core import Drop, Json, Message, Outcome
from engine.judging import fence
from engine.kit import Flow, Generator, Kit
from engine.languages.names import english_name
from engine.prompting import Prompt
from engine.text import rankings
from engine.text.questions import unanswered
from engine.text.rankings import Ranking

RANK = {
    count: Prompt("cross_lingual_feedback/rank", reply=rankings.ranking_of(count))
    for count in range(2, rankings.MOST + 1)
}


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    pairs: rankings.Which = "best_worst"
    """``best_worst``: one pair a question; ``adjacent``: each answer with the next lower one;
    ``all``: each with every lower one, for 4 answers 6 pairs."""


class State(Flow, total=False):
    """What the nodes pass on."""

    question: str
    """With the request for the language of the answer."""
    answers: list[str]
    shown: list[int]
    """Which answer is shown as A, as B and so on."""
    fault: str
    """Why there is nothing to rank, as a slug; empty where there is."""
    ranking: Ranking


Run = Runtime[Kit[Params]]


async def open_answers(state: State, runtime: Run) -> State:
    """Draw the order in which the answers are shown."""
    kit, record = runtime.context, state["record"]
    asked, fault = unanswered(record)
    answers = rankings.rankable(record.facts.get("responses"))
    shown = rankings.shuffled(len(answers), kit.random("shown"))
    fault = fault or ("" if answers else "no_responses")
    return {"question": asked, "answers": answers, "shown": shown, "fault": fault}


async def rank(state: State, runtime: Run) -> State:
    """Have the answers put in a strict order."""
    kit, record, shown = runtime.context, state["record"], state["shown"]
    labels = rankings.letters(len(shown))
    answers = [state["answers"][place] for place in shown]
    ranking = await kit.ask(
        RANK[len(shown)],
        origin=english_name(str(record.facts.get("instruction_language") or record.language)),
        question=state["question"],
        answers=[list(each) for each in zip(labels, answers, strict=True)],
        labels=list(labels),
        fence=fence(kit),
    )
    return {"ranking": ranking}


async def pair(state: State, runtime: Run) -> State:
    """Set the answers against each other, and say who wrote which."""
    record, answers = state["record"], state["answers"]
    order = rankings.ordered(state["ranking"].ranking, state["shown"])
    facts: dict[str, Json] = {"ranks": rankings.ranks(order), "shown": state["shown"]}
    facts |= {"reasons": state["ranking"].reasons}
    writers: Json = record.facts.get("written_by")
    if not isinstance(writers, list) or len(writers) != len(answers):
        writers = [None] * len(answers)
    out: list[Outcome] = []
    for at, (best, worst) in enumerate(rankings.pairs(order, runtime.context.params.pairs)):
        mine = {"pair": [best, worst], "rejected": answers[worst]}
        mine |= {"chosen_by": writers[best], "rejected_by": writers[worst]}
        turns = (*record.messages, Message("assistant", answers[best]))
        out.append(record.child(at, messages=turns, facts=facts | mine))
    return {"out": out}


async def give_up(state: State) -> State:
    """Drop a record that has nothing to rank."""
    return {"out": [Drop(state["record"], state["fault"])]}


def after_open(state: State) -> Literal["rank", "give_up"]:
    """Ask where there is something to rank."""
    return "give_up" if state["fault"] else "rank"


def graph() -> StateGraph[State, Kit[Params], State, State]:
    """``open_answers -> rank -> pair``, or ``give_up``."""
    g = StateGraph(State, context_schema=Kit)
    g.add_node(open_answers).add_node(rank).add_node(pair).add_node(give_up)
    g.add_edge(START, "open_answers")
    g.add_conditional_edges("open_answers", after_open)
    g.add_edge("rank", "pair")
    g.add_edge("pair", END)
    g.add_edge("give_up", END)
    return g


GENERATOR = Generator(graph, Params, prompts=(RANK[rankings.MOST],))
