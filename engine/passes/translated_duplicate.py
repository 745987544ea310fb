"""Keep the first of records that are translations of each other.

Within a language nothing is compared (that is ``semantic_duplicate``). Of two languages, two
records match if each is the other's nearest and their cosine stands out, by ``margin``, from
those of each with its nearest four (``engine.text.twins``). The vectors are those that the
filter ``embed`` leaves, of a multilingual embedder: the built-in n-grams know spelling only.
Records that share the fact ``parallel`` are translations on purpose and stay.

Whether two match depends on all the others, so every record is read before the first goes on;
meanwhile they wait on disk, and their vectors in memory (1 kB each, for 512 numbers).

Source: Artetxe and Schwenk, "Margin-based Parallel Corpus Mining with Multilingual Sentence
Embeddings", 2019, doi:10.18653/v1/P19-1309 (ratio margin, k = 4, mutual best, 1.06).
Differs: one of a match is dropped instead of both being mined; what earlier rounds kept stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import orjson
from pydantic import BaseModel, Field

from engine.core import Drop, JobError, Outcome, Record, stable_id
from engine.kit import Desk, Pass
from engine.spool import Spool
from engine.text.embedding import FACT, embedded
from engine.text.growing import Growing
from engine.text.hashed import NAME
from engine.text.packed import Packed
from engine.text.twins import matches


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    margin: float = Field(default=1.06, gt=1, le=10)
    """Cosine of a match over the mean cosine with the nearest four; lower finds more."""
    min_cosine: float = Field(default=0.7, ge=0, le=1)
    """Cosine (0..1) that a match has at least, too: among strangers the nearest may stand out."""
    parallel: str = "parallel"
    """The fact, such as the id of a row in a parallel corpus, whose equal values stay."""


class Language(NamedTuple):
    """The records of one language, in order; the columns are of equal length."""

    vectors: Growing[np.float16]
    turns: list[int]
    """How many records came before each, those of earlier rounds first."""
    ids: Packed
    parallels: Packed


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep the first of each match, in order; what earlier rounds kept comes first."""
    languages: dict[str, Language] = {}
    turn = old = 0
    with Spool[Record]() as waiting:
        for blocks, is_fresh in zip(embedded(kept, fresh), (False, True), strict=True):
            for record, vector in (each for block in blocks for each in block):
                if vector is not None:
                    _note(record, vector, turn, languages, desk.params)
                if is_fresh:
                    waiting.put(record)
                turn, old = turn + 1, old + (not is_fresh)
        dropped = _dropped(languages, old, desk.params)
        for turn, record in enumerate(waiting, start=old):
            if turn in dropped:
                yield Drop(record, "translated_duplicate", dropped[turn])
            else:
                yield record


def _note(
    record: Record,
    vector: np.ndarray[tuple[int], np.dtype[np.float32]],
    turn: int,
    languages: dict[str, Language],
    ask: Params,
) -> None:
    if record.facts[FACT]["model"] == NAME:
        raise JobError(f"vectors of {NAME} know nothing of translations: give embedder a model")
    if record.language not in languages:
        vectors = Growing(len(vector), np.float16)
        languages[record.language] = Language(vectors, [], Packed(), Packed())
    known = languages[record.language]
    known.vectors.extend(vector[None].astype(np.float16))
    known.turns.append(turn)
    known.ids.append(record.id)
    shared = record.facts.get(ask.parallel)
    marked = orjson.dumps(shared, option=orjson.OPT_SORT_KEYS).decode() if shared else ""
    known.parallels.append(stable_id(marked) if marked else "")


def _dropped(languages: dict[str, Language], old: int, ask: Params) -> dict[int, str]:
    """The turns of records that repeat an earlier one in another language, and what each repeats.

    What repeats a record that is itself dropped stays, unless it repeats a kept one as well.
    """
    found: list[tuple[int, int, str]] = []
    for one, two in combinations(languages, 2):
        left, right = languages[one], languages[two]
        for match in matches(left.vectors.rows, right.vectors.rows, ask.margin, ask.min_cosine):
            turns = left.turns[match.left], right.turns[match.right]
            parallels = left.parallels[match.left], right.parallels[match.right]
            ids = left.ids[match.left], right.ids[match.right]
            earlier = int(turns[1] < turns[0])
            if max(turns) >= old and not (parallels[0] and parallels[0] == parallels[1]):
                language = (one, two)[earlier]
                what = f"cosine {match.cosine:.3f}, margin {match.margin:.2f}"
                found.append((max(turns), min(turns), f"{what} with {ids[earlier]} ({language})"))
    dropped: dict[int, str] = {}
    for later, earlier, what in sorted(found):
        if earlier not in dropped:
            dropped.setdefault(later, what)
    return dropped


PASS = Pass(settle, Params)
