"""Parquet shards with a dataset card: what ``datasets.load_dataset(folder)`` and the hub read.

Rows are written as they come, a thousand to a row group, under the format's fixed schema, so
memory stays flat and the same records give the same bytes. Shards are written aside and the
whole ``data`` folder is swapped in at the end: half a dataset is never seen.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from pydantic import Field

from engine.core import Record
from engine.rows import Shape, Sink, Splits, row, schema
from engine.storage import explained

if TYPE_CHECKING:
    import pyarrow

GROUP = 1000
"""Rows in one row group: what is in memory at a time."""
LARGEST = 2**30
"""Bytes of JSON that are read in one piece; Arrow's own limit is twice that."""


class Params(Shape):
    """How rows are shaped and shards are cut."""

    rows_per_shard: int = Field(default=100_000, ge=1)
    """Rows in one file."""


def write(splits: Splits, folder: Path, params: Params, card: str) -> list[Path]:
    """Write every split as ``data/SPLIT-00000-of-00002.parquet``, and ``README.md``.

    Raises:
        JobError: the format cannot express a record.
        LedgerError: the folder cannot be written, or the disk is full.
    """
    aside = folder / ".data.new"
    with explained(folder):
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            names = [
                n for split, read in splits.items() for n in _split(split, read(), aside, params)
            ]
            (aside / "README.md").write_text(card, encoding="utf-8")
            _swap(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return [folder / "README.md", *(folder / "data" / name for name in names)]


def _swap(aside: Path, folder: Path) -> None:
    """Put the new files where the old ones were; the card lies above the shards."""
    data, old = folder / "data", folder / ".data.old"
    shutil.rmtree(old, ignore_errors=True)
    (aside / "README.md").replace(folder / "README.md")
    if data.exists():
        data.rename(old)
    aside.rename(data)
    shutil.rmtree(old, ignore_errors=True)


def _split(name: str, records: Iterator[Record], folder: Path, params: Params) -> list[str]:
    """The shards of one split; a split without records is one empty shard."""
    shards: list[Path] = []
    while (first := next(records, None)) is not None or not shards:
        shards.append(folder / f"{name}-{len(shards):05d}.parquet")
        rest = islice(records, params.rows_per_shard - 1)
        _shard(shards[-1], iter(()) if first is None else _chain(first, rest), params)
    named = [f"{name}-{i:05d}-of-{len(shards):05d}.parquet" for i in range(len(shards))]
    for shard, final in zip(shards, named, strict=True):
        shard.rename(folder / final)
    return named


def _chain(first: Record, rest: Iterator[Record]) -> Iterator[Record]:
    yield first
    yield from rest


def _shard(path: Path, records: Iterator[Record], params: Params) -> None:
    from pyarrow import parquet

    columns = schema(params.format)
    with parquet.ParquetWriter(path, columns, compression="zstd") as writer:
        while rows := [row(record, params.format) for record in islice(records, GROUP)]:
            for lines in blocks([orjson.dumps(row) for row in rows]):
                writer.write_table(_table(lines, columns))


def blocks(lines: list[bytes], largest: int = LARGEST) -> Iterator[bytes]:
    """The lines in as few pieces as Arrow's reader takes."""
    whole = b"\n".join(lines)
    if len(whole) < largest or len(lines) == 1:
        yield whole
        return
    half = len(lines) // 2
    yield from blocks(lines[:half], largest)
    yield from blocks(lines[half:], largest)


def _table(lines: bytes, columns: pyarrow.Schema) -> pyarrow.Table:
    """Rows as Arrow reads them from JSON: in C++, where ``from_pylist`` loads pandas (50 MB)."""
    from pyarrow import json

    reading = json.ReadOptions(use_threads=False, block_size=len(lines) + 1)
    parsing = json.ParseOptions(explicit_schema=columns, unexpected_field_behavior="error")
    return json.read_json(io.BytesIO(lines), reading, parsing).select(columns.names)


SINK = Sink(write, Params, "data/{split}-*.parquet")
