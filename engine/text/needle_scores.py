"""Whether a response gives what was hidden.

Numbers are read in any script's digits; those of one digit and those said twice do not count, and
what is left has to be the very set that was asked for. Who says that there is none is wrong where
there is one, and right where there is none. Of the common words every one has to be there.

Source: Kim et al., "One ruler to measure them all: Benchmarking multilingual long-context language
models", 2025, arXiv:2503.01996 (its scorers).
"""

from __future__ import annotations

from typing import Literal

import regex
from pydantic import BaseModel, Field

from engine.text.haystacks import folded

Kind = Literal["numbers", "words", "none", "common"]
_NUMBER = regex.compile(r"[0-9]+")
BREAK = regex.compile(r"[,،、，;；؛፣\n]+")
"""What stands between the words of an answer."""
_AROUND = " \t\r\"'`*.。।!「」“”‘’«»„"


class Due(BaseModel, extra="forbid", frozen=True):
    """What the right response holds."""

    kind: Kind
    expected: list[str] = Field(min_length=1)
    """The numbers or words; of ``none``, the word for it."""
    none: list[str] = Field(min_length=1)
    """Every word that says there is none."""


def fault(response: str, due: Due) -> str:
    """Why the response is wrong, as the reason of a drop; empty for a right one."""
    said = folded(response)
    denies = any(folded(word) in said for word in due.none)
    if due.kind == "none":
        return "" if denies else "not_none"
    if due.kind == "common":
        return "" if all(folded(word) in said for word in due.expected) else "missing_words"
    if denies:
        return "said_none"
    found = _numbers(said) if due.kind == "numbers" else _words(said)
    return "" if found == set(map(folded, due.expected)) else "wrong_values"


def _numbers(said: str) -> set[str]:
    return {number for number in _NUMBER.findall(said) if len(number) > 1}


def _words(said: str) -> set[str]:
    return {part.strip(_AROUND) for part in BREAK.split(said)} - {""}
