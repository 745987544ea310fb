from __future__ import annotations

import pytest

from engine.measures.contrast import Contrast


@pytest.mark.parametrize(
    ("strong", "target", "ruled"),
    [
        (9, 5, "accept"),
        (9, 6, "again"),  # a gap of 3 is not more than 3
        (9, 5.5, "accept"),
        (4, 0.5, "accept"),  # the gap comes first, as published
        (6, 6, "again"),  # 6 is good, and a tie is no lead
        (5.5, 5, "poor_answer"),
        (5, 5, "poor_answer"),
        (8, 8.5, "target_better"),
        (3, 8, "target_better"),
        (10, 7, "again"),
        (10, 10, "again"),
    ],
)
def test_the_table_of_gap_and_strong_score(strong: float, target: float, ruled: str) -> None:
    found = Contrast((strong, target), (strong, target))
    assert found.ruled(gap=3, good=6, lead=0) == ruled


@pytest.mark.parametrize(
    ("limits", "ruled"),
    [
        ((2, 6, 0), "again"),
        ((1.99, 6, 0), "accept"),
        ((2, 7, 0), "again"),
        ((2, 7.1, 0), "poor_answer"),
    ],
)
def test_each_limit_at_its_border(limits: tuple[float, float, float], ruled: str) -> None:
    assert Contrast((7, 5), (7, 5)).ruled(*limits) == ruled


@pytest.mark.parametrize(("lead", "ruled"), [(1.5, "again"), (1.49, "target_better")])
def test_the_target_may_lead_by_so_much(lead: float, ruled: str) -> None:
    assert Contrast((7, 8), (7, 9)).ruled(3, 6, lead) == ruled


def test_scores_are_means_over_both_orders() -> None:
    found = Contrast((9, 3), (6, 4))
    assert (found.strong, found.target, found.gap) == (7.5, 3.5, 4)
