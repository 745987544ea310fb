"""What every pass that chooses promises."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import orjson
import pytest

from engine.core import Drop, JobError, Record
from engine.kit import Desk, Pass
from engine.passes.balance import PASS as BALANCE
from engine.passes.deita_select import PASS as DEITA
from engine.passes.facility_location import PASS as FACILITY
from engine.passes.k_center import PASS as K_CENTER
from engine.passes.k_means import PASS as K_MEANS
from engine.passes.submodular_mix import PASS as SMART
from engine.passes.temperature_mix import PASS as MIX
from engine.passes.weighted_coreset import PASS as CORESET
from tests.conftest import seed, settle
from tests.passes.choosing import drops, ids, kept, reasons, row, rows, said

SIZE = 25
EVERY: dict[str, tuple[Pass[Any], dict[str, Any]]] = {
    "deita_select": (DEITA, {"score": "scores.mean", "threshold": 1}),
    "k_center": (K_CENTER, {"start": 3}),
    "k_means": (K_MEANS, {}),
    "weighted_coreset": (CORESET, {"weights": ["scores.mean", "difficulty"]}),
    "facility_location": (FACILITY, {}),
    "submodular_mix": (SMART, {}),
    "submodular_mix_drawn": (SMART, {"within": "random"}),
    "balance": (BALANCE, {"by": ["language", "task"]}),
    "temperature_mix": (MIX, {"temperature": 3}),
    "unimax": (MIX, {"method": "unimax", "score": "scores.mean"}),
}
WITH_VECTORS = {name: EVERY[name] for name in list(EVERY)[:7]}
DRAWN = ("k_center", "k_means", "submodular_mix_drawn", "balance", "temperature_mix")
SCORED = ("deita_select", "weighted_coreset", "unimax")

every = pytest.mark.parametrize("kind, params", EVERY.values(), ids=EVERY)
with_vectors = pytest.mark.parametrize("kind, params", WITH_VECTORS.values(), ids=WITH_VECTORS)
drawn = pytest.mark.parametrize("kind, params", [EVERY[name] for name in DRAWN], ids=DRAWN)
scored = pytest.mark.parametrize("kind, params", [EVERY[name] for name in SCORED], ids=SCORED)


@every
def test_exactly_so_many_are_kept_and_every_record_has_one_outcome(kind, params):
    for size in (1, SIZE, 90, 100):
        outcomes = settle(kind, rows(100), size=size, **params)
        assert len(kept(outcomes)) == size
        ids_of_all = [getattr(each, "record", each).id for each in outcomes]
        assert ids_of_all == [record.id for record in rows(100)]
    assert len(kept(settle(kind, rows(100), size=1000, **params))) == 100


@every
def test_no_records_and_one_record(kind, params):
    assert settle(kind, [], size=SIZE, **params) == []
    assert settle(kind, [], rows(3), size=SIZE, **params) == []
    assert ids(settle(kind, rows(1), size=SIZE, **params)) == ["r0000"]


@every
def test_of_records_that_are_all_the_same_exactly_so_many_are_kept(kind, params):
    facts = {"scores": {"mean": 1}, "difficulty": 1, "task": "a"}
    same = [row(f"r{n}", [1, 2, 3], **facts) for n in range(200)]
    assert len(kept(settle(kind, same, size=SIZE, **params))) == SIZE


@every
def test_the_order_in_which_records_arrive_decides_nothing(kind, params):
    first = settle(kind, rows(100), rows(7, "old"), size=SIZE, **params)
    mixed, old = rows(100), rows(7, "old")
    random.Random(1).shuffle(mixed)
    random.Random(2).shuffle(old)
    second = settle(kind, mixed, old, size=SIZE, **params)
    assert sorted(second, key=_id) == first


@every
def test_the_same_records_give_the_same_outcomes_and_may_be_read_once(kind, params):
    once = settle(kind, iter(rows(60)), iter(rows(5, "old")), size=SIZE, **params)
    assert once == settle(kind, rows(60), rows(5, "old"), size=SIZE, **params)


@drawn
def test_another_seed_draws_others_and_the_seed_is_noted(kind, params):
    found = [
        list(kind.settle(rows(100), (), Desk(kind.params(size=SIZE, **params), "pass", name)))
        for name in ("1", "2")
    ]
    assert ids(found[0]) != ids(found[1])
    seeds = [{said(each)["seed"] for each in outcomes} for outcomes in found]
    assert [len(each) for each in seeds] == [1, 1] and seeds[0] != seeds[1]


@every
def test_what_earlier_rounds_kept_counts(kind, params):
    old = kept(settle(kind, rows(40), size=10, **params))
    new = settle(kind, rows(60, start=40), old, size=SIZE, **params)
    assert len(kept(new)) == SIZE - 10
    full = settle(kind, rows(60, start=40), old, size=10, **params)
    assert kept(full) == []
    assert set(reasons(full).values()) <= {"not_selected", "over_quota"}


@every
def test_what_a_job_kept_with_a_mark_only_does_not_count(kind, params):
    marked = [getattr(each, "record", each) for each in settle(kind, rows(40), size=10, **params)]
    assert len(kept(settle(kind, rows(60, start=40), marked, size=SIZE, **params))) == SIZE - 10


@every
def test_rank_settings_and_scores_are_noted_on_all_and_drops_say_them(kind, params):
    outcomes = settle(kind, rows(100), size=SIZE, **params)
    for outcome in outcomes:
        noted = said(outcome)
        assert noted["selected"] == isinstance(outcome, Record)
        assert 1 <= noted["rank"] <= noted["of"] <= 100
        assert noted["settings"]["size"] == SIZE
        if isinstance(outcome, Drop):
            assert outcome.detail.startswith(f"rank {noted['rank']} of {noted['of']}")
        assert orjson.loads(orjson.dumps(noted)) == noted
    ranks = Counter((said(each).get("group"), said(each)["rank"]) for each in outcomes)
    assert set(ranks.values()) == {1}


@every
def test_kept_records_are_ranked_before_dropped_ones(kind, params):
    outcomes = settle(kind, rows(100), size=SIZE, **params)
    last: dict[Any, int] = {}
    for noted in map(said, kept(outcomes)):
        last[noted.get("group")] = max(last.get(noted.get("group"), 0), noted["rank"])
    for noted in map(said, drops(outcomes).values()):
        assert noted["rank"] > last.get(noted.get("group"), 0)


@every
def test_a_second_pass_leaves_what_the_first_noted(kind, params):
    first = kept(settle(kind, rows(50), size=30, **params))
    desk = Desk(kind.params(size=5, **params), "again", "1")
    twice = kept(kind.settle(first, (), desk))
    assert len(twice) == 5
    assert all(set(record.facts["selection"]) == {"pass", "again"} for record in twice)


@scored
@pytest.mark.parametrize("score", [None, "hoch", float("nan"), float("inf"), True, [3]])
def test_a_record_without_a_usable_score_is_dropped_by_name(kind, params, score):
    bad = row("bad", [1, 0, 0, 0, 0, 0, 0, 0], scores={"mean": score}, difficulty=1, task="a")
    found = settle(kind, [*rows(50), bad], size=SIZE, **params)
    assert len(kept(found)) == SIZE
    assert reasons(found)["bad"] == "no_score"
    assert "scores.mean" in drops(found)["bad"].detail


@scored
def test_a_score_that_no_record_has_is_a_mistake_in_the_job(kind, params):
    named = {"weights": ["scores.meen"]} if "weights" in params else {"score": "scores.meen"}
    with pytest.raises(JobError, match=r"'scores\.meen'; there are: .*difficulty, .*scores, task"):
        settle(kind, rows(3), size=SIZE, **{**params, **named})


@with_vectors
def test_a_record_without_text_has_no_vector_and_is_dropped(kind, params):
    facts = {"scores": {"mean": 9}, "difficulty": 9, "task": "a"}
    empty = replace(seed("", **facts), id="empty")
    found = settle(kind, [empty, *rows(50)], size=SIZE, **params)
    assert reasons(found)["empty"] == "no_vector"
    assert len(kept(found)) == SIZE
    assert reasons(settle(kind, [empty], size=SIZE, **params)) == {"empty": "no_vector"}


@with_vectors
def test_vectors_that_are_missing_or_of_two_models_end_the_run(kind, params):
    facts = {"scores": {"mean": 9}, "difficulty": 9, "task": "a"}
    with pytest.raises(JobError, match="embed"):
        settle(kind, [seed("Ein Text ohne Vektor", **facts)], size=SIZE, **params)
    other = row("other", [1, 2, 3], **facts)
    with pytest.raises(JobError, match="two kinds"):
        settle(kind, [*rows(3), other], size=SIZE, **params)


@with_vectors
def test_a_vector_that_is_no_number_ends_the_run(kind, params):
    broken = row("broken", [1.0] * 8, scores={"mean": 9}, difficulty=9, task="a")
    broken.facts["embedding"]["vector"] = "AH4AfgB+AH4AfgB+AH4Afg=="  # half-precision NaNs
    with pytest.raises(JobError, match="nan"):
        settle(kind, [*rows(3), broken], size=SIZE, **params)


def _id(outcome: Any) -> str:
    return getattr(outcome, "record", outcome).id
