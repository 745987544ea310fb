"""Keep the first of records that say the same.

Compared are the vectors that the filter ``embed`` leaves in the fact ``embedding``. A record
whose vector has a cosine of ``threshold`` or more with one kept earlier is dropped. Up to
100,000 kept records each is compared, beyond with faiss (``engine.text.neighbours``). A record
without a text has no vector and is kept. A multilingual embedder finds translations, too, where
their cosine reaches the threshold; ``translated_duplicate`` does better at those.

Source: Abbas et al., "SemDeDup: Data-efficient learning at web-scale through semantic
deduplication", 2023, arXiv:2303.09540.
Differs: no clusters first; the first in order is kept, not the one farthest from the centre.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass
from engine.text.embedding import FACT, Embedded, embedded
from engine.text.minhash import Twin
from engine.text.neighbours import Neighbours
from engine.text.packed import Packed


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    threshold: float = Field(default=0.9, gt=0, le=1)
    """Cosine (0..1) from which two records say the same; what is right depends on the embedder."""
    languages: Literal["all", "within"] = "all"
    """Compare all records with all, or only those of one language."""
    forget: bool = False
    """Whether records leave without their vector, which takes some kB in the dataset."""


class Seen(NamedTuple):
    """The kept records of one language, or of all."""

    near: Neighbours
    ids: Packed


Block = list[Embedded]
Rows = list[tuple[int, Embedded]]


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the first of each, in order; what earlier rounds kept comes first."""
    ask = desk.params
    seen: dict[str, Seen] = {}
    earlier, coming = embedded(kept, fresh)
    for block in earlier:
        for language, rows in _apart(block, ask):
            _known(seen, language, rows).near.add(_vectors(rows))
            for _, (record, _) in rows:
                seen[language].ids.append(record.id)
    for block in coming:
        twins: dict[int, str] = {}
        for language, rows in _apart(block, ask):
            twins |= _decided(rows, _known(seen, language, rows), ask)
        for at, (record, _) in enumerate(block):
            if ask.forget:
                record = _forgotten(record)
            yield Drop(record, "semantic_duplicate", twins[at]) if at in twins else record


def _decided(rows: Rows, seen: Seen, ask: Params) -> dict[int, str]:
    """Which of the rows are dropped, and with whom each agrees."""
    twins: list[Twin | None] = seen.near.admit(_vectors(rows), ask.threshold)
    for twin, (_, (record, _)) in zip(twins, rows, strict=True):
        if twin is None:
            seen.ids.append(record.id)
    return {
        at: f"cosine {twin.similarity:.3f} with {seen.ids[twin.position]}"
        for twin, (at, _) in zip(twins, rows, strict=True)
        if twin
    }


def _apart(block: Block, ask: Params) -> list[tuple[str, Rows]]:
    """What has a vector, by language where those are not to be compared."""
    by: defaultdict[str, Rows] = defaultdict(list)
    for at, each in enumerate(block):
        if each.vector is not None:
            by[each.record.language if ask.languages == "within" else ""].append((at, each))
    return list(by.items())


def _known(seen: dict[str, Seen], language: str, rows: Rows) -> Seen:
    return seen.setdefault(language, Seen(Neighbours(_vectors(rows[:1]).shape[1]), Packed()))


def _vectors(rows: Rows) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.stack([each.vector for _, each in rows if each.vector is not None])


def _forgotten(record: Record) -> Record:
    facts = {name: value for name, value in record.facts.items() if name != FACT}
    return replace(record, facts=facts)


PASS = Pass(settle, Params)
