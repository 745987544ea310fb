from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.core import JobError, Record
from engine.text.embedding import BLOCK, FACT, embedded, embedding_fact
from tests.conftest import seed

VECTOR = np.array([3, -4, 0.125], np.float32)


def row(text: str = "Satz 句子", model: str = "m", field: str = "instruction") -> Record:
    return seed(text, **{FACT: embedding_fact(VECTOR, model, field)})


def read(*records: Record) -> list:
    (blocks,) = embedded(records)
    return [each for block in blocks for each in block]


def test_a_vector_comes_back_with_length_one():
    ((record, vector),) = read(row())
    assert record == row()
    assert vector == pytest.approx(VECTOR / np.linalg.norm(VECTOR), abs=1e-3)
    assert isinstance(row().facts[FACT]["vector"], str)


def test_a_record_without_a_text_needs_none():
    assert [each.vector for each in read(seed(""), seed(" \n"))] == [None, None]
    assert read() == []


def test_records_come_in_blocks():
    (blocks,) = embedded([row()] * (BLOCK + 3))
    assert [len(block) for block in blocks] == [BLOCK, 3]


@pytest.mark.parametrize(
    "fact, message",
    [
        ("text", "not what the filter embed leaves: str"),
        ({"model": "m"}, r"not what the filter embed leaves: \['model'\]"),
        ({"model": "m", "field": "f", "vector": "%%%"}, "not what"),
        ({"model": "m", "field": "f", "vector": "AAA="}, "is 0.0 long"),
        ({"model": "m", "field": "f", "vector": "AHw="}, "is inf long"),
        ({"model": "m", "field": "f", "vector": "AA=="}, "not what"),
    ],
)
def test_what_is_no_vector_is_named(fact, message):
    with pytest.raises(JobError, match=message):
        read(seed("x", **{FACT: fact}))


def test_a_text_without_a_vector_and_vectors_of_two_kinds_are_mistakes_of_the_job():
    with pytest.raises(JobError, match="put the filter embed before"):
        read(row(), seed("ohne"))
    for other in (row(model="n"), row(field="response")):
        with pytest.raises(JobError, match="vectors of two kinds"):
            read(row(), other)
    earlier, fresh = embedded([row()], [replace(row(model="n"), id="b")])
    list(earlier)
    with pytest.raises(JobError, match="record b: vectors of two kinds"):
        list(fresh)
