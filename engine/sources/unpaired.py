"""Two unpaired pools of raw text: what reads like a question, what reads like an answer.

Documents are cut by ``engine.text.unpaired``; every segment is one seed, and the two sides take
turns, language by language. What a document says side by side must not meet again: each pool is
shuffled by a draw of its own, so that nothing in the order of one tells of the other, a seed
holds one segment only, and a text that stands twice, or on both sides, is taken once.

Rounds go on in the pools where the last one stopped. When they are through, segments whose pair
was not kept at the step ``grow_from`` come again, and a round that finds too few of them is the
last. From the second round on a seed shows, for each direction, some pairs that earlier rounds
kept: ``examples["answer"]`` are pairs whose answer is human, ``examples["question"]`` those whose
question is, so that what an example shows as written is always a human's text. Ids name the
round; nothing of this round is seen by another seed of it.

The pools are held in memory: as much as the documents have text.

Source: Shen et al., "Cycle-Instruct: Fully Seed-Free Instruction Tuning via Dual Self-Training and
Cycle Consistency", 2025, arXiv:2508.16100 (unpaired pools of questions and answers).
Differs: which segment is what is decided by rules as data, for many languages; examples stand in
for training where a job does not train.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, cast, get_args

from pydantic import Field, model_validator

from engine.core import JobError, Json, Record
from engine.kit import Source, Well
from engine.sources import documents
from engine.text.sameness import bare, key
from engine.text.unpaired import Segment, Side, Sizes, segments

SIDES: tuple[Side, ...] = get_args(Side)
Cell = tuple[str, Side]
"""A language and a side."""


class Params(documents.Params):
    """Where the documents are (as for ``documents``), and what is taken from them."""

    max_question_words: int = Field(default=60, ge=1)
    """Words of a question, at most; in scripts without spaces, characters' worth in words."""
    min_words: int = Field(default=20, ge=1)
    """Words of an answer, at least; shorter blocks are put together with the next."""
    max_words: int = Field(default=400, ge=1)
    """Words of an answer, at most."""
    grow_from: str = ""
    """The step whose kept pairs are examples from the second round on; none where empty."""
    examples: int = Field(default=2, ge=0, le=20)
    """Pairs that a seed shows for each direction; 0 where models are trained between rounds."""
    pool_limit: int = Field(default=2000, ge=1)
    """Kept pairs to draw examples from, per language and side: the latest."""

    @model_validator(mode="after")
    def _in_order(self) -> Params:
        if self.min_words > self.max_words:
            raise ValueError("min_words is above max_words")
        return self


@dataclass(frozen=True)
class Piece:
    """A segment with the document that it stands in."""

    document: Record
    segment: Segment

    @cached_property
    def text(self) -> str:
        """What it says: a part of the document, character by character."""
        return str(self.document.facts["document"])[self.segment.start : self.segment.end]

    def facts(self) -> dict[str, Json]:
        """What its seed knows of it."""
        about = {k: v for k, v in self.document.facts.items() if k not in ("document", "title")}
        span = [self.segment.start, self.segment.end]
        return about | {"segment": self.text, "side": self.segment.side, "span": span}


class Kept:
    """What earlier rounds kept: examples by language and side, and which segments are done."""

    def __init__(self, records: Iterable[Record], limit: int) -> None:
        """Read them once."""
        self.done: set[bytes] = set()
        self._pairs: dict[Cell, deque[dict[str, str]]] = defaultdict(lambda: deque(maxlen=limit))
        for record in records:
            pair = {"instruction": record.last("user"), "response": record.last("assistant")}
            side = record.facts.get("side")
            if side in SIDES:
                human = pair["instruction" if side == "question" else "response"]
                self.done.add(key(bare(human)))
                self._pairs[record.language, side].append(pair)

    def examples(self, language: str, count: int, draw: Any) -> dict[str, Json]:
        """Up to ``count`` pairs for each side, as this draw has them."""
        cells = {side: self._pairs.get((language, side), ()) for side in SIDES}
        return {side: draw.sample(list(p), min(count, len(p))) for side, p in cells.items()}


def read(well: Well[Params]) -> Iterator[Record]:
    """This round's seeds, and those of later rounds behind them, as long as there are any.

    Raises:
        JobError: a document cannot be read, or none holds a segment.
    """
    params, grows = well.params, bool(well.params.grow_from and well.round)
    queue = _queue(_pools(well), well)
    if not queue:
        raise JobError(f"{params.path}: no text reads like a question or like an answer")
    kept = Kept(well.kept(params.grow_from) if grows else (), params.pool_limit)
    tried = [piece for piece in queue[: well.start] if key(bare(piece.text)) not in kept.done]
    again = well.random("again", well.round).sample(tried, len(tried)) if grows else []
    for at, piece in enumerate(chain(islice(queue, well.start, None), again)):
        draw = well.random("examples", well.round, at)
        language = piece.document.language
        examples = kept.examples(language, params.examples, draw)
        facts = piece.facts() | {"round": well.round, "examples": examples}
        id_ = well.id(well.round, piece.document.id, *piece.segment)
        yield Record(id_, language, facts=facts)


def _pools(well: Well[Params]) -> dict[Cell, list[Piece]]:
    """Every segment by language and side, each text once."""
    params, seen = well.params, set[bytes]()
    sizes = Sizes(params.max_question_words, params.min_words, params.max_words)
    pools: dict[Cell, list[Piece]] = defaultdict(list)
    for document in documents.read(cast("Well[documents.Params]", well)):
        text, language = str(document.facts["document"]), document.language
        for segment in segments(text, language, sizes):
            piece = Piece(document, segment)
            mark = key(bare(piece.text))
            if mark not in seen:
                seen.add(mark)
                pools[language, segment.side].append(piece)
    return pools


def _queue(pools: Mapping[Cell, list[Piece]], well: Well[Params]) -> list[Piece]:
    """All segments, languages and sides in turn; each pool in an order of its own."""
    order = {cell: well.random("shuffle", *cell) for cell in sorted(pools)}
    ways = [iter(order[cell].sample(pools[cell], len(pools[cell]))) for cell in order]
    queue: list[Piece] = []
    while ways:
        turn = [(way, piece) for way in ways if (piece := next(way, None)) is not None]
        queue += [piece for _, piece in turn]
        ways = [way for way, _ in turn]
    return queue


SOURCE = Source(read, Params, endless=True)
