"""Sixteen kinds of task that a text can be turned into, and the form in which a model is told.

A task is two texts, input and output, in which a slot stands for the text they are about, so that
nobody copies a long passage. A model that is trained for it is shown the kind and the text
between marks and writes both parts with a separator in between; what it writes is used only where
it can be taken apart in one way.

Source: Nayak, Nan, Trost, Bach, "Learning to Generate Instruction Tuning Datasets for Zero-Shot
Task Adaptation", 2024, arXiv:2402.18334 (kinds, marks and slot: those the released model has
learnt).
Differs: the slot is also found with blanks or none in its braces, where a job allows for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import regex
from pydantic import BaseModel, TypeAdapter

from engine import shipped
from engine.core import Json

SLOT = "{{context}}"
"""Stands for the text."""
SEPARATOR = "<|pipe|>"
"""Between a task's input and its output."""
TYPE_MARK, CONTEXT_MARK, TASK_MARK = "<|tasktype|>", "<|context|>", "<|task|>"
MARKS = (TYPE_MARK, CONTEXT_MARK, TASK_MARK, SEPARATOR)

_LIKE_SLOT = regex.compile(r"\{\{\s*context\s*\}\}|(?<!\{)\{\s*context\s*\}(?!\})", regex.I)


class Kind(BaseModel, extra="forbid", frozen=True):
    """A kind of task."""

    name: str
    """In full, as a trained model expects it."""
    input: str
    """What its input holds, in English."""
    output: str
    """What its output is, in English."""


class Parts(NamedTuple):
    """A task."""

    input: str
    output: str


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, Kind]:
    """The kinds by short name, in the file's order."""
    path = shipped.folder("taxonomies") / "bonito.yaml"
    read = shipped.read(path)
    return TypeAdapter(dict[str, Kind]).validate_python(read)


def short(name: str) -> str:
    """The short name of a kind that is given by its short or its full one.

    Raises:
        ValueError: there is no such kind.
    """
    if name in kinds():
        return name
    found = next((short for short, kind in kinds().items() if kind.name == name), "")
    if not found:
        raise ValueError(f"no task type {name!r}; there are {', '.join(kinds())}")
    return found


def stated(value: Json) -> list[str]:
    """Short names of the kinds in a fact: a list of names, or one; none where nothing is stated.

    Raises:
        ValueError: there is no such kind.
    """
    names = value if isinstance(value, list | tuple) else [value] if value else []
    return list(dict.fromkeys(short(str(name)) for name in names))


def conditional(name: str, context: str) -> str:
    """What a trained model is shown: the kind's full name and the text, each under its mark."""
    head = f"{TYPE_MARK}\n{kinds()[name].name}\n"
    return f"{head}{CONTEXT_MARK}\n{context.strip()}\n{TASK_MARK}\n"


def written(task: Parts) -> str:
    """What a trained model learns to write: both parts, the separator on a line of its own."""
    return f"{task.input}\n{SEPARATOR}\n{task.output}"


def taken_apart(completion: str) -> Parts | None:
    """The two parts of what a trained model wrote; ``None`` unless it holds one separator."""
    parts = completion.split(SEPARATOR)
    return Parts(parts[0].strip(), parts[1].strip()) if len(parts) == 2 else None


def filled(task: Parts, context: str) -> Parts:
    """The task with the text, stripped, in place of every slot of both parts."""
    text = context.strip()
    return Parts(*(part.replace(SLOT, text).strip() for part in task))


def slotted(task: Parts) -> Parts:
    """The task with slots as they should be, where a model wrote one nearly so."""
    return Parts(*(_LIKE_SLOT.sub(lambda _: SLOT, part).strip() for part in task))


def appended(task: Parts) -> Parts:
    """The task with a slot below its input, where that has none."""
    return task if SLOT in task.input else Parts(f"{task.input}\n\n{SLOT}", task.output)


def marked(text: str) -> str:
    """The first mark that stands in a text, which could then not be told from its form."""
    return next((mark for mark in MARKS if mark in text), "")
