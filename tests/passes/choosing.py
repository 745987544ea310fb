"""Records with vectors and scores, and what a pass that chooses said of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine.core import Drop, Outcome, Record
from engine.text.embedding import embedding_fact
from tests.conftest import seed
from tests.selection.points import points


def row(
    id_: str, vector: Sequence[float] | np.ndarray, language: str = "de", **facts: Any
) -> Record:
    made = np.asarray(vector, np.float32)
    facts["embedding"] = embedding_fact(made / np.linalg.norm(made), "toy", "instruction")
    return replace(seed(f"Frage {id_} 句子", language, **facts), id=id_)


def rows(count: int, prefix: str = "r", start: int = 0, copies: bool = True) -> list[Record]:
    """Records of four tasks and three languages; every fifth a copy of another, in all it has."""
    made = []
    vectors = points(start + count, 8, seed=5)
    for n in range(start, start + count):
        at = n - 1 if copies and n % 5 == 4 else n
        facts = {
            "scores": {"mean": at * 7 % 11 / 2},
            "difficulty": at * 3 % 5,
            "task": "abcd"[at % 7 % 4],
        }
        made.append(row(f"{prefix}{n:04}", vectors[at], ("de", "de", "zh", "sw")[at % 4], **facts))
    return made


def kept(outcomes: Iterable[Outcome]) -> list[Record]:
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


def ids(outcomes: Iterable[Outcome]) -> list[str]:
    return [record.id for record in kept(outcomes)]


def drops(outcomes: Iterable[Outcome]) -> dict[str, Drop]:
    return {outcome.record.id: outcome for outcome in outcomes if isinstance(outcome, Drop)}


def reasons(outcomes: Iterable[Outcome]) -> dict[str, str]:
    return {id_: drop.reason for id_, drop in drops(outcomes).items()}


def said(outcome: Outcome) -> dict[str, Any]:
    """What the pass noted on it."""
    record = outcome.record if isinstance(outcome, Drop) else outcome
    return record.facts["selection"]["pass"]


def ranked(outcomes: Iterable[Outcome]) -> list[str]:
    """Ids of what was kept, in the order it was taken."""
    return [record.id for record in by_rank(kept(outcomes))]


def by_rank(outcomes: Iterable[Any]) -> list[Any]:
    """From the first that was taken, or would have been, to the last."""
    return sorted(outcomes, key=lambda each: said(each)["rank"])
