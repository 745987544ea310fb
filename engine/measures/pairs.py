"""Two answers compared in both orders: who wins, and what a set of such contests comes to.

A model that judges two answers likes the place as well as the answer. Asked in both orders, an
answer wins where the two verdicts agree; where they contradict each other there is a tie.

Source: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023,
arXiv:2306.05685 (both orders must agree); Li et al., "From Quantity to Quality" (Cherry), 2023,
arXiv:2308.12032 (better in one order and not worse in the other; the winning score).
"""

from __future__ import annotations

from typing import Literal

from engine.measures.losses import Undefined

Shown = Literal["A", "B", "tie"]
"""Which of the two answers, in the order in which the judge saw them."""
Winner = Literal["first", "second", "tie"]
Rule = Literal["both", "not_worse"]


def winner(forth: Shown, back: Shown, rule: Rule = "both") -> Winner:
    """Who wins, judged once with the first answer as A and once (``back``) as B.

    ``both``: an answer must win in both orders; ``not_worse``: in one, and not lose the other.
    """
    points = _points(forth) - _points(back)
    needed = 2 if rule == "both" else 1
    if abs(points) < needed:
        return "tie"
    return "first" if points > 0 else "second"


def by_scores(forth: tuple[float, float], back: tuple[float, float]) -> Winner:
    """Who wins where a judge scores both answers; each pair is (A, B) as the judge saw them."""
    return winner(_better(*forth), _better(*back), "not_worse")


def winning_score(wins: int, ties: int, losses: int) -> float:
    """``(wins - losses) / all + 1``: 1 for equals, 2 for whoever always wins.

    Raises:
        Undefined: nothing was compared.
    """
    if not (total := wins + ties + losses):
        raise Undefined("no pair was compared")
    return (wins - losses) / total + 1


def _points(shown: Shown) -> int:
    return {"A": 1, "B": -1, "tie": 0}[shown]


def _better(a: float, b: float) -> Shown:
    return "A" if a > b else "B" if b > a else "tie"
