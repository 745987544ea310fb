"""Keep the instructions that are worth evolving: rich, rare or hard to follow.

Three marks: ``rich``, the instruction has ``many`` tags or more; ``rare``, one of its tags is on
``tail`` records at most (of this round and of what earlier rounds kept); ``hard``, its difficulty
is among the highest ``hard_share`` of those below ``misled_from``, from which on the instruction
does not even fit its answer. A record with ``at_least`` of the marks is kept, the others drop
(``not_informative``). A record without a number under ``score`` has no mark for it. The fact
``informative`` holds the marks and the figures behind them.

Source: Du et al., "Scaling Towards the Information Boundary of Instruction Set:
InfinityInstruct-Subject Technical Report", 2025, arXiv:2507.06968 (the three criteria); Li et
al., "Superfiltering: Weak-to-Strong Data Filtering for Fast Instruction-Tuning", 2024,
arXiv:2402.00530 (difficulty by a small model, highest share below 1).
Differs: the paper gives neither thresholds nor how the criteria combine; all are settings. A tag
on one record is rare in a small set for no reason: mind ``tail``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import value_at
from engine.spool import Spool


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    tags: str = "label.tags"
    """The fact with a record's list of tags, dots between levels."""
    score: str = "scores_ifd.ifd_perplexities"
    """The fact with a record's difficulty, dots between levels; higher is harder."""
    many: int = Field(default=4, ge=1)
    """Tags from which on an instruction is rich."""
    tail: int = Field(default=1, ge=0)
    """Records that a rare tag is on, at most; 0: no tag is rare."""
    hard_share: float = Field(default=0.3, ge=0, le=1)
    """Share (0..1) of scored records that are hard; 0: none is."""
    misled_from: float = 1.0
    """The score from which on a record is not hard but broken; 1 for IFD."""
    at_least: int = Field(default=2, ge=0, le=3)
    """Marks that a record needs to be kept, 0..3."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep what has marks enough, in order; see the module."""
    ask, counts, scores = desk.params, Counter[str](), list[float]()
    for record in kept:
        counts.update(_tags(record, ask))
    with Spool[Record]() as spool:
        for record in fresh:
            counts.update(_tags(record, ask))
            scores += [score] if (score := _score(record, ask)) is not None else []
            spool.put(record)
        edge = _edge(scores, ask)
        for record in spool:
            yield _marked(record, counts, edge, ask)


def _marked(record: Record, counts: Counter[str], edge: float, ask: Params) -> Outcome:
    tags, score = _tags(record, ask), _score(record, ask)
    rarest = min((counts[tag] for tag in tags), default=0)
    hard = score is not None and edge <= score < ask.misled_from
    holds = {"rich": len(tags) >= ask.many, "rare": 0 < rarest <= ask.tail, "hard": hard}
    marks = [mark for mark, there in holds.items() if there]
    found = {"marks": marks, "tags": len(tags), "rarest": rarest, "score": score}
    record = record.with_facts(informative=found)
    if len(marks) >= ask.at_least:
        return record
    return Drop(record, "not_informative", f"{', '.join(marks) or 'no mark'}; {len(tags)} tags")


def _edge(scores: list[float], ask: Params) -> float:
    """The lowest score that is hard; above all others where none is to be."""
    sound = sorted((score for score in scores if score < ask.misled_from), reverse=True)
    count = math.floor(ask.hard_share * len(sound) + 1e-9)
    return sound[count - 1] if count else math.inf


def _tags(record: Record, ask: Params) -> set[str]:
    found = value_at(record.facts, ask.tags)
    return {tag for tag in found if isinstance(tag, str)} if isinstance(found, list) else set()


def _score(record: Record, ask: Params) -> float | None:
    found = value_at(record.facts, ask.score)
    number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if number and math.isfinite(found) else None


PASS = Pass(settle, Params)
