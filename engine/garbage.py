"""How often the search for reference cycles runs while a run goes on.

CPython looks through its young objects after every 700 that are new. A call makes hundreds, for
tasks, messages and graph steps, and nearly all of them end by reference count, so the search
finds next to nothing and takes a fifth of the engine's CPU per call (1.5 ms with it, 1.1 ms with
a search every 20,000, in one sitting; memory is the same within a few MB).
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

NEW_OBJECTS = 20_000
"""New objects between two searches among the youngest."""


@contextlib.contextmanager
def rarely() -> Iterator[None]:
    """Search seldom; whoever searches even less often, or not at all, keeps to that."""
    before = gc.get_threshold()
    if 0 < before[0] < NEW_OBJECTS:
        gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
