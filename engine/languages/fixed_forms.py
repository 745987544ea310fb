"""Fixed forms for rows that people wrote in one language, asked for in another: data, not code.

A form says which fields of a row are given and which is the answer (``taxonomies/
cross_lingual_forms.yaml``); the words that ask are there by language. A row fits a form
that it has all fields for. ``translated`` is the
row's meaning in the language that asks: a gloss of a word, or, where the form is ``across``, the
fields of the same article as people wrote it in that language.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from pydantic import BaseModel, Field

from engine import shipped
from engine.core import Json
from engine.languages.native_names import name_in
from engine.text.phrasebooks import entry_for

FILE = "cross_lingual_forms.yaml"
TRANSLATED = "translated"
Row = Mapping[str, Json]


class Form(BaseModel, extra="forbid", frozen=True):
    """One way to make a task of a row."""

    task: str
    """What is asked for; the words are found under it."""
    given: tuple[str, ...] = Field(min_length=1)
    """Fields that are shown."""
    answer: str
    """The field that is the answer."""
    across: bool = False
    """Whether the fields that are shown are those of the row's translation."""
    one: bool = False
    """Whether one of a list is the answer, drawn, and not all of it."""
    examples: bool = False
    """Whether solved tasks may stand before it: only where they are short."""


class Words(BaseModel, extra="forbid", frozen=True):
    """How one language asks."""

    tasks: Mapping[str, tuple[str, ...]]
    """Task -> sentences, with ``{language}`` as it stands in a dictionary, and slots for words."""
    labels: Mapping[str, str]
    """Field -> what stands before it where it is shown below the sentence."""
    example: str
    """What stands above example ``{number}``."""
    now: str
    """What stands above the task itself, behind examples."""


class Book(BaseModel, extra="forbid", frozen=True):
    """All forms, and all languages that ask."""

    forms: Mapping[str, Form]
    words: Mapping[str, Words]


class Posed(NamedTuple):
    """A row as a task."""

    sentence: str
    """What asks."""
    material: str
    """What is shown below it, each under its label; empty where the sentence holds it all."""
    answer: str
    place: int
    """Of the sentence among those of its task."""

    @property
    def asked(self) -> str:
        """The whole question."""
        return f"{self.sentence}\n\n{self.material}".strip()


@lru_cache(maxsize=1)
def book() -> Book:
    """The shipped forms and words."""
    return Book.model_validate(shipped.read(shipped.folder("taxonomies") / FILE))


def words_of(asked_in: str) -> Words:
    """The words of a language, or of its base language in the same script.

    Raises:
        ValueError: there are none.
    """
    found = entry_for(book().words, asked_in)
    if found is None:
        raise ValueError(f"no words in {asked_in}; there are {', '.join(book().words)}")
    return found


def fitting(row: Row, names: Sequence[str], asked_in: str, language: str) -> list[str]:
    """Those of the forms that the row has all fields for, asked in another language than its own.

    None where the language that asks has no name for the row's.
    """
    if asked_in.split("-")[0] == language.split("-")[0] or not name_in(asked_in, language):
        return []
    return [name for name in names if all(_values(book().forms[name], row, asked_in))]


def pose(
    name: str, row: Row, asked_in: str, language: str, draw: random.Random, place: int | None = None
) -> Posed:
    """The row as a task of a form that fits it; ``place`` is the sentence's, drawn if not given."""
    form, words = book().forms[name], words_of(asked_in)
    given, answers = _values(form, row, asked_in)
    at = draw.randrange(len(words.tasks[form.task])) if place is None else place
    asked = words.tasks[form.task][at]
    for slot, text in {**given, "language": name_in(asked_in, language)}.items():
        asked = asked.replace(f"{{{slot}}}", text)
    labelled = [field for field in form.given if field in words.labels]
    material = "\n\n".join(f"{words.labels[field]}\n{given[field]}" for field in labelled)
    return Posed(asked, material, draw.choice(answers) if form.one else "\n".join(answers), at)


def rows_in(value: Json) -> list[Row]:
    """The rows that a fact holds; what is none is left out."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def own_words(row: Row, name: str) -> bool:
    """Whether the row calls the answer of a form its own language's, or says nothing of it."""
    said = row.get("provenance")
    made = said.get(book().forms[name].answer) if isinstance(said, Mapping) else None
    return made in (None, "native")


def with_examples(solved: Sequence[Posed], asked: str, asked_in: str) -> str:
    """A task behind solved ones, in one text."""
    words = words_of(asked_in)
    shown = (
        f"{words.example.replace('{number}', str(number))}\n{each.asked}\n→ {each.answer}"
        for number, each in enumerate(solved, start=1)
    )
    return "\n\n".join([*shown, f"{words.now}\n{asked}"])


def fields() -> set[str]:
    """Facts of a row that a record made of it has in its turns, or does not need."""
    forms = book().forms.values()
    return {"others", "translations"}.union(*({form.answer, *form.given} for form in forms))


def _values(form: Form, row: Row, asked_in: str) -> tuple[dict[str, str], list[str]]:
    """What a form shows of a row, and its answers; both empty where a field is missing."""
    translations = row.get("translations")
    other = translations.get(asked_in) if isinstance(translations, Mapping) else None
    shown = other if form.across else {**row, TRANSLATED: other}
    if not isinstance(shown, Mapping):
        return {}, []
    given = {name: _text(shown.get(name)) for name in form.given}
    answers = _texts(row.get(form.answer))
    return (given, answers) if all(given.values()) and answers else ({}, [])


def _text(value: Json) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Json) -> list[str]:
    """The texts of a field that holds one or a list."""
    found = map(_text, value if isinstance(value, list) else [value])
    return [text for text in found if text]
