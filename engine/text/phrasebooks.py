"""What a method says, by language: one entry of one shape for each, kept as YAML.

A language is added in the file, without code; in one that is missing nothing is said in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel

from engine import shipped
from engine.text.scripts import script

E = TypeVar("E", bound=BaseModel)


def phrasebook(name: str, entry: type[E]) -> dict[str, E]:
    """The entries of a shipped file, e.g. ``mosaic``, by language tag."""
    path = shipped.folder("taxonomies") / f"{name}.yaml"
    read = shipped.read(path)
    return {tag: entry.model_validate(said) for tag, said in read.items()}


def entry_for(book: Mapping[str, E], language: str) -> E | None:
    """The entry of a tag, else of its base language in the same script; ``None``: not listed."""
    base = language.replace("_", "-").split("-")[0]
    near = base if script(base) == script(language) else ""
    return book.get(language) or book.get(near)
