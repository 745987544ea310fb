from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.measures.losses import Undefined
from engine.measures.ranking import auc

scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=20)


def test_the_area_by_hand() -> None:
    assert auc([3, 4], [1, 2]) == 1.0
    assert auc([1, 2], [3, 4]) == 0.0
    assert auc([1, 3], [2, 3]) == 0.375  # of 4 pairs 1 won, 1 tied
    assert auc([1, 1], [1]) == 0.5


@given(scores, scores)
def test_the_area_is_the_share_of_pairs_won(good: list[float], bad: list[float]) -> None:
    won = sum((g > b) + (g == b) / 2 for g in good for b in bad)
    assert auc(good, bad) == pytest.approx(won / len(good) / len(bad))


def test_it_needs_both_kinds() -> None:
    for good, bad in (([], [1.0]), ([1.0], [])):
        with pytest.raises(Undefined):
            auc(good, bad)
