"""The event loop that a run gets: uvloop where it is installed, else asyncio's own.

Most of what is left of a call's CPU is callbacks, sockets and timers, and those are what uvloop
does in C: a tenth less CPU a call, in one sitting. Nothing depends on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a loop of its own, as ``asyncio.run`` does."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)
