from __future__ import annotations

import numpy as np

from engine.core import Drop
from engine.filters.embed import FILTER as EMBED
from engine.passes.k_means import PASS, typical
from engine.selection.whole import whole
from tests.conftest import Bind, seed, settle
from tests.generators.reversing import DOCUMENTS, paper
from tests.passes.choosing import by_rank, ids, ranked, row, rows, said

CLUSTERS = {
    "a": [[1, 0, 0.1], [1, 0, 0], [1, 0.1, 0], [1, -0.1, -0.1]],
    "b": [[0, 1, 0.1], [0, 1, -0.1], [0, 1, 0]],
    "c": [[0, 0, 1], [0.1, 0, 1]],
}


def pool():
    return [row(f"{k}{n}", v) for k, vectors in CLUSTERS.items() for n, v in enumerate(vectors)]


def test_one_of_each_cluster_is_kept_the_one_nearest_its_centre():
    found = settle(PASS, pool(), size=3)
    assert ranked(found)[:2] == ["a1", "b2"] and ranked(found)[2][0] == "c"
    assert len(ids(found)) == 3
    dropped = [each for each in found if isinstance(each, Drop)]
    assert {each.reason for each in dropped} == {"not_selected"}
    best = by_rank([each for each in found if not isinstance(each, Drop)])[0]
    assert 0.99 < said(best)["cosine"] <= 1


def test_the_nearest_is_the_nearest_by_definition():
    pool, size = rows(120, copies=False), 1
    [kept] = [each for each in settle(PASS, pool, size=size) if not isinstance(each, Drop)]
    vectors = np.stack([_vector(record) for record in pool])
    middle = vectors.sum(axis=0)
    assert kept.id == pool[int((vectors @ middle).argmax())].id


def test_copies_follow_only_when_every_cluster_has_one():
    same = [row(f"s{n}", [1, 0]) for n in range(6)] + [row("x", [0, 1])]
    assert "x" in ids(settle(PASS, same, size=2))
    assert len(ids(settle(PASS, same, size=5))) == 5


def test_what_earlier_rounds_kept_counts_against_the_size():
    first = [each for each in settle(PASS, rows(40), size=10) if not isinstance(each, Drop)]
    more = rows(40, prefix="q", start=40)
    assert len(ids(settle(PASS, more, first, size=25))) == 15
    assert len(ids(settle(PASS, more, first, size=25, per_round=4))) == 4
    assert ids(settle(PASS, more, first, size=10)) == []


def test_nothing_comes_of_nothing():
    assert typical(np.zeros((0, 4), np.float32), 3, 0).taken == []
    assert typical(whole(np.eye(3, dtype=np.float32)), 0, 0).taken == []


async def test_documents_that_have_no_turns_yet_are_embedded_and_chosen(bind: Bind):
    step, _ = bind(EMBED, {}, field="document")
    papers = [
        paper(tag, f"{DOCUMENTS[tag]} {n}", f"{tag}{n}") for tag in ("en", "zh") for n in "12"
    ]
    embedded = [outcome for record in papers for outcome in await step(record)]
    assert {id_[:2] for id_ in ids(settle(PASS, embedded, size=2))} == {"en", "zh"}
    [bare] = await step(seed("Hallo"))
    assert "embedding" not in bare.facts, "it has no document"


def _vector(record):
    from engine.text.embedding import embedded

    [[[each]]] = [list(blocks) for blocks in embedded([record])]
    return each.vector
