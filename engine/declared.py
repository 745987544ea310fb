"""Parts whose method is in the job: their settings become a generator when the job is read.

A generator of the engine has its graph and prompts in files; one that a job declares has them in
its settings. So it is built once the settings are known, and is from then on a generator like any
other: the same kit, the same graph, the same lineage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from engine.core import JobError
from engine.kit import Filter, Generator
from engine.prompting import Library

P = TypeVar("P", bound=BaseModel)


class Misplaced(JobError):
    """A mistake in a part's settings, and where in them it is."""

    def __init__(self, place: tuple[str | int, ...], why: str) -> None:
        """``place`` is below the part's ``with``."""
        super().__init__(why)
        self.place, self.why = place, why


Found = tuple[Filter[Any], BaseModel]
"""A check and its settings."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a part is declared, and what it may build with."""

    step: str
    library: Library
    check: Callable[[str, Mapping[str, Any], tuple[str | int, ...]], Found]
    """The filter or verifier of a name, with settings; told with their place below ``with``."""


@dataclass(frozen=True, slots=True)
class Declared(Generic[P]):
    """A generator that its settings make."""

    params: type[P]
    build: Callable[[P, Site], Generator[P]]
    """Raises ``Misplaced`` for what is wrong in the settings."""
