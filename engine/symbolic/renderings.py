"""A table as text, in several ways, and the instruction around it, in the language at hand.

``indexed``: a line with the header, then one for each row with its number. ``markdown``: a pipe
table. ``sentences``: one sentence a row. The words come from ``taxonomies/sql_execution.yaml``;
a language is added there, without code, and where one is missing nothing is said in English.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, Field

from engine import shipped
from engine.symbolic.tables import Table, shown
from engine.text.scripts import script

Style = Literal["indexed", "markdown", "sentences"]

_SLOT = re.compile(r"\{(n|cells|column|value)\}")


class Words(BaseModel, extra="forbid", frozen=True):
    """One language's entry."""

    ask: tuple[str, ...] = Field(min_length=1)
    """Instructions; each has the slot ``{sql}`` and says that the table is called t."""
    values: str
    """How the answer is to be written where the result has one column."""
    rows: str
    """How, where it has several."""
    header: str
    """What opens the line with the names of the columns."""
    row: str
    """What opens the line of a row; with the slot ``{n}``."""
    sentence: str
    """A row as a sentence; slots ``{n}`` and ``{cells}``."""
    cell: str
    """One cell in it; slots ``{column}`` and ``{value}``."""
    empty: str
    """The value of a cell that holds nothing, in a sentence."""
    separator: str = ", "
    """Between the cells of a sentence."""


@lru_cache(maxsize=1)
def _languages() -> Mapping[str, Words]:
    path = shipped.folder("taxonomies") / "sql_execution.yaml"
    read = shipped.read(path)
    return {tag: Words.model_validate(entry) for tag, entry in read.items()}


def words_for(language: str) -> Words | None:
    """The words of a tag, else of its base language in the same script; ``None``: not listed."""
    listed, base = _languages(), language.replace("_", "-").split("-")[0]
    near = base if script(base) == script(language) else ""
    return listed.get(language) or listed.get(near)


def listed() -> tuple[str, ...]:
    """The languages there are words for."""
    return tuple(_languages())


def rendered(table: Table, style: Style, words: Words) -> str:
    """The table as text: all of it, in its order."""
    if style == "sentences":
        return "\n".join(_sentence(table, n, words) for n in range(len(table.rows)))
    rows = [[_piped(shown(cell)) for cell in row] for row in table.rows]
    columns = [_piped(column) for column in table.columns]
    if style == "markdown":
        lines = [columns, ["---"] * len(columns), *rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    opened = [(words.header, columns)]
    opened += [(words.row.format(n=n), cells) for n, cells in enumerate(rows, 1)]
    return "\n".join(f"{name}: {' | '.join(cells)}" for name, cells in opened)


def instruction(sql: str, columns: int, words: Words, rng: random.Random) -> str:
    """The question about a table that follows: the query, and how to write its result."""
    return rng.choice(instructions(sql, columns, words))


def instructions(sql: str, columns: int, words: Words) -> Sequence[str]:
    """Every way in which the question can be put."""
    form = words.rows if columns > 1 else words.values
    fenced = f"```sql\n{sql}\n```"
    return [f"{ask.replace('{sql}', fenced)}\n\n{form}" for ask in words.ask]


def _piped(text: str) -> str:
    """A bar within a cell is no border, and neither is a backslash before one."""
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _sentence(table: Table, at: int, words: Words) -> str:
    row = zip(table.columns, table.rows[at], strict=True)
    held = ({"column": name, "value": shown(cell) or words.empty} for name, cell in row)
    told = words.separator.join(_filled(words.cell, each) for each in held)
    return _filled(words.sentence, {"n": str(at + 1), "cells": told})


def _filled(form: str, slots: Mapping[str, str]) -> str:
    """All slots in one go: what is put in may itself look like a slot."""
    return _SLOT.sub(lambda slot: slots[slot[1]], form)
