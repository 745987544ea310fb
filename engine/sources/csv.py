"""Seeds from a CSV file with a header line: one row a seed, in file order.

Every value is text, as the file has it: a column of digits is not turned into numbers, because
a type guessed from the first block is wrong in some later one. Read in blocks by pyarrow;
quoted values may hold line breaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field

from engine.core import JobError, Record
from engine.fields import Fields, seed
from engine.kit import InputPath, Source, Well

if TYPE_CHECKING:
    from pyarrow.csv import CSVStreamingReader

BLOCK = 16 << 20
"""Bytes read at a time; one row must fit in it."""


class Params(Fields):
    """Where the table is, and which column is what."""

    path: InputPath
    """The file, relative to the job file; UTF-8, plain or compressed (``.csv.gz``)."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """The character between two values."""


def read(well: Well[Params]) -> Iterator[Record]:
    """One seed a row; rows are counted from 1, the header not among them."""
    path = well.params.path
    for number, row in enumerate(_rows(well.params), start=1):
        yield seed(row, number, f"{path}: row {number}", well)


def _rows(params: Params) -> Iterator[dict[str, Any]]:
    import pyarrow

    try:
        with _open(params) as table:
            columns = params.columns(table.schema.names, str(params.path))
        with _open(params, columns) as table:
            for batch in table:
                yield from batch.to_pylist()
    except pyarrow.ArrowInvalid as error:
        raise JobError(f"{params.path}: {' '.join(str(error).split())[:300]}") from error
    except OSError as error:
        raise JobError(f"{params.path}: cannot be read: {error}") from error


def _open(params: Params, columns: list[str] | None = None) -> CSVStreamingReader:
    import pyarrow
    from pyarrow import csv

    return csv.open_csv(
        params.path,
        csv.ReadOptions(block_size=BLOCK),
        csv.ParseOptions(delimiter=params.delimiter, newlines_in_values=True),
        csv.ConvertOptions(
            include_columns=columns or [],
            column_types=dict.fromkeys(columns or [], pyarrow.string()),
            strings_can_be_null=False,
        ),
    )


SOURCE = Source(read, Params)
