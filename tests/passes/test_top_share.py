from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core import Drop, JobError, Outcome, Record
from engine.passes.top_share import PASS
from tests.conftest import seed, settle


def task(id: str, score: int, then: int = 0, language: str = "de") -> Record:
    return replace(seed("Satz", language, validity={"score": score, "sum": then}), id=id)


def ranks(outcomes: list[Outcome]) -> dict[str, tuple[int, bool]]:
    found = [(o.record if isinstance(o, Drop) else o, isinstance(o, Record)) for o in outcomes]
    return {r.id: (r.facts["selection"]["pass"]["rank"], kept) for r, kept in found}


def test_every_record_is_ranked_by_score_then_by_sum_then_by_id():
    tasks = [task("d", 3, 9), task("a", 3, 9), task("b", 3, 11), task("c", 5, 15)]
    assert ranks(settle(PASS, tasks)) == {
        "c": (1, True),
        "b": (2, True),
        "a": (3, True),
        "d": (4, True),
    }


@pytest.mark.parametrize(
    ("share", "kept"), [(0.0, 0), (0.01, 1), (0.2, 1), (0.21, 2), (0.8, 4), (1.0, 5)]
)
def test_so_many_of_the_best_are_kept_rounded_up(share: float, kept: int):
    tasks = [task(f"t{n}", n) for n in range(1, 6)]
    found = ranks(settle(PASS, tasks, share=share))
    assert [id for id, (_, stays) in found.items() if stays] == [
        f"t{n}" for n in range(6 - kept, 6)
    ]


def test_a_drop_says_its_rank_and_every_record_says_cut_and_settings():
    found = settle(PASS, [task("a", 5), task("b", 2)], share=0.5)
    [kept] = [each for each in found if isinstance(each, Record)]
    [drop] = [each for each in found if isinstance(each, Drop)]
    assert (drop.reason, drop.detail) == ("below_rank", "rank 2 of 2 in de; 1 are kept")
    for record, rank in ((kept, 1), (drop.record, 2)):
        noted = record.facts["selection"]["pass"]
        assert (noted["rank"], noted["of"], noted["cut"]) == (rank, 2, 5.0)
        assert noted["settings"]["share"] == 0.5 and noted["scores"]["validity.score"] > 0


def test_a_language_that_is_scored_lower_keeps_its_share():
    tasks = [task(f"e{n}", 5, language="en") for n in range(4)]
    tasks += [task(f"y{n}", 2 - n % 2, language="yo") for n in range(4)]
    found = ranks(settle(PASS, tasks, share=0.5))
    assert sorted(id for id, (_, kept) in found.items() if kept) == ["e0", "e1", "y0", "y2"]


def test_the_order_of_arrival_and_earlier_rounds_decide_nothing():
    tasks = [task(f"t{n}", n % 3) for n in range(9)]
    first = ranks(settle(PASS, tasks, share=0.4))
    assert first == ranks(settle(PASS, tasks[::-1], share=0.4))
    assert first == ranks(settle(PASS, tasks, [task(f"k{n}", 5) for n in range(9)], share=0.4))


def test_a_record_without_a_score_drops_and_a_job_without_any_is_told():
    found = settle(PASS, [task("a", 3), seed("Ohne")])
    assert [each.reason for each in found if isinstance(each, Drop)] == ["no_score"]
    with pytest.raises(JobError, match=r"validity\.score"):
        settle(PASS, [seed("Ohne")])
    assert settle(PASS, []) == []
