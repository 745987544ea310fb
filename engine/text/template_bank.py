"""Templates of datasets, read from a file and ready to be rendered: dataset -> templates.

The file is YAML: for each dataset the expression that is its text, and templates, each with a
name, the type of task it makes, and a body with ``|||`` between input and target. The shipped one
is ``taxonomies/meta_template.yaml``. A template that does not print the text cannot be turned round
and is left out; anything that is wrong is an error with its place, before a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from engine import shipped
from engine.text.remixing import Remix, Unfit, remix
from engine.text.task_types import short


class Written(BaseModel, extra="forbid", frozen=True):
    """A template as the file has it."""

    name: str = Field(min_length=1)
    """Tells it apart from the dataset's other templates."""
    type: str
    """The task type, by its short or full name."""
    body: str
    """Jinja over the row's fields; input, ``|||``, target."""
    choices: str = ""
    """Answers with ``|||`` in between, for the body as the list ``answer_choices``."""


class Dataset(BaseModel, extra="forbid", frozen=True):
    """A dataset's entry."""

    context: str = Field(min_length=1)
    """A jinja expression over the row's fields: the text that tasks are about."""
    templates: Sequence[Written] = Field(min_length=1)


class Ready(NamedTuple):
    """A template that can be rendered."""

    name: str
    task_type: str
    """Short name."""
    remix: Remix


def bank(path: Path | None = None) -> Mapping[str, Sequence[Ready]]:
    """The templates of each dataset that print its text; by default those of the engine.

    Raises:
        ValueError: the file cannot be read, or a template cannot be used; says which and why.
    """
    path = path or shipped.folder("taxonomies") / "meta_template.yaml"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: not a readable file of templates: {error}") from error


@lru_cache(maxsize=8)
def _read(path: Path, changed_ns: int) -> Mapping[str, Sequence[Ready]]:
    """Read once for as long as the file stays what it is."""
    read = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    try:
        datasets = TypeAdapter(dict[str, Dataset]).validate_python(read)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{path}: {place or 'top'}: {first['msg']}") from error
    return {name: _ready(f"{path}: {name}", dataset) for name, dataset in datasets.items()}


def _ready(place: str, dataset: Dataset) -> Sequence[Ready]:
    found: dict[str, Ready | None] = {}
    for each in dataset.templates:
        if each.name in found:
            raise ValueError(f"{place}: two templates are called {each.name!r}")
        try:
            made = remix(each.body, dataset.context, each.choices)
            found[each.name] = Ready(each.name, short(each.type), made) if made else None
        except (Unfit, ValueError) as error:
            raise ValueError(f"{place}: {each.name}: {error}") from error
    return [ready for ready in found.values() if ready]
