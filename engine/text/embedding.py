"""A vector as a fact of a record: half-precision numbers in base64, and whose they are.

JSON has no bytes, and 512 numbers as decimals take five times the room. Half precision moves a
cosine by less than 0.001.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.core import JobError, Json, Record

FACT = "embedding"
"""The fact that the filter ``embed`` leaves: ``model``, ``field`` and ``vector``."""
BLOCK = 1024
"""Records whose vectors are compared at once."""


class Embedded(NamedTuple):
    """A record with its vector, of length 1; None where it has no text."""

    record: Record
    vector: NDArray[np.float32] | None


def embedding_fact(vector: NDArray[np.float32], model: str, field: str) -> dict[str, Json]:
    """The fact for a vector of this model, made from that part of the record."""
    packed = base64.b64encode(vector.astype("<f2").tobytes()).decode("ascii")
    return {"model": model, "field": field, "vector": packed}


def embedded(*sets: Iterable[Record]) -> Iterator[Iterator[list[Embedded]]]:
    """For each of the sets, in turn, its records with their vectors, in blocks.

    Raises:
        JobError: a record with text has no vector, or it is of another model or part.
    """
    of: list[str] = []

    def blocks(records: Iterable[Record]) -> Iterator[list[Embedded]]:
        coming = iter(records)
        while block := list(islice(coming, BLOCK)):
            yield [Embedded(record, _vector(record, of)) for record in block]

    yield from map(blocks, sets)


def _vector(record: Record, of: list[str]) -> NDArray[np.float32] | None:
    fact = record.facts.get(FACT)
    if fact is None:
        if any(message.content.strip() for message in record.messages):
            raise JobError(f"record {record.id} has no vector: put the filter embed before")
        return None
    try:
        packed = base64.b64decode(fact["vector"], validate=True)
        vector = np.frombuffer(packed, "<f2").astype(np.float32)
        named = f"{fact['field']} by {fact['model']}, {len(vector)} numbers"
    except (TypeError, KeyError, ValueError, binascii.Error) as error:
        shown = sorted(fact) if isinstance(fact, Mapping) else type(fact).__name__
        raise JobError(
            f"record {record.id}: the fact {FACT!r} is not what the filter embed leaves: {shown}"
        ) from error
    if not of:
        of.append(named)
    if named not in of:
        raise JobError(f"record {record.id}: vectors of two kinds: {of[0]}; {named}")
    length = float(np.linalg.norm(vector))
    if not 0 < length < np.inf:
        raise JobError(f"record {record.id}: the vector in the fact {FACT!r} is {length} long")
    return vector / np.float32(length)
