from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from pydantic import ValidationError

from engine.core import JobError, Record
from engine.passes.balance import PASS, Params
from tests.conftest import seed, settle
from tests.passes.choosing import drops, ids, kept, reasons, said


def speakers(**counts: int) -> list[Record]:
    return [
        replace(
            seed(f"Satz {n}", language, scores={"mean": n % 7}, topic="ab"[n % 2]),
            id=f"{language}{n:03}",
        )
        for language, count in counts.items()
        for n in range(count)
    ]


def languages(outcomes) -> dict[str, int]:
    return dict(Counter(record.language for record in kept(outcomes)))


POOL = {"de": 30, "zh": 12, "sw": 5}


@pytest.mark.parametrize(
    "ask, counts",
    [
        ({"cap": 10}, {"de": 10, "zh": 10, "sw": 5}),
        ({"cap": 0}, {}),
        ({}, {"de": 5, "zh": 5, "sw": 5}),
        ({"size": 20}, {"de": 8, "zh": 7, "sw": 5}),
        ({"size": 100}, POOL),
        ({"counts": {"zh": 12, "sw": 3}}, {"zh": 12, "sw": 3}),
        ({"counts": {"zh": 99, "yo": 5}}, {"zh": 12}),
        ({"tiers": {"high": 10, "mid": 4}}, {"de": 10, "zh": 10, "sw": 4}),
        ({"tiers": {"high": 10, "mid": 4}, "languages": ["de", "sw"]}, {"de": 10, "sw": 4}),
        ({"tiers": {"low": 3}}, {}),
    ],
)
def test_counts_are_exact(ask, counts):
    assert languages(settle(PASS, speakers(**POOL), **ask)) == counts


@pytest.mark.parametrize(
    "ask, said",
    [
        ({"counts": {"zh": 13, "sw": 5, "yo": 1}}, "zh 12 of 13, yo 0 of 1"),
        ({"size": 48}, "all groups 47 of 48"),
    ],
)
def test_too_few_are_refused_where_the_job_says_so(ask, said):
    with pytest.raises(JobError, match=said):
        settle(PASS, speakers(**POOL), short="refuse", **ask)


def test_groups_can_be_of_language_and_topic_together():
    found = settle(PASS, speakers(**POOL), by=["language", "topic"], counts={"de / a": 2})
    assert [record.facts["topic"] for record in kept(found)] == ["a", "a"]
    assert {said(each)["group"] for each in found} >= {"de / a", "sw / b"}


def test_the_best_of_a_group_are_kept_where_there_is_a_score():
    found = settle(PASS, speakers(de=30), cap=4, score="scores.mean")
    assert ids(found) == ["de006", "de013", "de020", "de027"]
    assert "seed" not in said(found[0])


def test_a_larger_quota_keeps_what_a_smaller_one_did():
    few, more = (set(ids(settle(PASS, speakers(**POOL), cap=cap))) for cap in (4, 9))
    assert few < more


def test_over_rounds_counts_are_those_of_all_together():
    old = kept(settle(PASS, speakers(**POOL), counts={"de": 10, "sw": 20}))
    fresh = [replace(record, id="n" + record.id) for record in speakers(**POOL)]
    new = settle(PASS, fresh, old, counts={"de": 12, "sw": 20})
    assert languages(new) == {"de": 2, "sw": 5}


def test_a_record_without_the_fact_is_dropped_and_values_need_not_be_texts():
    records = speakers(de=4)
    records = [record.with_facts(level=[1, n % 2]) for n, record in enumerate(records)]
    found = settle(PASS, [*records, *speakers(zh=1)], by=["level"], cap=1)
    assert len(ids(found)) == 2
    assert reasons(found)["zh000"] == "no_group"
    assert drops(found)["zh000"].detail == "no value under level"
    assert {said(each)["group"] for each in found[:4]} == {"[1,0]", "[1,1]"}


def test_a_fact_that_no_record_has_is_a_mistake_in_the_job():
    with pytest.raises(JobError, match="'topik'; there are: scores, topic"):
        settle(PASS, speakers(de=3), by=["topik"])


def test_two_ways_at_once_are_refused():
    with pytest.raises(ValidationError, match="cap and counts: say one"):
        Params(cap=3, counts={"de": 3})


def test_the_drop_says_group_and_rank():
    drop = next(iter(drops(settle(PASS, speakers(**POOL), cap=10)).values()))
    assert drop.detail == f"rank {said(drop)['rank']} of 30 in de; 10 are taken"


def test_a_tier_of_which_a_language_has_too_little_or_nothing_is_told():
    ask = {"tiers": {"high": 12, "mid": 6, "low": 1}, "languages": ["de", "sw", "wo"]}
    with pytest.raises(JobError, match=r"sw 5 of 6, wo 0 of 1.*short: accept"):
        settle(PASS, speakers(**POOL), **ask, short="refuse")


@pytest.mark.parametrize(
    "ask",
    [{"tiers": {"high": 1}, "by": ["topic"]}, {"languages": ["de"]}, {"tiers": {"huge": 1}},
     {"tiers": {"high": 1}, "cap": 2}],
)  # fmt: skip
def test_tiers_are_of_languages_and_one_way_among_others(ask):
    with pytest.raises(ValidationError):
        Params(**ask)
