from __future__ import annotations

import pytest

from engine.measures.losses import Undefined
from engine.measures.pairs import Shown, by_scores, winner, winning_score


@pytest.mark.parametrize(
    ("forth", "back", "both", "not_worse"),
    [
        ("A", "B", "first", "first"),
        ("B", "A", "second", "second"),
        ("A", "A", "tie", "tie"),  # it likes the place
        ("B", "B", "tie", "tie"),
        ("tie", "tie", "tie", "tie"),
        ("A", "tie", "tie", "first"),
        ("tie", "B", "tie", "first"),
        ("B", "tie", "tie", "second"),
        ("tie", "A", "tie", "second"),
    ],
)
def test_who_wins_by_two_verdicts(forth: Shown, back: Shown, both: str, not_worse: str) -> None:
    assert winner(forth, back) == both
    assert winner(forth, back, "not_worse") == not_worse


def test_scores_are_taken_in_the_order_in_which_they_were_shown() -> None:
    assert by_scores((8, 6), (5, 7)) == "first"
    assert by_scores((8, 6), (7, 5)) == "tie", "both times the one shown first"
    assert by_scores((8, 8), (5, 7)) == "first"
    assert by_scores((6, 8), (7, 7)) == "second"


@pytest.mark.parametrize(
    ("contests", "score"),
    [((507, 225, 298), 1.2029), ((198, 685, 147), 1.0495), ((44, 15, 21), 1.2875)],
)
def test_the_winning_score_is_that_of_the_published_contests(
    contests: tuple[int, int, int], score: float
) -> None:
    assert winning_score(*contests) == pytest.approx(score, abs=5e-5)


def test_no_contest_has_no_score() -> None:
    with pytest.raises(Undefined):
        winning_score(0, 0, 0)
