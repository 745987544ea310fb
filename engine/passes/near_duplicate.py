"""Keep the first of records that are nearly the same text.

MinHash with locality-sensitive hashing proposes the earlier records that may be near, and the
true Jaccard similarity of the two sets of shingles decides (``engine.text.minhash``). So nothing
is dropped by mistake, and little is missed: with the defaults 1 % of the pairs exactly at the
threshold of 0.7, one in a thousand at 0.75. A record is compared with kept records only, the
earliest first: a chain of small changes is not one group, and records can stream. A text with
nothing in it is near to nothing and is kept, whatever else is empty.

Source: Broder, "On the resemblance and containment of documents", 1997,
doi:10.1109/SEQUEN.1997.666900; Lee et al., "Deduplicating Training Data Makes Language Models
Better", 2021, arXiv:2107.06499 (MinHash before training).
Differs: the first of a group in order is kept, without clustering. Shingles are characters, in
dense scripts fewer (``engine.text.shingles``): word shingles fail for scripts without spaces,
and for instructions of ten words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass
from engine.text.minhash import Index, Twin
from engine.text.packed import Packed
from engine.text.shingles import normalise

RECORDS, CHARACTERS = 4096, 1 << 20
"""Records decided on at once, and the characters after which there are no more of them: with
fewer, each record takes longer; with more, the working memory grows (100 bytes a character)."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    threshold: float = Field(default=0.7, gt=0, le=1)
    """Jaccard similarity (0..1) of shingles from which two texts count as the same."""
    field: Literal["instruction", "response", "both"] = "instruction"
    """What is compared: the last user message, the last reply, or the two together."""
    shingle: int = Field(default=5, ge=1, le=50)
    """Characters in a shingle, 1..50; half as many in Han, kana, bopomofo and Yi."""
    num_perm: int = Field(default=128, ge=1, le=4096)
    """Hash functions in a signature, 1..4096: more find more pairs and take more room."""
    bands: int | None = Field(default=None, ge=1)
    """Bands the signature is cut into, at most ``num_perm``. If empty, as few as find 95 % of
    the pairs at the threshold; fewer propose less and find less."""

    @model_validator(mode="after")
    def _bands_fit(self) -> Params:
        if self.bands and self.bands > self.num_perm:
            raise ValueError(f"bands is {self.bands}, more than num_perm ({self.num_perm})")
        return self


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the first of each group, in order; what earlier rounds kept comes first."""
    ask = desk.params
    seed = desk.random("permutations").getrandbits(64)
    index = Index(ask.threshold, ask.shingle, ask.num_perm, ask.bands, seed)
    ids = Packed()
    for block in blocks(kept, ask):
        _admit(block, index, ids)
    for block in blocks(fresh, ask):
        for (record, _), twin in zip(block, _admit(block, index, ids), strict=True):
            if twin:
                detail = f"Jaccard {twin.similarity:.3f} with {ids[twin.position]}"
                yield Drop(record, "near_duplicate", detail)
            else:
                yield record


Block = list[tuple[Record, str]]


def blocks(records: Iterable[Record], ask: Params) -> Iterator[Block]:
    """Records with their texts: one at first, then ever more, so that the first need not wait.

    A block ends early when it holds much text.
    """
    block: Block = []
    most, length = 1, 0
    for record in records:
        block.append((record, _text(record, ask)))
        length += len(block[-1][1])
        if len(block) == most or length >= CHARACTERS:
            yield block
            block, most, length = [], min(2 * most, RECORDS), 0
    if block:
        yield block


def _admit(block: Block, index: Index, ids: Packed) -> list[Twin | None]:
    twins = index.admit_all([text for _, text in block])
    for (record, _), twin in zip(block, twins, strict=True):
        if twin is None:
            ids.append(record.id)
    return twins


def _text(record: Record, ask: Params) -> str:
    instruction = record.last("user") if ask.field != "response" else ""
    response = record.last("assistant") if ask.field != "instruction" else ""
    return normalise(f"{instruction}\n{response}")


PASS = Pass(settle, Params)
