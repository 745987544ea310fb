"""Keep the best by score that are unlike each other, up to a size.

Records are taken from the highest score to the lowest (equals by id), and one whose vector has a
cosine above ``threshold`` with a record taken before is dropped (``too_similar``), until there
are ``size``; what comes behind is dropped unseen (``not_selected``). What earlier rounds kept is
taken first, whatever its score, and counts. A record without a number under ``score`` is dropped
(``no_score``), and so is one without a text (``no_vector``); vectors are those of the filter
``embed``. The fact ``selection`` says score, rank by score, and the nearest record.

Cost: records looked at x kept x numbers in a vector: 100,000 records of 512 numbers with 10,000
kept take 15 s on two cores, with all of them kept three and a half minutes. Memory 4 kB a record,
and 2 kB for each that is kept.

Source: Liu et al., "What Makes Good Data for Alignment? A Comprehensive Study of Automatic Data
Selection in Instruction Tuning", 2023, arXiv:2312.15685 (score first, 0.9, sizes 6K and 10K).
Differs: the score is any fact, by default that of the verifier ``deita``; the vectors are the
job's, not a 13B model's states; equal scores are ordered by id; a record is never dropped for a
likeness to one that was dropped, as happens there in batches of more than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import Choice, Needs, gathered
from engine.selection.diverse import Look, diverse


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    score: str = "scores_deita.deita"
    """The fact with the number to go by, dots between levels; higher is better."""
    size: int | None = Field(default=None, ge=1)
    """Records kept in all rounds together; left out, as many as are unlike each other."""
    threshold: float = Field(default=0.9, ge=0, le=1)
    """Cosine (0..1) above which two records are alike; 1 drops none."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the best that are unlike each other; see the module."""
    ask = desk.params
    with gathered(fresh, kept, desk, Needs(vectors=True, scores=(ask.score,))) as found:
        order = found.best_first(ask.score)
        before = len(found.before)
        rows = [before + row for row in order]
        looks = diverse(found.vectors, before, rows, found.room(ask.size), ask.threshold)
        names = found.before + found.ids
        places = {row: place for place, row in enumerate(order)}
        yield from found.outcomes(lambda row: _choice(places[row], looks, names, len(order), ask))


def _choice(place: int, looks: list[Look], names: list[str], of: int, ask: Params) -> Choice:
    ranked = f"rank {place + 1} of {of} by {ask.score}"
    if place >= len(looks):
        return Choice(place + 1, "not_selected", f"{ranked}; {ask.size} are selected")
    look = looks[place]
    if look.nearest < 0:
        return Choice(place + 1)
    nearest = names[look.nearest]
    facts = {"nearest": nearest, "cosine": look.cosine}
    if look.taken:
        return Choice(place + 1, facts=facts)
    detail = f"{ranked}; cosine {look.cosine:.4f} with {nearest}"
    return Choice(place + 1, "too_similar", detail, facts)


PASS = Pass(settle, Params)
