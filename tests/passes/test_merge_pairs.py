from __future__ import annotations

import random

import numpy as np
import pytest

from engine.core import Drop, Record
from engine.passes.merge_pairs import PASS
from engine.text.partners import FACT, partner
from tests.conftest import seed, settle
from tests.passes.choosing import drops, ids, kept, reasons, row, rows, said


def pairs(outcomes) -> dict[str, str]:
    return {each.id: each.facts[FACT]["id"] for each in kept(outcomes) if FACT in each.facts}


def angle(cosine: float) -> list[float]:
    return [cosine, (1 - cosine**2) ** 0.5, 0]


def test_pairs_are_found_greedily_in_a_fixed_matrix_of_cosines():
    likeness = np.array(
        [
            # a    b    c    d    e
            [1.0, 0.7, 0.9, 0.6, 0.2],
            [0.7, 1.0, 0.8, 0.6, 0.2],
            [0.9, 0.8, 1.0, 0.5, 0.2],
            [0.6, 0.6, 0.5, 1.0, 0.2],
            [0.2, 0.2, 0.2, 0.2, 1.0],
        ]
    )
    vectors = np.linalg.cholesky(likeness)
    fresh = [row(name, vector) for name, vector in zip("abcde", vectors, strict=True)]
    outcomes = settle(PASS, fresh, clusters=1)
    assert pairs(outcomes) == {"a": "c", "b": "d"}  # b's nearest is c, which a has taken
    assert reasons(outcomes) == {"c": "paired", "d": "paired"}
    assert ids(outcomes) == ["a", "b", "e"]
    assert said(outcomes[0])["cosine"] == pytest.approx(0.9, abs=0.002)


def test_the_threshold_itself_is_not_above_the_threshold():
    for cosine, expected in ((0.5, {}), (0.501, {"a": "b"})):
        fresh = [row("a", [1, 0, 0]), row("b", angle(cosine))]
        assert pairs(settle(PASS, fresh, clusters=1, threshold=0.5)) == expected


def test_a_pair_speaks_one_language():
    fresh = [row("a", [1, 0], "de"), row("b", [1, 0], "sw"), row("c", [1, 0.1], "de")]
    assert pairs(settle(PASS, fresh, clusters=1)) == {"a": "c"}


def test_the_partner_is_there_whole_and_in_one_pair_only():
    fresh = rows(60)
    outcomes = settle(PASS, fresh, threshold=0.3)
    found = pairs(outcomes)
    assert len(found) >= 10
    assert not set(found) & set(found.values()) and len(set(found.values())) == len(found)
    by_id = {record.id: record for record in fresh}
    for record in kept(outcomes):
        other = partner(record)
        if other:
            assert other.messages == by_id[other.id].messages
            assert other.language == record.language == by_id[other.id].language
            assert other.facts["scores"] == by_id[other.id].facts["scores"]
    assert len(found) == list(reasons(outcomes).values()).count("paired")
    assert len(outcomes) == len(fresh)


def test_no_pair_crosses_a_cluster_and_there_are_as_many_as_the_rule_says():
    outcomes = settle(PASS, rows(98, copies=False), threshold=0.1)
    of = {
        (each.record if isinstance(each, Drop) else each).id: said(each)["cluster"]
        for each in outcomes
    }
    assert 2 <= len(set(of.values())) <= 7  # the square root of 98 / 2
    assert pairs(outcomes)
    assert all(of[first] == of[second] for first, second in pairs(outcomes).items())


def test_a_large_cluster_is_thinned_to_those_that_represent_it():
    crowd = [row(f"c{n}", [1, 0.05 * n, 0]) for n in range(9)]
    outcomes = settle(PASS, [*crowd, row("x", [-1, 0, 1])], clusters=2, per_cluster=3)
    thinned = [id_ for id_, why in reasons(outcomes).items() if why == "thinned"]
    assert len(thinned) == 6 and "x" not in thinned
    assert len(ids(outcomes)) + len(pairs(outcomes)) == 4


def test_the_order_in_which_records_arrive_decides_nothing():
    mixed = rows(80)
    random.Random(3).shuffle(mixed)
    first, second = (settle(PASS, these, threshold=0.4) for these in (rows(80), mixed))
    assert pairs(first) == pairs(second) and reasons(first) == reasons(second)


def test_none_and_one_and_one_without_a_text():
    assert settle(PASS, []) == []
    assert ids(settle(PASS, [row("a", [1, 0])])) == ["a"]
    assert drops(settle(PASS, [seed("")]))["seed"].reason == "no_vector"


def test_what_earlier_rounds_kept_is_not_paired_again():
    old = settle(PASS, [row("a", [1, 0, 0])])
    outcomes = settle(
        PASS, [row("b", [1, 0, 0])], [each for each in old if isinstance(each, Record)]
    )
    assert ids(outcomes) == ["b"] and not pairs(outcomes)
