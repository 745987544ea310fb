"""The search for cycles is seldom while a run goes on, and afterwards as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from engine.garbage import NEW_OBJECTS, rarely


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_it_is_seldom_within_and_as_before_afterwards() -> None:
    gc.set_threshold(700, 9, 8)
    with pytest.raises(KeyError), rarely():
        assert gc.get_threshold() == (NEW_OBJECTS, 9, 8)
        raise KeyError
    assert gc.get_threshold() == (700, 9, 8)


@pytest.mark.parametrize("own", [0, NEW_OBJECTS * 2])
def test_a_user_who_searches_less_or_not_at_all_is_left_alone(own: int) -> None:
    gc.set_threshold(own, 10, 10)
    with rarely():
        assert gc.get_threshold()[0] == own


def test_cycles_are_still_found() -> None:
    class Ring:
        found = 0

        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            Ring.found += 1

    with rarely():
        rings = [[Ring()] for _ in range(3)]
        rings.clear()
        keep = [[] for _ in range(2 * NEW_OBJECTS)]
    assert Ring.found == 3 and keep
