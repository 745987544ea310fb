"""A sample of what comes along once, in flat memory, that depends on marks and not on order."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from operator import itemgetter
from typing import Generic, TypeVar

T = TypeVar("T")


class Draw(Generic[T]):
    """The ``size`` offers with the smallest marks: a sample in one pass, in flat memory."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[float, int, T]] = []
        self._offers = itertools.count()

    def offer(self, mark: float, make: Callable[[], T]) -> None:
        """Take ``make()`` in, unless there are enough offers with smaller marks."""
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, (-mark, -next(self._offers), make()))
        elif self._heap and -mark > self._heap[0][0]:
            heapq.heapreplace(self._heap, (-mark, -next(self._offers), make()))

    def drawn(self) -> list[T]:
        """What was taken, smallest mark first."""
        return [value for *_, value in sorted(self._heap, key=itemgetter(0, 1), reverse=True)]
