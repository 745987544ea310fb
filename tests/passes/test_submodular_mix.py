from __future__ import annotations

from collections import Counter

import pytest
from pydantic import ValidationError

from engine.passes.facility_location import PASS as FACILITY
from engine.passes.submodular_mix import PASS, Params
from tests.conftest import settle
from tests.passes.choosing import drops, ids, kept, ranked, reasons, row, rows, said


def task(name: str, vector: list[float], count: int):
    return [row(f"{name}{n:03}", [*vector, 0.01 * n], task=name) for n in range(count)]


def tasks(outcomes) -> dict[str, int]:
    return dict(Counter(record.facts["task"] for record in kept(outcomes)))


def test_the_split_is_the_one_worked_out_by_hand():
    # Two tasks at a right angle: each gains 1 - 0.4; so each has half, the remainder the first.
    found = settle(PASS, [*task("a", [1, 0], 1), *task("b", [0, 1], 1)], size=1)
    assert ids(found) == ["a000"]
    pool = task("a", [1, 0], 50) + task("b", [0, 1], 50)
    assert tasks(settle(PASS, pool, size=21)) == {"a": 11, "b": 10}


def test_the_split_of_three_tasks_is_the_one_worked_out_by_hand():
    # cos(a, b) = .9798: gains 1.5798, .79596 and .6, raised 3.82768, 2.11274 and 1.78 of 7.72042:
    # 44.62, 24.63 and 20.75 of 90, of which 44, 24 and 20 at first.
    vectors = {"a": [1, 0, 0], "b": [0.98, 0.2, 0], "c": [0, 0, 1]}
    pool = [row(f"{name}{n}", v, task=name) for name, v in vectors.items() for n in range(60)]
    assert tasks(settle(PASS, pool, size=90)) == {"a": 45, "b": 25, "c": 20}


def test_only_so_many_tasks_get_a_budget():
    found = settle(PASS, rows(100), size=20, tasks=2)
    assert len(tasks(found)) == 2
    assert set(reasons(found).values()) == {"over_quota"}


def test_a_small_task_gives_what_it_has_and_the_others_the_rest():
    pool = [*task("a", [1, 0], 3), *task("b", [0, 1], 50)]
    assert tasks(settle(PASS, pool, size=30)) == {"a": 3, "b": 27}


def test_within_a_task_facility_location_decides():
    records = [record for record in rows(80) if record.facts["task"] == "a"]
    mixed = settle(PASS, records, size=7)
    assert ranked(mixed) == ranked(settle(FACILITY, records, size=7))


def test_a_record_without_a_task_is_dropped():
    found = settle(PASS, [*rows(20), row("x", [1] * 8)], size=5)
    assert drops(found)["x"].reason == "no_group"


def test_the_language_can_be_the_task():
    found = settle(PASS, rows(60), size=30, task="language")
    assert {said(each)["group"] for each in found} == {"de", "zh", "sw"}


def test_a_trade_off_that_would_make_tasks_harm_is_refused():
    with pytest.raises(ValidationError):
        Params(size=3, trade_off=0.6)
