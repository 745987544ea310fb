"""What a language has to offer for constraints: their wording, and words to draw from.

Read from ``taxonomies/constraints.yaml``; a language is added there, without code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pydantic import BaseModel, Field

from engine import shipped
from engine.text.scripts import script

Wordings = tuple[str, ...]


class Stock(BaseModel, extra="forbid", frozen=True):
    """One language's entry."""

    wording: Mapping[str, Wordings | Mapping[str, Wordings]] = Field(default_factory=dict)
    """Type -> sentences, or for a type that counts: relation -> sentences."""
    words: tuple[str, ...] = ()
    """General words of the language."""
    endings: tuple[str, ...] = ()
    """Sentences an answer can close with."""
    postscripts: tuple[str, ...] = ()
    """What opens a postscript."""
    sections: tuple[str, ...] = ()
    """What stands before the number of a section."""
    options: tuple[tuple[str, ...], ...] = ()
    """Sets of set phrases to answer with."""
    quotes: tuple[str, str] = ('"', '"')
    """Around a word that is quoted."""
    separator: str = ", "
    """Between listed words."""
    joiner: str = " "
    """Between sentences."""


EMPTY = Stock()


@lru_cache(maxsize=1)
def stocks() -> Mapping[str, Stock]:
    """Every listed language's stock, by tag."""
    path = shipped.folder("taxonomies") / "constraints.yaml"
    read = shipped.read(path)
    return {tag: Stock.model_validate(entry) for tag, entry in read.items()}


@lru_cache(maxsize=1024)
def stock_for(language: str) -> Stock:
    """The stock of a tag, else of its base language in the same script, else the empty one."""
    if found := stocks().get(language):
        return found
    base = language.replace("_", "-").split("-")[0]
    return stocks().get(base, EMPTY) if script(base) == script(language) else EMPTY
