"""Tables from a folder, again and again: a seed is one table, with its name and its language.

For methods that ask many things about one table there is no end to the seeds: each round through
the folder goes by another order. Each file is a CSV (``.csv``, or ``.tsv`` with tabs) with a header
line; ``de-berge.csv`` is German. Values are text, as the file has them; what reads a table decides
which columns are numbers (``engine.symbolic.tables``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from pydantic import Field

from engine.core import JobError, Json, Record
from engine.fields import Provenance, Tag, tag
from engine.kit import InputPath, Source, Well
from engine.symbolic.tables import TableError
from engine.symbolic.tables import read as checked
from engine.text.clean import clean


class Params(Provenance):
    """Where the tables are, and which language they are in."""

    path: InputPath
    """A folder (its own files, not those of sub-folders), or one file."""
    language: Tag = ""
    """BCP-47 tag of every table; empty: what a file's name begins with, as in ``zh-tea.csv``."""
    max_rows: int = Field(default=1000, ge=1)
    """Rows that a table may have; a larger one is an error, since it is held in memory."""


def read(well: Well[Params]) -> Iterator[Record]:
    """Seed ``n`` is the same at every start, in whatever round it is taken."""
    tables = list(_tables(well.params))
    if not tables:
        raise JobError(f"{well.params.path}: no table: there is no .csv or .tsv file")
    origin = well.params.facts(well.name)
    for number in count(well.start):
        turn, at = divmod(number, len(tables))
        order = well.random("order", turn).sample(range(len(tables)), len(tables))
        name, language, table = tables[order[at]]
        facts: dict[str, Json] = {"table": table, "title": name, "take": turn}
        yield Record(well.id(name, turn), language, (), facts | origin)


def _tables(params: Params) -> Iterator[tuple[str, str, Json]]:
    folder = params.path
    files = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    for file in files:
        if file.suffix.lower() in (".csv", ".tsv") and not file.name.startswith("."):
            yield clean(file.stem), params.language or _language(file), _table(file, params)


def _language(file: Path) -> str:
    try:
        return tag(file.stem.partition("-")[0])
    except ValueError as error:
        why = f"its name does not begin with a language tag, as in de-{file.name}: {error}"
        raise JobError(f"{file}: {why}; or set `language`") from error


def _table(file: Path, params: Params) -> Json:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        tabs = file.suffix.lower() == ".tsv"
        lines = csv.reader(io.StringIO(text, newline=""), "excel-tab" if tabs else "excel")
        header, *rows = [line for line in lines if line] or [[]]
        table: Json = {"columns": header, "rows": rows}
        checked(table)
    except (OSError, UnicodeDecodeError, csv.Error, TableError) as error:
        raise JobError(f"{file}: not a table in UTF-8: {error}") from error
    if len(rows) > params.max_rows:
        raise JobError(f"{file}: {len(rows)} rows, more than max_rows ({params.max_rows})")
    return table


SOURCE = Source(read, Params, endless=True)
