"""Seeds from a JSON Lines file: one object a line, in file order.

The file is read line by line and never held whole. A line that is no object, or lacks what the
job asks for, ends the job with its number: a wrong column name should cost a second, not a
night. Blank lines and a byte order mark are nobody's mistake and are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.core import JobError, Record
from engine.fields import Fields, seed
from engine.kit import InputPath, Source, Well


class Params(Fields):
    """Where the lines are, and which field is what."""

    path: InputPath
    """The file, relative to the job file."""


def read(well: Well[Params]) -> Iterator[Record]:
    """One seed a line."""
    for number, row in _rows(well.params.path):
        yield seed(row, number, f"{well.params.path}:{number}", well)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        with path.open("rb") as lines:
            for number, raw in enumerate(lines, start=1):
                line = _decoded(raw.removeprefix(b"\xef\xbb\xbf"), f"{path}:{number}")
                if line.strip():
                    yield number, _object(line, f"{path}:{number}")
    except OSError as error:
        raise JobError(f"{path}: cannot be read: {error.strerror}") from error


def _decoded(raw: bytes, place: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = raw[error.start]
        raise JobError(f"{place}: not UTF-8: byte 0x{byte:02x} at {error.start + 1}") from error


def _object(line: str, place: str) -> Mapping[str, object]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise JobError(f"{place}:{error.colno}: not JSON: {error.msg}: {line[:60]!r}") from error
    except (ValueError, RecursionError) as error:  # a number of 4,300 digits; 1,000 brackets deep
        raise JobError(f"{place}: not usable JSON: {error}: {line[:60]!r}") from error
    if not isinstance(row, dict):
        raise JobError(f"{place}: want an object like {{...}}, found {line[:60].strip()!r}")
    return row


SOURCE = Source(read, Params)
