"""The domains that documents of offices and of culture are about, and the tasks asked of them.

Data, so that a ministry or a museum brings its own (``taxonomies/cultural.yaml`` is the shipped
one): names are what is counted later, sentences are what a model is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from engine import shipped

COMPLAINTS = {
    "leaks_document": "the instruction gives the answer away: it has the answer's own words",
    "points_at_document": "the instruction speaks of a text, which whoever reads it has not seen",
    "no_instruction": "the instruction is missing, far too long, or says that it cannot be written",
    "empty_answer": "the claims are empty",
    "copied_prompt": "the answer only repeats the instruction",
    "wrong_language": "the instruction or the answer is in another language",
    "wrong_script": "the instruction or the answer is in another script",
}
"""Reason of a drop -> what the model that writes again is told."""


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

    @model_validator(mode="after")
    def _apart(self) -> Taxonomy:
        if len(self.by_folded) < len(self.domains) or "" in self.by_folded:
            raise ValueError("two domains differ in capitals or blanks alone, or one has no name")
        return self

    @property
    def by_folded(self) -> dict[str, str]:
        """The names of the domains by how they are compared: models write capitals as they like."""
        return {name.strip().casefold(): name for name in self.domains}


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


def complaint(fault: str) -> str:
    """What to tell the model that writes again, for a reason of ``request_fault`` and the like."""
    return COMPLAINTS.get(fault, f"the instruction or the answer: {fault.replace('_', ' ')}")


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
