"""SQL templates filled in from a table, and answers that only the table's content decides.

A template is SQL with slots; ``taxonomies/sql_templates.yaml`` says which slots there are. A
query is used where its answer is short, is there, and does not depend on what nobody is told: the
order of rows with the same value, or how NULL prints.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydantic import BaseModel, Field, TypeAdapter

from engine import shipped
from engine.symbolic.tables import Cell, QueryError, Row, Table, execute, literal, quoted, shown

_SLOT = re.compile(r"\{([ctn])([1-9])(?::(cell|other))?\}|\{k\}")
_ORDER = re.compile(r"\bORDER BY\b.+?(?=\s+LIMIT\b|$)", re.IGNORECASE | re.DOTALL)
_GROUPED = re.compile(r"\bGROUP BY\b", re.IGNORECASE)
LARGEST_K = 3
DECIMALS = 6
"""More in a result are an artefact of floating point, as in 0.30000000000000004."""
BETWEEN, BESIDE = ", ", " | "
"""Between the values of a single column, and between those of a row where there are several."""


class Template(BaseModel, extra="forbid", frozen=True):
    """A query with slots."""

    kind: str = Field(min_length=1)
    """What it asks for, e.g. ``count``; the mix of kinds is reported by it."""
    sql: str = Field(min_length=1)
    """Slots: see the file."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Slot of a column, e.g. ``n1``, to what the column holds: ``c``, ``t`` or ``n``."""
        found = (m for m in _SLOT.finditer(self.sql) if m[1])
        return {m[1] + m[2]: m[1] for m in found}


@dataclass(frozen=True, slots=True)
class Query:
    """A template filled in."""

    kind: str
    template: str
    sql: str


@lru_cache(maxsize=1)
def templates() -> tuple[Template, ...]:
    """The shipped templates, in the file's order."""
    path = shipped.folder("taxonomies") / "sql_templates.yaml"
    read = shipped.read(path)
    return tuple(TypeAdapter(list[Template]).validate_python(read))


def kinds() -> tuple[str, ...]:
    """What the shipped templates ask for."""
    return tuple(dict.fromkeys(template.kind for template in templates()))


def draw(table: Table, among: Sequence[Template], rng: random.Random) -> Query | None:
    """A template that the table has columns for, filled in; ``None`` where it fits none.

    Kinds have equal odds, then the templates of a kind. All cells called ``cell`` are of one row,
    so that conditions on several columns can be met; those called ``other`` are of another.
    """
    fitting = [template for template in among if _fits(template, table)]
    if not fitting:
        return None
    kind = rng.choice(list(dict.fromkeys(template.kind for template in fitting)))
    template = rng.choice([each for each in fitting if each.kind == kind])
    columns = _columns(template, table, rng)
    here, there = rng.sample(range(len(table.rows)), 2) if len(table.rows) > 1 else (0, 0)
    k = rng.randint(2, LARGEST_K)

    def filled(slot: re.Match[str]) -> str:
        if not slot[1]:
            return str(k)
        column = columns[slot[1] + slot[2]]
        if not slot[3]:
            return quoted(column)
        row = table.rows[here if slot[3] == "cell" else there]
        return _literal(row[table.columns.index(column)])

    return Query(kind, template.sql, _SLOT.sub(filled, template.sql))


def _literal(cell: Cell) -> str:
    return "NULL" if cell is None else literal(cell)  # nothing equals NULL: no rows, so no answer


def _fits(template: Template, table: Table) -> bool:
    wanted = Counter(template.columns.values())
    numbers = sum(map(table.is_number, table.columns))
    words = len(table.columns) - numbers
    few = wanted["n"] > numbers or wanted["t"] > words
    return not few and sum(wanted.values()) <= len(table.columns)


def _columns(template: Template, table: Table, rng: random.Random) -> dict[str, str]:
    """A column of the right kind for each slot, no column twice."""
    left = rng.sample(table.columns, len(table.columns))
    found: dict[str, str] = {}
    for slot, holds in sorted(template.columns.items(), key=lambda each: "ntc".index(each[1])):
        fits = (c for c in left if holds == "c" or table.is_number(c) == (holds == "n"))
        found[slot] = next(fits)
        left.remove(found[slot])
    return found


def answer(table: Table, sql: str) -> list[list[str]]:
    """The rows of the result, as they are written.

    Raises:
        QueryError: there is none, it holds NULL, or it depends on the order of the rows.
    """
    rows = execute(table, sql)
    if not rows:
        raise QueryError("empty")
    if any(cell is None for row in rows for cell in row):
        raise QueryError("null")
    if not all(_same(rows, others, sql) for others in _otherwise(table, sql)):
        raise QueryError("depends_on_order")
    if len(rows) > 1 and _GROUPED.search(sql) and not _ORDER.search(sql):
        raise QueryError("depends_on_order")
    if any(isinstance(c, float) and _decimals(c) > DECIMALS for row in rows for c in row):
        raise QueryError("inexact")
    return [[shown(cell) for cell in row] for row in rows]


def joined(rows: Sequence[Sequence[str]]) -> str:
    """The result as an answer: one value after another, or a line for each row of several values.

    Raises:
        QueryError: a value holds what stands between values, so that nobody could take it apart.
    """
    if len(rows) == 1 and len(rows[0]) == 1:
        return rows[0][0]
    several = len(rows[0]) > 1
    sign = BESIDE.strip() if several else BETWEEN.strip()
    if any(sign in value for row in rows for value in row):
        raise QueryError("ambiguous")
    lines = [BESIDE.join(row) for row in rows]
    return "\n".join(lines) if several else BETWEEN.join(lines)


def _same(rows: Sequence[Row], others: Sequence[Row], sql: str) -> bool:
    """Whether two results are equal: as lists where the query orders them, else as bags."""
    if _ORDER.search(sql):
        return rows == others
    return sorted(map(repr, rows)) == sorted(map(repr, others))


def _otherwise(table: Table, sql: str) -> Iterator[list[Row]]:
    """What else the query could return where it leaves an order open.

    The table upside down; equal values put in another order; and the table begun at every row,
    where the query takes the first of what a query within it finds.
    """
    yield execute(Table(table.columns, table.rows[::-1]), sql)
    if _ORDER.search(sql):
        yield execute(table, _ORDER.sub(r"\g<0>, 1 ASC", sql, count=1))
        yield execute(table, _ORDER.sub(r"\g<0>, 1 DESC", sql, count=1))
    if "(SELECT" in sql.upper():
        for at in range(1, len(table.rows)):
            yield execute(Table(table.columns, table.rows[at:] + table.rows[:at]), sql)


def _decimals(number: float) -> int:
    return len(shown(number).partition(".")[2])
