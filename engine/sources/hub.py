"""Seeds from any dataset that ``datasets`` loads: by its hub name, or a local folder or file.

Read as a stream where possible, so a dataset of a terabyte needs neither disk nor memory. A path
that exists beside the job file is local; anything else is a name on the hub. Code that comes
with a dataset is never run. Pin ``revision`` where a run must be repeatable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from engine.core import JobError, Record
from engine.fields import Fields, seed
from engine.kit import Source, Well

BUILDERS = {
    ".parquet": "parquet",
    ".jsonl": "json",
    ".json": "json",
    ".csv": "csv",
    ".arrow": "arrow",
}
"""How ``datasets`` reads a single file, by its ending."""


class Params(Fields):
    """Which dataset, and which column is what."""

    path: str = Field(min_length=1)
    """A name on the hub such as ``owner/name``, or a folder or file relative to the job file."""
    name: str = ""
    """The dataset's configuration, where it has several."""
    split: str = "train"
    """The split, in the syntax of ``datasets``."""
    revision: str = ""
    """Branch, tag or commit on the hub; empty: the newest."""

    @field_validator("path")
    @classmethod
    def _local_or_named(cls, path: str, info: ValidationInfo) -> str:
        base: Path = (info.context or {}).get("base", Path())
        found = (base / Path(path).expanduser()).resolve()
        if found.exists():
            return str(found)
        if path.startswith((".", "/", "~")) or path.count("/") > 1 or found.suffix in BUILDERS:
            raise ValueError(f"there is no {path} (looked for {found})")
        return path


def read(well: Well[Params]) -> Iterator[Record]:
    """One seed a row, in the dataset's order."""
    return seeds(well, load)


def seeds(well: Well[Params], load: Callable[[Params], Any]) -> Iterator[Record]:
    """The rows of the dataset that ``load`` opens, as seeds."""
    params = well.params
    for number, row in enumerate(_rows(params, load), start=1):
        yield seed(row, number, f"{params.path} ({params.split}): row {number}", well)


def load(params: Params) -> Any:
    """The dataset, as a stream unless it was written by ``save_to_disk``."""
    import datasets

    local = Path(params.path)
    if any((local / mark).is_file() for mark in ("state.json", "dataset_dict.json")):
        saved = datasets.load_from_disk(params.path)
        return saved[params.split] if isinstance(saved, datasets.DatasetDict) else saved
    file = local.is_file()
    return datasets.load_dataset(
        BUILDERS.get(local.suffix, params.path) if file else params.path,
        params.name or None,
        data_files=params.path if file else None,
        split=params.split,
        revision=None if local.exists() else params.revision or None,
        streaming=True,
    )


def _rows(params: Params, load: Callable[[Params], Any]) -> Iterable[dict[str, Any]]:
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HfHubHTTPError

    # The bases are the hub client's HTTP library's own errors, which changed from 0.x to 2.x.
    failures = (OSError, ValueError, KeyError, DatasetsError, *HfHubHTTPError.__bases__)
    try:
        table = load(params)
        if table.column_names:
            table = table.select_columns(params.columns(table.column_names, params.path))
        yield from table
    except failures as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise JobError(f"dataset {params.path!r} cannot be read: {reason}") from error


SOURCE = Source(read, Params)
