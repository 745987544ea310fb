"""Time that passes only when a test has nothing else to do.

A loop whose clock jumps to the next timer as soon as nothing is left to run: hours of a run
take the seconds that its work takes, and no test depends on how busy the machine is. What
happens in threads (commits, passes) takes no time on this clock: it stands still while they work.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from engine.ledger import Ledger

T = TypeVar("T")


class Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Instead of waiting for a timer, moves the clock there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.aside = 0
        """Threads that work for the loop just now."""

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if timeout is None or self.aside:
            return super().select(None)
        self.now += timeout
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """An event loop with such a clock."""

    def __init__(self) -> None:
        self.selector = Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now

    def run_in_executor(self, *args: Any) -> Any:
        work = super().run_in_executor(*args)
        self.selector.aside += 1
        work.add_done_callback(self._back)
        return work

    def _back(self, work: object) -> None:
        self.selector.aside -= 1


class Book(Ledger):
    """A ledger whose commits take no time."""

    async def _soon(self, op: Any) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        loop.selector.aside += 1
        try:
            await super()._soon(op)
        finally:
            loop.selector.aside -= 1


def spend(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(work)


def book(folder: Path) -> Book:
    return Book(folder, write=True)
