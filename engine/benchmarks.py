"""The items of benchmark files, as texts with the place that each is from.

A file of JSON Lines, a parquet table or plain text (an item a line), or a folder of them. Which
fields are the benchmark's text is the user's to say; a field that is nowhere in a file is an
error, because a benchmark that was not read would look clean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from engine.core import JobError, Json

SUFFIXES = (".jsonl", ".json", ".parquet", ".txt")
"""Kinds of files: of JSON only one object a line."""
ROWS = 1000


class Item(NamedTuple):
    """A text of a benchmark, and where it stands: ``gsm8k.jsonl:17 question``."""

    place: str
    text: str


def benchmark_files(path: Path) -> list[Path]:
    """The benchmark files at ``path``, in order: itself, or those in the folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in files if file.is_file() and file.suffix.lower() in SUFFIXES]


def items(file: Path, fields: Sequence[str]) -> Iterator[Item]:
    """The texts in these fields of a file, an item for each text; of a text file, each line.

    Raises:
        JobError: it cannot be read, or has one of the fields in no row.
    """
    if file.suffix.lower() == ".txt":
        yield from (Item(f"{file.name}:{n}", line) for n, line in _lines(file) if line.strip())
        return
    missing, names = set(fields), list[str]()
    for number, row in _rows(file):
        names = names or sorted(row)
        for field in fields:
            there, value = _found(row, field.split(".")) if field not in row else (True, row[field])
            missing -= {field} if there else set()
            for text in texts_in(value):
                yield Item(f"{file.name}:{number} {field}", text)
    if missing:
        shown = ", ".join(names) or "no row"
        raise JobError(f"{file}: no row has {', '.join(sorted(missing))}; it has {shown}")


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Json]]]:
    if file.suffix.lower() == ".parquet":
        yield from _table(file)
        return
    for number, line in _lines(file):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise JobError(f"{file}:{number}: not a line of JSON ({error})") from error
        if not isinstance(row, dict):
            raise JobError(f"{file}:{number}: want an object like {{...}}")
        yield number, row


def _table(file: Path) -> Iterator[tuple[int, Mapping[str, Json]]]:
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pyarrow.ArrowException, OSError) as error:
        raise JobError(f"{file}: {' '.join(str(error).split())[:300]}") from error


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.open(encoding="utf-8-sig") as lines:
            yield from ((n, line.rstrip("\n")) for n, line in enumerate(lines, start=1))
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{file}: not a readable UTF-8 file: {error}") from error


def _found(row: Json, path: Sequence[str]) -> tuple[bool, Json]:
    """The value under a dotted name; through a list, that of each of its members."""
    if not path:
        return True, row
    if isinstance(row, list):
        each = [value for there, value in (_found(member, path) for member in row) if there]
        return bool(each), each
    if isinstance(row, Mapping) and path[0] in row:
        return _found(row[path[0]], path[1:])
    return False, None


def texts_in(value: Json) -> Iterator[str]:
    """The texts in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)
