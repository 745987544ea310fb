"""Pairwise judge: a model compares two answers in both orders, and the better one is chosen.

The two are the record's response and ``facts["rejected"]``, or the two texts of
``facts["answers"]`` for a record that ends with its instruction. Judges like a place as well as an
answer, so each is shown first once: an answer wins where both verdicts name it, and verdicts that
contradict each other are a tie. The winner becomes the response, the loser ``facts["rejected"]``;
``facts["pairwise"]`` keeps the winner (``first``, ``second``), both verdicts as shown, the lengths
in words, and the rule, for figures on position and length (``engine.measures.bias``). A tie is
dropped, unless ``ties: keep`` leaves the record in the order it had.

A verdict is an object with the reason before the choice; one of another shape is asked for again
and then an error. ``anchors`` try the judge: one that prefers a bad answer leaves ``error``.

Source: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023,
arXiv:2306.05685 (both orders); Li et al., "From Quantity to Quality", 2023, arXiv:2308.12032 (the
rule ``not_worse``).
Differs: JSON in place of ``[[A]]``, which the published parser finds even where both are quoted;
the language of the answers is part of the question.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field

from engine.core import Drop, Finding, Json, Message, Outcome, Record
from engine.judging import Anchor, Exchange, exchange, fence, mistaken
from engine.kit import Kit, Verifier
from engine.measures.pairs import Rule, Shown, Winner, winner
from engine.prompting import Prompt
from engine.text.lengths import words


class Verdict(BaseModel, extra="forbid"):
    """What the judge says of two answers in one order."""

    reason: str = Field(min_length=1)
    better: Shown


COMPARE = Prompt("pairwise_judge/compare", reply=Verdict)


class Params(BaseModel, extra="forbid"):
    """What it takes to win, and what becomes of a tie."""

    rule: Rule = "both"
    """``both``: better in both orders; ``not_worse``: better in one and not worse in the other."""
    ties: Literal["drop", "keep"] = "drop"
    """``keep``: a tie passes as it is."""
    anchors: tuple[Anchor, ...] = Field(default=(), max_length=20)
    """Pairs that the judge must get right, in both orders; asked once a job."""


async def check(record: Record, kit: Kit[Params]) -> Outcome | Finding:
    """Choose the better of two answers."""
    first, second = _answers(record)
    asked, other = exchange(record, first), exchange(record, second)
    if asked is None or other is None:
        return Drop(record, "nothing_to_compare", "an instruction and two answers are needed")
    if first.strip() == second.strip():
        return Drop(record, "tie", "the two answers are the same")
    if why := await mistaken(kit, kit.params.anchors, _prefers):
        return Finding(record, "error", why, "anchors_failed")
    forth, back = await _both(kit, asked, second)
    won = winner(forth.better, back.better, kit.params.rule)
    noted: dict[str, Json] = {
        "winner": won,
        "orders": [forth.better, back.better],
        "words": [words(first), words(second)],
        "rule": kit.params.rule,
    }
    chosen = _chosen(record.with_facts(pairwise=noted), won, first, second)
    if won == "tie" and kit.params.ties == "drop":
        return Drop(chosen, "tie", f"{forth.better} and {back.better}: {forth.reason}"[:500])
    return chosen


async def _prefers(kit: Kit[Params], anchor: Anchor) -> bool:
    asked = exchange(anchor.record(anchor.good))
    if asked is None:
        return False
    forth, back = await _both(kit, asked, anchor.bad)
    return winner(forth.better, back.better, kit.params.rule) == "first"


async def _both(kit: Kit[Params], asked: Exchange, other: str) -> tuple[Verdict, Verdict]:
    """The verdicts with the first answer as A, and with it as B."""
    mark = fence(kit)

    async def compared(take: int, a: str, b: str) -> Verdict:
        return await kit.ask(
            COMPARE,
            take=take,
            history=asked.history,
            instruction=asked.instruction,
            response_a=a,
            response_b=b,
            fence=mark,
        )

    return await asyncio.gather(
        compared(0, asked.response, other), compared(1, other, asked.response)
    )


def _answers(record: Record) -> tuple[str, str]:
    """The two answers; an empty text for what is missing."""
    texts = record.facts.get("answers")
    if isinstance(texts, list) and len(texts) == 2 and all(isinstance(t, str) for t in texts):
        return texts[0], texts[1]
    rejected = record.facts.get("rejected")
    return record.last("assistant"), rejected if isinstance(rejected, str) else ""


def _chosen(record: Record, won: Winner, first: str, second: str) -> Record:
    """The record with the winner as its response; of a tie, the first stays."""
    best, worst = (second, first) if won == "second" else (first, second)
    facts = {name: fact for name, fact in record.facts.items() if name != "answers"}
    ends = record.messages[-1].role == "assistant"
    before = record.messages[:-1] if ends else record.messages
    turns = (*before, Message("assistant", best))
    return replace(record, messages=turns, facts={**facts, "rejected": worst})


VERIFIER = Verifier(check, Params, prompts=(COMPARE,))
