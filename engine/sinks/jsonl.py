"""JSON Lines with a dataset card: one file a split, one object a line, readable by everything.

Each file is written aside and then put in place, so none is ever half written. Keys are in the
order of the format's schema; the same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

from engine.rows import Shape, Sink, Splits, row
from engine.storage import explained

USUAL = ("train", "validation", "test")
"""Splits whose files an earlier export may have left; they go where this one has none."""


def write(splits: Splits, folder: Path, params: Shape, card: str) -> list[Path]:
    """Write every split as ``SPLIT.jsonl``, and ``README.md``.

    Raises:
        JobError: the format cannot express a record.
        LedgerError: the folder cannot be written, or the disk is full.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        files: dict[Path, Iterable[bytes]] = {
            folder / f"{split}.jsonl": (orjson.dumps(row(r, params.format)) + b"\n" for r in read())
            for split, read in splits.items()
        }
        files[folder / "README.md"] = [card.encode()]
        _replace(files)
        for split in set(USUAL) - splits.keys():
            (folder / f"{split}.jsonl").unlink(missing_ok=True)
    return list(files)


def _replace(files: dict[Path, Iterable[bytes]]) -> None:
    """Write all of them aside before the first is put in place."""
    aside = {path.with_name(f".{path.name}.new"): path for path in files}
    try:
        for new, path in aside.items():
            with new.open("wb") as file:
                file.writelines(files[path])
        for new, path in aside.items():
            new.replace(path)
    finally:
        for new in aside:
            new.unlink(missing_ok=True)


SINK = Sink(write, Shape, "{split}.jsonl")
