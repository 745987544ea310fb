"""Tables, and queries run on them in SQLite: what a table means here is what SQLite sees.

A table is cleaned once, when it is read: white space is one space, text is NFC, column names are
there and different, and a column is of numbers where every cell of it is a plain one. What is
shown to a model, what stands in a query and what SQLite compares is then the same.

"1.234" in German may be a thousand or one and a bit; a column that holds such numbers stays text
unless every cell is a number in the plain way (ASCII digits, a full stop, no separators, no
leading zero), because a type that is guessed wrong makes wrong answers.
"""

from __future__ import annotations

import contextlib
import math
import re
import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.core import Json
from engine.text.clean import clean

Cell = str | int | float | None
Row = tuple[Cell, ...]

NAME = "t"
"""What every table is called in a query."""
MOST_STEPS = 2_000_000
"""Instructions of SQLite's machine after which a query is ended: about 0.1 s."""
MOST_ROWS = 1_000
"""Rows of a result, at most."""
_TICK = 10_000
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?")
_WHOLE = 1 << 53
"""Whole numbers beyond are not exact everywhere: they stay text."""
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}


class TableError(ValueError):
    """A value that is no table."""


class QueryError(ValueError):
    """A query that gives no usable answer; says why in a few words."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows, clean; every row has a cell for each column."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def values(self, column: str) -> list[Cell]:
        """The cells of a column that hold something, from top to bottom."""
        at = self.columns.index(column)
        return [row[at] for row in self.rows if row[at] is not None]

    def is_number(self, column: str) -> bool:
        """Whether a column holds numbers, and holds one at all."""
        held = self.values(column)
        return bool(held) and not any(isinstance(cell, str) for cell in held)

    def dump(self) -> Json:
        """The table as JSON, as ``read`` takes it."""
        return {"columns": list(self.columns), "rows": [list(row) for row in self.rows]}


def read(value: Json, *, most_rows: int = 0, lowercase: bool = False) -> Table:
    """The table in a fact: ``{columns: [...], rows: [[...]]}`` or a list of mappings.

    ``header`` is another word for ``columns``. ``most_rows`` keeps the first so many (0: all),
    before anything is asked: an answer is never in a part that is not shown.

    Raises:
        TableError: it is none; says why.
    """
    names, rows = _parts(value)
    if not names or not rows:
        raise TableError("a table has a column and a row")
    if odd := next((n for n, row in enumerate(rows, 1) if len(row) != len(names)), 0):
        raise TableError(f"row {odd} has {len(rows[odd - 1])} cells, not {len(names)}")
    kept = rows[:most_rows] if most_rows else rows
    cells = [[_cell(cell, lowercase) for cell in row] for row in kept]
    columns = [_typed(list(column)) for column in zip(*cells, strict=True)]
    return Table(
        _different([_said(str(name), lowercase) for name in names]),
        tuple(zip(*columns, strict=True)),
    )


def shown(cell: Cell) -> str:
    """A cell as it is written, in tables, queries and answers; nothing is the empty text."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        plain = format(Decimal(repr(cell)), "f")
        return plain.removesuffix(".0") if plain != "-0.0" else "0"
    return str(cell)


def quoted(name: str) -> str:
    """A column's name as SQL has it, whatever characters it is made of."""
    return '"' + name.replace('"', '""') + '"'


def literal(cell: Cell) -> str:
    """A value as SQL has it."""
    return "'" + cell.replace("'", "''") + "'" if isinstance(cell, str) else shown(cell)


def execute(table: Table, sql: str) -> list[Row]:
    """The rows that a query selects; it can read this table and do nothing else.

    Raises:
        QueryError: it is no such query, or takes or gives too much.
    """
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        _fill(base, table)
        base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1 << 20)
        base.set_progress_handler(_Clock(), _TICK)
        base.set_authorizer(_authorised)
        try:
            rows = base.execute(sql).fetchmany(MOST_ROWS + 1)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            raise QueryError(f"sql_error: {error}") from error
    if len(rows) > MOST_ROWS:
        raise QueryError("too_many_rows")
    return rows


class _Clock:
    """Ends a query after so many steps; counted, not timed, so that it is the same everywhere."""

    def __init__(self) -> None:
        self._ticks = 0

    def __call__(self) -> int:
        self._ticks += 1
        return int(self._ticks * _TICK > MOST_STEPS)


def _authorised(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def _fill(base: sqlite3.Connection, table: Table) -> None:
    """Columns of text are TEXT; those of numbers have no type, so that 1 does not become 1.0."""
    typed = (
        f"{quoted(column)}{'' if table.is_number(column) else ' TEXT'}" for column in table.columns
    )
    try:
        base.execute(f"CREATE TABLE {NAME} ({', '.join(typed)})")
        marks = ", ".join("?" * len(table.columns))
        base.executemany(f"INSERT INTO {NAME} VALUES ({marks})", table.rows)
    except sqlite3.Error as error:  # more columns than SQLite takes
        raise QueryError(f"sql_error: {error}") from error


def _parts(value: Json) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
    if isinstance(value, Mapping):
        names, rows = value.get("columns", value.get("header")), value.get("rows")
    elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        names = list(dict.fromkeys(name for row in value for name in row))
        rows = [[row.get(name) for name in names] for row in value]
    else:
        raise TableError("want columns and rows, or a list of mappings")
    if not isinstance(names, list) or not isinstance(rows, list):
        raise TableError("want a list of columns and a list of rows")
    if not all(isinstance(row, list) for row in rows):
        raise TableError("every row is a list of cells")
    return names, rows


def _cell(cell: object, lowercase: bool) -> Cell:
    match cell:
        case None:
            return None
        case bool():
            return "true" if cell else "false"
        case int() if abs(cell) < _WHOLE:
            return cell
        case float() if math.isfinite(cell):
            return cell
        case str() | int() | float():
            return _said(str(cell), lowercase) or None
    raise TableError(f"a cell is text or a number, not {type(cell).__name__}")


def _said(text: str, lowercase: bool) -> str:
    """Text on one line without what cannot be seen or written; marks that join letters stay."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    plain = " ".join(unicodedata.normalize("NFC", clean(plain)).split())
    return plain.lower() if lowercase else plain


def _typed(column: list[Cell]) -> list[Cell]:
    """A column of numbers where every cell is a plain one, else of text."""
    held = [cell for cell in column if cell is not None]
    if all(not isinstance(cell, str) or _PLAIN.fullmatch(cell) for cell in held):
        return [_number(cell) if isinstance(cell, str) else cell for cell in column]
    return [cell if cell is None else shown(cell) for cell in column]


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _different(names: list[str]) -> tuple[str, ...]:
    """Names that SQLite tells apart; one that is missing or stands there twice gets a number."""
    found: dict[str, str] = {}
    for at, name in enumerate(names, 1):
        wanted = name or f"#{at}"
        while wanted.lower() in found:
            wanted = f"{name} #{at}" if wanted == name else f"{wanted}#"
        found[wanted.lower()] = wanted
    return tuple(found.values())
