"""Graph cut over a few hundred groups, and shares from its gains.

The value of a choice of groups is how near it is to all groups, less ``trade_off`` times how near
the chosen are to each other. Greedy, like all of these; with a trade-off of up to 0.5 a further
group never harms.

Source: Renduchintala, Bhatia, Ramakrishnan, "SMART: Submodular Data Mixture Strategy for
Instruction Tuning", 2024, arXiv:2403.08370 (graph cut over tasks, shares by the Taylor softmax);
de Brébisson and Vincent, "An Exploration of Softmax Alternatives Belonging to the Spherical Loss
Family", 2015, arXiv:1511.05042 (the Taylor softmax).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def cosines(vectors: Floats) -> Floats:
    """Of all pairs of rows; rounded, so that sums in another order give the same. 0 for zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths > 0, lengths, 1)
    rounded: Floats = (unit @ unit.T).round(9)
    return rounded


def graph_cut(kernel: Floats, count: int, trade_off: float) -> tuple[list[int], list[float]]:
    """Choose ``count`` rows of a symmetric kernel; their order and what each gained."""
    near_all = kernel.sum(axis=0)
    itself = kernel.diagonal()
    near_chosen = np.zeros(len(kernel))
    order: list[int] = []
    gains: list[float] = []
    for _ in range(min(count, len(kernel))):
        gain = (near_all - trade_off * (2 * near_chosen + itself)).round(6)
        gain[order] = -np.inf
        best = int(gain.argmax())
        order.append(best)
        gains.append(float(gain[best]))
        near_chosen += kernel[best]
    return order, gains


def taylor_softmax(gains: Sequence[float]) -> list[Fraction]:
    """Shares that sum to 1: 1 + g + g**2 / 2 of each gain, which is never below 1/2, over all."""
    raised = [1 + g + g * g / 2 for g in map(Fraction, gains)]
    return [each / sum(raised) for each in raised]
