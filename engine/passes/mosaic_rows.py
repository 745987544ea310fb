"""Draw which rows are joined into one, as often as wanted, and what is asked of them.

In each of several epochs the rows are shuffled and cut into mosaics. How many rows a mosaic is to
have is drawn; rows are added one at a time, with all that is random about the mosaic drawn anew
each time, as long as it stays below the bound; the last that did is kept, and the next begins
behind it. So in each epoch every row is used once, unless it is too long by itself. Rows of one
mosaic share language, licence and split.

The row that a mosaic begins with carries it (the fact ``mosaics``) to the generator ``mosaic``,
which writes it; a row that begins none is dropped (``in_mosaic``), as is one that never fits
(``over_long``), is no single question with its answer (``no_pair``), or is in a language without
sentences for it (``unworded_language``).

Source: Li et al., "Mosaic-IT: Cost-Free Compositional Data Synthesis for Instruction Tuning",
2024, arXiv:2405.13326.
Differs: tokens are estimated from bytes; sizes are cut to the range from 1 to ``most`` where a
distribution goes beyond it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, Field

from engine.core import Drop, Json, Outcome, Record
from engine.kit import Desk, Pass
from engine.spool import Spool
from engine.text.mosaic_words import words_for
from engine.text.mosaics import Strategy, answered, asked, plan, replied
from engine.text.packed import Packed
from engine.text.sizes import estimated_tokens

Sizes = Literal["uniform", "fix", "max_length", "exp", "pareto", "lognormal", "logistic"]


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    epochs: int = Field(default=4, ge=1, le=100)
    """How often every row is used, each time with others."""
    sizes: Sizes = "uniform"
    """How many rows a mosaic is to have: 1 to ``most`` with equal odds, always ``most``, as many
    as fit, or by a distribution; at most ``most`` except for ``max_length``."""
    most: int = Field(default=10, ge=1, le=100)
    """Rows in a mosaic, at most."""
    scale: float = Field(default=3.0, gt=0)
    """In rows: the mean of ``exp``, the least value of ``pareto``, the median of ``lognormal``
    and the middle of ``logistic``."""
    shape: float = Field(default=1.0, gt=0)
    """The exponent of ``pareto``, the deviation of the logarithm of ``lognormal``, the width of
    ``logistic`` in rows."""
    max_tokens: int = Field(default=2000, ge=16)
    """Instruction and response of a mosaic together stay below so many tokens, estimated."""
    strategies: tuple[Strategy, ...] = Field(default=("format", "order", "mask"), min_length=1)
    """What is asked, with equal odds; how answers are marked is said with every one."""


class Rows:
    """The rows that go together: of one language, licence and split."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.ids: list[str] = []
        self._texts = Packed()

    def add(self, record: Record) -> None:
        """One more row."""
        self.ids.append(record.id)
        for message in record.messages:
            self._texts.append(message.content)

    def row(self, at: int) -> dict[str, str]:
        """A row as a mosaic has it."""
        pair = {"instruction": self._texts[2 * at], "response": self._texts[2 * at + 1]}
        return {"id": self.ids[at], **pair}


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every row that begins a mosaic, with it; the others are dropped."""
    groups: dict[str, Rows] = {}
    with Spool[Record]() as waiting:
        for record in fresh:
            waiting.put(record)
            if not _fault(record):
                groups.setdefault(_group(record), Rows(record.language)).add(record)
        begun: defaultdict[str, list[Json]] = defaultdict(list)
        leader: dict[str, str] = {}
        for name, rows in groups.items():
            for mosaic in _mosaics(rows, name, desk):
                first = mosaic["rows"][0]["id"]
                begun[first].append(mosaic)
                leader |= {row["id"]: first for row in mosaic["rows"]}
        for record in waiting:
            yield _outcome(record, begun.get(record.id), leader.get(record.id))


def _outcome(record: Record, mosaics: list[Json] | None, leader: str | None) -> Outcome:
    if mosaics:
        return record.with_facts(mosaics=mosaics)
    if fault := _fault(record):
        return Drop(record, fault)
    return Drop(record, "in_mosaic", leader) if leader else Drop(record, "over_long")


def _fault(record: Record) -> str:
    if [message.role for message in record.messages] != ["user", "assistant"]:
        return "no_pair"
    if not all(message.content.strip() for message in record.messages):
        return "no_pair"
    return "" if words_for(record.language) else "unworded_language"


def _group(record: Record) -> str:
    return "\x1f".join(
        [record.language, *(str(record.facts.get(name, "")) for name in ("licence", "split"))]
    )


def _mosaics(rows: Rows, name: str, desk: Desk[Params]) -> Iterator[dict[str, Json]]:
    """The mosaics of all epochs."""
    for epoch in range(desk.params.epochs):
        order = desk.random("shuffle", name, epoch).sample(range(len(rows.ids)), len(rows.ids))
        at = 0
        while at < len(order):
            mosaic = _longest(rows, order[at:], desk, (name, epoch, at))
            if mosaic:
                yield {"epoch": epoch, **mosaic}
            at += len(mosaic["rows"]) if mosaic else 1


def _longest(
    rows: Rows, ahead: Sequence[int], desk: Desk[Params], place: tuple[object, ...]
) -> dict[str, Json]:
    """The last mosaic that fits, with one row more each time; empty where the first does not."""
    wanted = min(_size(desk, place), len(ahead))
    words, members, found = words_for(rows.language), list[dict[str, str]](), dict[str, Json]()
    assert words is not None  # rows of other languages are in no group
    for row in ahead[:wanted]:
        members.append(rows.row(row))
        asks = [each["instruction"] for each in members]
        rng = desk.random("mosaic", *place, len(members))
        chosen = plan(asks, words, desk.params.strategies, rng)
        order = answered(chosen.rule, asks)
        answers = replied(chosen, [each["response"] for each in members], order)
        if estimated_tokens(asked(chosen, asks), answers) >= desk.params.max_tokens:
            break
        found = {"plan": chosen.model_dump(mode="json"), "rows": list(members)}
    return found


def _size(desk: Desk[Params], place: tuple[object, ...]) -> int:
    ask, rng = desk.params, desk.random("size", *place)
    if ask.sizes == "max_length":
        return ask.max_tokens  # more rows than can fit
    if ask.sizes in ("uniform", "fix"):
        return ask.most if ask.sizes == "fix" else rng.randint(1, ask.most)
    within = min(max(rng.random(), 1e-9), 1 - 1e-9)
    drawn = {
        "exp": rng.expovariate(1 / ask.scale),
        "pareto": ask.scale * rng.paretovariate(ask.shape),
        "lognormal": rng.lognormvariate(math.log(ask.scale), ask.shape),
        "logistic": ask.scale + ask.shape * math.log(within / (1 - within)),
    }[ask.sizes]
    return max(1, round(min(drawn, ask.most)))


PASS = Pass(settle, Params)
