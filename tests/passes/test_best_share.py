from __future__ import annotations

from typing import Any

import pytest

from engine.core import Drop, JobError, Record
from engine.passes.best_share import PASS
from tests.conftest import settle


def record(name: str, similarity: float, language: str = "en", **facts: Any) -> Record:
    return Record(name, language, facts={"cycle": {"similarity": similarity}, **facts})


def kept(records: list[Record], **params: Any) -> set[str]:
    return {o.id for o in settle(PASS, records, **params) if isinstance(o, Record)}


@pytest.mark.parametrize(
    ("share", "count"), [(0.05, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.7, 7), (0.71, 8), (1, 10)]
)
def test_the_share_is_exact_at_its_borders(share: float, count: int) -> None:
    records = [record(f"r{n}", n / 10) for n in range(10)]
    assert kept(records, share=share) == {f"r{n}" for n in range(10 - count, 10)}


def test_each_group_is_ranked_by_itself() -> None:
    records = [record(f"en{n}", 0.9 + n / 100, side="answer") for n in range(4)]
    records += [record(f"th{n}", 0.1 + n / 100, "th", side="answer") for n in range(2)]
    records += [record(f"q{n}", 0.5 + n / 100, side="question") for n in range(2)]
    by = {"by": ["language", "side"], "share": 0.5}
    assert kept(records, **by) == {"en2", "en3", "th1", "q1"}


def test_several_scores_count_by_the_mean_of_their_ranks() -> None:
    def both(name: str, similarity: float, gain: float) -> Record:
        return Record(name, "en", facts={"cycle": {"similarity": similarity, "gain": gain}})

    records = [both("a", 0.99, -5), both("b", 0.9, 3), both("c", 0.8, 4)]
    records += [both("d", 0.1, -9), both("e", 0.2, -1)]
    scores = ["cycle.similarity", "cycle.gain"]
    assert kept(records, scores=scores, share=0.4) == {"b", "c"}
    assert kept(records, share=0.4) == {"a", "b"}


def test_equals_go_by_id_whatever_the_order_they_come_in() -> None:
    records = [record(name, 0.5) for name in "dbca"]
    assert kept(records, share=0.5) == kept(records[::-1], share=0.5) == {"a", "b"}


def test_a_round_is_judged_by_itself() -> None:
    before = [record(f"old{n}", 0.99) for n in range(10)]
    fresh = [record("new1", 0.1), record("new2", 0.2)]
    outcomes = settle(PASS, fresh, before, share=0.5)
    assert [isinstance(o, Record) for o in outcomes] == [False, True]


def test_a_drop_says_its_rank_and_a_record_without_a_score_has_none() -> None:
    lost = Record("x", "en", facts={"cycle": {}})
    low, high, none = settle(PASS, [record("a", 0.1), record("b", 0.9), lost], share=0.5)
    assert isinstance(low, Drop) and low.reason == "below_best" and "rank 2 of 2" in low.detail
    assert isinstance(high, Record) and high.facts["selection"]["pass"]["rank"] == 1
    assert isinstance(none, Drop) and none.reason == "no_score"
    with pytest.raises(JobError, match=r"no record has a fact 'cycle\.similarity'"):
        settle(PASS, [lost])
