"""Seeds from a parquet file: one row a seed, in file order.

Only the columns that the job names are read, a thousand rows at a time. A folder of shards, or
anything else that ``datasets`` knows, is read by the source ``hub``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.core import JobError, Record
from engine.fields import Fields, seed
from engine.kit import InputPath, Source, Well

BATCH = 1000
"""Rows in memory at a time."""


class Params(Fields):
    """Where the table is, and which column is what."""

    path: InputPath
    """The file, relative to the job file."""


def read(well: Well[Params]) -> Iterator[Record]:
    """One seed a row; rows are counted from 1."""
    path = well.params.path
    for number, row in enumerate(_rows(well.params), start=1):
        yield seed(row, number, f"{path}: row {number}", well)


def _rows(params: Params) -> Iterator[dict[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(params.path) as table:
            columns = params.columns(table.schema_arrow.names, str(params.path))
            for batch in table.iter_batches(BATCH, columns=columns):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise JobError(f"{params.path}: {' '.join(str(error).split())[:300]}") from error


SOURCE = Source(read, Params)
