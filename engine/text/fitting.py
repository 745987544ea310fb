"""The largest size that a budget has room for, where measuring is dear and sizes weigh about alike.

A bisection that does not halve but reckons: what was measured says how much a unit weighs around
there, so that the next size to measure is nearly always the right one or its neighbour. The end is
exact: the size that is found was measured and fits, and the next one was measured and does not (or
is more than there is).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

RECKONED = 12
"""Measurements after which it halves, in case weights say nothing of what is measured."""
FIRST = 4
"""Weight in bytes that a token is taken for before anything was measured."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A search on its way."""

    budget: int
    weights: Sequence[int]
    """Of the sizes 0, 1, 2, ... in order; bytes."""
    least: int
    """The smallest size of any use."""
    fits: int = -1
    """The largest size that was seen to fit; -1 for none."""
    cost: int = 0
    """What it was measured at."""
    over: int = -1
    """The smallest size that was seen not to fit; -1 for none."""
    over_cost: int = 0
    tries: int = 0

    @property
    def most(self) -> int:
        """The largest size there is."""
        return len(self.weights) - 1

    @property
    def done(self) -> bool:
        """Whether the answer is known: ``fits``, or that nothing does."""
        if self.most < self.least or self.over == self.least or self.fits == self.most:
            return True
        return self.fits >= 0 and self.over == self.fits + 1

    def size(self) -> int:
        """The size to measure next."""
        low = self.fits + 1 if self.fits >= 0 else self.least
        high = self.over - 1 if self.over >= 0 else self.most
        if self.tries >= RECKONED:
            return (low + high) // 2
        return min(max(self._reckoned(), low), high)

    def measured(self, size: int, cost: int) -> Fit:
        """The search, knowing what one more size costs."""
        if cost > self.budget:
            return replace(self, over=size, over_cost=cost, tries=self.tries + 1)
        return replace(self, fits=size, cost=cost, tries=self.tries + 1)

    def _reckoned(self) -> int:
        if not self.tries:
            return self._sized(self.budget * FIRST)
        if self.fits < 0:
            return self._sized(self.budget * self.weights[self.over] // max(1, self.over_cost))
        if self.over < 0:
            return self._sized(self.budget * self.weights[self.fits] // max(1, self.cost))
        begin, end = self.weights[self.fits], self.weights[self.over]
        share = (self.budget - self.cost) / max(1, self.over_cost - self.cost)
        return self._sized(int(begin + share * (end - begin)))

    def _sized(self, weight: int) -> int:
        """The largest size that weighs no more than this."""
        return bisect_right(self.weights, weight) - 1
