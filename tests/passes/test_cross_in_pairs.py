from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, JobError, Outcome, Record
from engine.passes.cross_in_pairs import PASS, Params
from tests.conftest import seed, settle

TAGS = ("en", "sw", "ar", "zh")


def rows(count: int, *tags: str, **facts: Any) -> list[Record]:
    return [
        replace(
            seed(f"{tag} ask {n}", tag, f"{tag} answer {n}", parallel_id=f"e{n:03}", **facts),
            id=f"{tag}{n:03}",
        )
        for n in range(count)
        for tag in tags
    ]


def pairs(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    return [p for each in outcomes if isinstance(each, Record) for p in each.facts["pairs"]]


def cells(outcomes: list[Outcome]) -> dict[str, int]:
    made = pairs(outcomes)
    named = (f"{p['form']} {p['asks']['language']}>{p['answers']['language']}" for p in made)
    return dict(Counter(named))


def reasons(outcomes: list[Outcome]) -> dict[str, str]:
    return {each.record.id: each.reason for each in outcomes if isinstance(each, Drop)}


GRID = {"en": {"sw": 3, "ar": 1, "en": 1}, "sw": {"en": 2}, "zh": {"ar": 1}}


@pytest.mark.parametrize("size", [1, 7, 48, 100])
def test_the_grid_is_realised_within_rounding_and_sums_to_the_size(size):
    found = cells(settle(PASS, rows(60, *TAGS), size=size, weights=GRID, forms={"answer": 1}))
    assert sum(found.values()) == size
    for a, row in GRID.items():
        for b, weight in row.items():
            assert abs(found.get(f"answer {a}>{b}", 0) - size * weight / 8) < 1


def test_forms_share_as_they_weigh_and_a_translation_has_two_languages():
    found = cells(settle(PASS, rows(60, *TAGS), size=90, weights=GRID))
    of = Counter[str]()
    for cell, count in found.items():
        of[cell.split()[0]] += count
    assert of == {"answer": 60, "translation": 30}
    assert (
        "translation en>en" not in found and found["answer en>en"] == 8
    )  # of 7.5, the first by name


def test_left_out_every_direction_weighs_alike():
    found = cells(settle(PASS, rows(20, *TAGS), size=72))
    assert found == {
        f"{form} {a}>{b}": 4 if form == "answer" else 2
        for form in ("answer", "translation")
        for a in TAGS
        for b in TAGS
        if a != b
    }


def test_no_example_is_twice_in_a_cell_and_both_sides_are_one_example():
    made = pairs(settle(PASS, rows(12, *TAGS), size=144, forms={"answer": 1}))
    keys = [(p["asks"]["id"], p["answers"]["id"]) for p in made]
    assert len(set(keys)) == 144
    assert all(a[-3:] == b[-3:] and a[:2] != b[:2] for a, b in keys)


def test_a_row_carries_the_pairs_that_it_begins_and_the_others_say_why_they_end():
    outcomes = settle(
        PASS, rows(4, "en", "sw"), size=2, weights={"en": {"sw": 1}}, forms={"answer": 1}
    )
    for record in (each for each in outcomes if isinstance(each, Record)):
        assert all(p["asks"]["id"] == record.id for p in record.facts["pairs"])
    assert len(outcomes) == 8
    assert Counter(reasons(outcomes).values()) == {"in_pair": 2, "unpaired": 4}


def test_rows_of_another_licence_or_split_and_rows_without_an_example_are_not_paired():
    en, sw = rows(1, "en", licence="MIT"), rows(1, "sw", licence="X")
    lone = replace(seed("ask", "en", "answer"), id="lone")
    mute = replace(seed("ask", "sw", parallel_id="e000"), id="mute")
    found = settle(PASS, [*en, *sw, lone, mute], size=1, short="wait")
    assert reasons(found) == {
        "en000": "unpaired",
        "sw000": "unpaired",
        "lone": "no_example",
        "mute": "no_pair",
    }


def test_too_few_examples_end_the_run_or_leave_their_cell_short():
    ask = {"size": 20, "weights": {"en": {"sw": 1, "ar": 1}}, "forms": {"answer": 1}}
    few = [*rows(20, "en", "ar"), *rows(3, "sw")]
    with pytest.raises(JobError, match="answer en>sw has 3 of 10"):
        settle(PASS, few, **ask)
    assert cells(settle(PASS, few, short="wait", **ask)) == {"answer en>ar": 10, "answer en>sw": 3}


def test_later_rounds_bring_what_was_short():
    ask = {"size": 20, "weights": {"en": {"sw": 1, "ar": 1}}, "forms": {"answer": 1}}
    first = settle(PASS, [*rows(20, "en", "ar"), *rows(3, "sw")], short="wait", **ask)
    old = [each for each in first if isinstance(each, Record)]
    new = [replace(r, id=f"n{r.id}") for r in rows(20, *TAGS)]
    assert cells(settle(PASS, new, old, short="wait", **ask)) == {"answer en>sw": 7}


def test_a_language_that_nobody_has_sentences_for_is_refused_or_only_asked_in():
    with pytest.raises(JobError, match=r"no sentence asks for vo: taxonomies/cross_in\.yaml"):
        settle(PASS, rows(3, "en", "vo"), size=1, weights={"en": {"vo": 1}})
    found = cells(settle(PASS, rows(3, "en", "vo"), size=2, forms={"answer": 1}))
    assert found == {"answer vo>en": 2}


def test_the_order_of_rows_decides_nothing_and_a_larger_size_keeps_what_a_smaller_took():
    mixed = rows(30, *TAGS)
    random.Random(4).shuffle(mixed)

    def keys(given: list[Record], size: int) -> set[tuple[str, str, str]]:
        made = pairs(settle(PASS, iter(given), size=size))
        return {(p["form"], p["asks"]["id"], p["answers"]["id"]) for p in made}

    assert keys(rows(30, *TAGS), 50) == keys(mixed, 50)
    assert keys(mixed, 36) < keys(mixed, 72)


def test_nothing_comes_of_nothing_and_a_wrong_grid_is_refused():
    assert settle(PASS, [], size=3) == []
    for wrong in (
        {"weights": {"en": {"sw": 0}}},
        {"forms": {}},
        {"size": 0},
        {"weights": {"?": {}}},
    ):
        with pytest.raises(ValidationError):
            Params(**{"size": 1, **wrong})
