"""The domains that documents of offices and of culture are about, and the tasks asked of them.

Data, so that a ministry or a museum brings its own (``taxonomies/cultural.yaml`` is the shipped
one): names are what is counted later, sentences are what a model is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, Field, ValidationError

from engine import shipped


class Task(BaseModel, extra="forbid", frozen=True):
    """One way to ask."""

    asks: str = Field(min_length=1)
    """What the instruction is to be, in English."""
    lines: bool = False
    """Whether each claim of the answer stands on a line of its own."""


class Taxonomy(BaseModel, extra="forbid", frozen=True):
    """What there is to choose from."""

    domains: Mapping[str, str] = Field(min_length=2)
    """Name -> what belongs to it, in English."""
    tasks: Mapping[str, Task] = Field(min_length=1)


def taxonomy(path: Path | None = None) -> Taxonomy:
    """The taxonomy in a file, by default that of the engine.

    Raises:
        ValueError: the file cannot be read or is none; says what is wrong.
    """
    path = path or shipped.folder("taxonomies") / "cultural.yaml"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: not a readable taxonomy: {error}") from error


@lru_cache(maxsize=8)
def _read(path: Path, changed_ns: int) -> Taxonomy:
    """Read once for as long as the file stays what it is."""
    read = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    try:
        return Taxonomy.model_validate(read)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{path}: {where + ': ' if where else ''}{first['msg']}") from error
