from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from engine.selection.graph_cut import cosines, graph_cut, taylor_softmax
from tests.selection.points import table

SUBMODLIB = [4, 64, 274, 282, 351, 428, 24, 485, 216, 213, 90, 316, 313, 32, 331, 175, 107, 226]
SUBMODLIB += [306, 153, 1, 46, 471, 292, 227, 71, 196, 245, 197, 162, 26, 415, 486, 363, 372, 17]
SUBMODLIB += [150, 260, 303, 99]
"""What submodlib 0.0.3 (lambda 0.4) chooses of ``table(500, 12, 3, positive=True)``."""


def value(kernel, chosen, trade_off):
    chosen = list(chosen)
    return kernel[:, chosen].sum() - trade_off * kernel[np.ix_(chosen, chosen)].sum()


def test_the_order_is_that_of_submodlib():
    rows = table(500, 12, 3, positive=True).astype(np.float64)
    order, gains = graph_cut(np.minimum(rows @ rows.T, 16e6) / 16e6, 40, 0.4)
    assert order == SUBMODLIB
    assert gains[:3] == pytest.approx([291.7552, 288.5854, 279.9591], abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("trade_off", [0, 0.4, 0.5])
def test_gains_add_up_to_the_value_and_reach_their_share_of_the_best(seed, trade_off):
    kernel = cosines(np.abs(table(10, 4, seed).astype(np.float64)))
    order, gains = graph_cut(kernel, 4, trade_off)
    assert sum(gains) == pytest.approx(value(kernel, order, trade_off), abs=1e-4)
    best = max(value(kernel, some, trade_off) for some in combinations(range(10), 4))
    assert sum(gains) >= (1 - 1 / np.e) * best


def test_equal_rows_are_chosen_in_order_and_more_than_there_are_is_all():
    assert graph_cut(np.ones((3, 3)), 9, 0.4)[0] == [0, 1, 2]
    assert graph_cut(np.zeros((0, 0)), 2, 0.4) == ([], [])


def test_a_row_of_zeros_is_near_to_nothing():
    assert cosines(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0, 0], [0, 1]]


def test_the_taylor_softmax_of_the_papers_example():
    shares = taylor_softmax([3, 1, 0.5, 0.25])
    assert [round(float(share), 6) for share in shares] == [0.611236, 0.179775, 0.116854, 0.092135]
    assert sum(shares) == 1


def test_a_negative_gain_still_has_a_share_above_nothing():
    assert taylor_softmax([-1, 1]) == [Fraction(1, 6), Fraction(5, 6)]
    assert taylor_softmax([]) == []
