"""A table of numbers that grows by rows and stays one array.

The room grows by a quarter at a time, in place where the system can (it moves pages, not bytes),
so that there is never a second copy of a gigabyte.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)


class Growing(Generic[Number]):
    """Rows of ``columns`` numbers each, in the order of adding."""

    def __init__(self, columns: int, dtype: type[Number]) -> None:
        """An empty table."""
        self._room = np.empty((0, columns), dtype)
        self._count = 0

    def extend(self, rows: NDArray[Number]) -> None:
        """Append rows. Arrays that ``rows`` gave before must not be used any more."""
        wanted = self._count + len(rows)
        if wanted > len(self._room):
            size = max(wanted, len(self._room) * 5 // 4)
            self._room.resize((size, self._room.shape[1]), refcheck=False)
        self._room[self._count : wanted] = rows
        self._count = wanted

    @property
    def rows(self) -> NDArray[Number]:
        """All rows, as they lie; good until more are added."""
        return self._room[: self._count]

    def __len__(self) -> int:
        return self._count
