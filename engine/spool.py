"""Things put aside on disk, to be had again in the order they came, once or often.

A pass that must see every record before it decides on the first cannot hold them; they wait in a
temporary file that vanishes with the process, whatever becomes of it.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Spool(Generic[T]):
    """Values on disk; use it in a ``with``."""

    def __init__(self) -> None:
        """Nothing put aside yet."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._count = 0

    def __enter__(self) -> Spool[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def put(self, value: T) -> None:
        """Put a value aside."""
        self._file.seek(0, 2)
        pickle.dump(value, self._file, pickle.HIGHEST_PROTOCOL)
        self._count += 1

    def __iter__(self) -> Iterator[T]:
        """What was put aside, in order."""
        self._file.seek(0)
        for _ in range(self._count):
            yield pickle.load(self._file)
