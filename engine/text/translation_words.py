"""How one asks for a translation, by language: sentences as data, for bitext as instructions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pydantic import BaseModel, Field, field_validator

from engine.text.phrasebooks import entry_for, phrasebook

FILE = "translation_tasks"


class Wording(BaseModel, extra="forbid", frozen=True):
    """The sentences of one language."""

    templates: tuple[str, ...] = Field(min_length=1)
    """Each names ``{source}`` and ``{target}`` once, as they stand in a dictionary."""

    @field_validator("templates")
    @classmethod
    def _named(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            if each.count("{source}") != 1 or each.count("{target}") != 1:
                raise ValueError(f"{each!r} names {{source}} and {{target}} once each")
        if len(set(given)) != len(given):
            raise ValueError("two templates are the same")
        return given


@lru_cache(maxsize=1)
def _book() -> Mapping[str, Wording]:
    return phrasebook(FILE, Wording)


def templates(language: str) -> tuple[str, ...]:
    """The sentences that ask for a translation in this language; empty where there are none."""
    wording = entry_for(_book(), language)
    return wording.templates if wording else ()
