"""The words every constraint shares: what a check is told, what it finds, what a type is.

A type of constraint is a value: its parameters, the function that checks a text against them,
and the function that draws parameters for a new instruction. A check has three outcomes, and
``skipped`` is one of them: where a question makes no sense (capitals in a script without case)
or cannot be answered here (which language a text is in, without anybody who knows), that is no
pass.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel

from engine.constraints.stock import Stock

P = TypeVar("P", bound=BaseModel)
T = TypeVar("T")

Decision = Literal["pass", "fail", "skipped"]
Relation = Literal["at least", "less than"]
RELATIONS: tuple[Relation, Relation] = ("at least", "less than")
Identify = Callable[[str], str]
"""A text to the BCP-47 tag of its language; ``""`` where it cannot tell."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found, with the evidence in a few words."""

    verdict: Decision
    why: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a check is told beside the text and the parameters."""

    language: str
    """BCP-47 tag of the language the answer is to be in: declared, never guessed from it."""
    identify: Identify | None = None
    """Tells languages; without it nothing about the language of an answer is decided."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What parameters are drawn from."""

    language: str
    instruction: str
    stock: Stock
    """The language's own words; empty where nothing is listed for it."""
    rng: random.Random
    languages: tuple[str, ...] = ()
    """Tags an answer may be asked for in; empty where nobody can check that."""
    has_input: bool = False
    """Whether a separate input text comes with the instruction."""

    def some(self, pool: Sequence[T], least: int, most: int) -> tuple[T, ...]:
        """``least`` to ``most`` different members, in drawn order; fewer where there are fewer."""
        size = self.rng.randint(least, most)
        return tuple(self.rng.sample(list(pool), min(size, len(pool))))


@dataclass(frozen=True, slots=True)
class Kind(Generic[P]):
    """A type of constraint."""

    params: type[P]
    check: Callable[[str, P, Context], Found]
    """Holds a text, not blank, against the parameters."""
    draw: Callable[[Ground], P | None]
    """New parameters; ``None`` where the type cannot be asked for on this ground."""


AnyKind = Kind[Any]


def counted(found: int, relation: Relation, wanted: int, of: str) -> Found:
    """Whether a number stands in the relation to the wanted one."""
    holds = found >= wanted if relation == "at least" else found < wanted
    return Found("pass" if holds else "fail", f"{found} {of}, wanted {relation} {wanted}")


def exactly(found: int, wanted: int, of: str) -> Found:
    """Whether a number is the wanted one."""
    return Found("pass" if found == wanted else "fail", f"{found} {of}, wanted {wanted}")


def decided(holds: bool, why: str) -> Found:
    """Pass or fail; ``why`` says what fails, and is left out of a pass."""
    return Found("pass") if holds else Found("fail", why)
