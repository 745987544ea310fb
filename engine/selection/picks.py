"""What a greedy choice hands back."""

from __future__ import annotations

from typing import NamedTuple


class Picks(NamedTuple):
    """Rows in the order they were taken, and the others by who would be next."""

    taken: list[int]
    values: list[float | None]
    """What each was taken for; None where nothing decided."""
    rest: list[int]
    rest_values: list[float | None]

    def behind(self, first: list[int]) -> Picks:
        """The same, after rows that were taken for no value."""
        nothing: list[float | None] = [None] * len(first)
        return self._replace(taken=first + self.taken, values=nothing + self.values)


def none_of(count: int) -> Picks:
    """Nothing taken of so many rows."""
    return Picks([], [], list(range(count)), [None] * count)
