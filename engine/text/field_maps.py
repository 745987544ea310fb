"""Tasks over the fields of a dataset: what a task may name, how a row is written, what is a label.

A task says by which fields of a row it is put and by which it is answered. Which fields there are,
whether the answers are labels, and whether they are spread well enough to be learnt from, is read
off the rows; nobody is asked. Words between fields are data by language.

Source: Yin, Liu, Yin, Zhong, Bansal, Han, Chang, "Dynosaur: A Dynamic Growth Paradigm for
Instruction-Tuning Data Curation", 2023, arXiv:2305.14327 (label spaces, limits, rows in words).
Differs: shares in place of counts in 100 rows; a set of answers is a label space only where each
was seen twice on average, since in a small dataset everything is rare; choices are known by the
answer being one of them and not by an English name; an id is a word of a name (not of ``video``).
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex
import yaml
from pydantic import BaseModel, TypeAdapter

from engine import shipped
from engine.core import Json
from engine.text.scripts import script

Row = Mapping[str, Json]

LOOKED_AT = 100
"""Rows that decide what is a label."""
MOST_LABELS = 10
SHORT = 15
"""Characters of a label, at most, for the labels to be named."""
TOP_OF_TWO, TOP_OF_MORE = 0.7, 0.5
"""Share (0..1) that the most frequent label may have, of two and of three or more."""

_WORDS = regex.compile(r"\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|[\p{L}--[\p{Lu}\p{Ll}]]+|\d+", regex.V1)
_IDS = frozenset({"id", "ids", "idx", "uid", "uuid", "guid"})


class Wording(BaseModel, extra="forbid", frozen=True):
    """How a language says a row."""

    field: str
    labels: str
    between: str


PLAIN = Wording(field="{name}: {value}", labels="[{labels}]", between=" | ")
"""For a language that is not listed."""


class Map(NamedTuple):
    """Which fields a task is put and answered by."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Labels(NamedTuple):
    """What the answers of a task are."""

    named: tuple[str, ...] = ()
    """Labels to name in the instruction, in order; empty where there are none or they are long."""
    fault: str = ""
    """Why the task is no good, as a slug."""
    detail: str = ""


@lru_cache(maxsize=1)
def _wordings() -> Mapping[str, Wording]:
    path = shipped.folder("taxonomies") / "dynosaur.yaml"
    read = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # "no" is Norwegian
    return TypeAdapter(dict[str, Wording]).validate_python(read)


def wording(language: str) -> Wording:
    """The words of a tag, else of its base language in the same script, else signs alone."""
    known, base = _wordings(), language.split("-")[0]
    near = base if script(base) == script(language) else ""
    return known.get(language) or known.get(near) or PLAIN


def usable(rows: Sequence[Row]) -> list[str]:
    """Fields that a task may name: there in every row, no ids, nothing nested, not all empty."""
    shared = [name for name in rows[0] if all(name in row for row in rows)] if rows else []
    return [
        name
        for name in shared
        if not _IDS & {word.lower() for word in _WORDS.findall(name)}
        and not any(_nested(row[name]) for row in rows)
        and any(said(row[name]).strip() for row in rows)
    ]


def shown(rows: Sequence[Row], names: Sequence[str], most: int) -> list[dict[str, Json]]:
    """Rows as samples: these fields, each value cut to ``most`` characters."""
    return [{name: _cut(row[name], most) for name in names} for row in rows]


def fault(task: Map, names: Sequence[str]) -> str:
    """Why a task cannot be used on rows with these fields, as a slug; empty where it can."""
    if set(task.inputs + task.outputs) - set(names):
        return "unknown_field"
    if not task.outputs:
        return "no_output_field"
    if not task.inputs:
        return "no_input_field"
    return "input_in_output" if set(task.inputs) & set(task.outputs) else ""


def labels(rows: Sequence[Row], task: Map) -> Labels:
    """What the answers of a task are, by the first hundred rows that have one."""
    values = [row[task.outputs[0]] for row in rows]
    if any(isinstance(row[name], list | Mapping) for row in rows for name in task.outputs):
        return Labels(fault="answer_is_no_text")
    seen = [text for text in (said(value).strip() for value in values) if text][:LOOKED_AT]
    counts = Counter(seen)
    if len(task.outputs) > 1 or len(counts) > MOST_LABELS or len(seen) < 2 * len(counts):
        return Labels()
    if len(counts) < 2:
        return Labels(fault="one_answer_only", detail=", ".join(counts))
    top, times = max(counts.items(), key=lambda each: each[1])
    most = TOP_OF_TWO if len(counts) == 2 else TOP_OF_MORE
    if times > most * len(seen):
        return Labels(fault="unbalanced_answers", detail=f"{times} of {len(seen)} are {top[:80]!r}")
    return Labels(tuple(sorted(counts)) if max(map(len, counts)) <= SHORT else ())


def instructed(instruction: str, named: Sequence[str], language: str) -> str:
    """The instruction, with the sentence that names the labels where there are some."""
    if not named:
        return instruction
    words = wording(language)
    return f"{instruction} {words.labels.replace('{labels}', words.between.join(named))}"


def told(row: Row, names: Sequence[str], language: str, choices: Sequence[str] = ()) -> str:
    """Fields of a row in words: one as it is, several each with its name.

    A field among ``choices`` is a list to choose from and gets letters.
    """
    texts = {name: _listed(row[name], name in choices) for name in names}
    if len(names) == 1:
        return texts[names[0]]
    form = wording(language).field
    lines = [_filled(form, name, text) for name, text in texts.items() if text.strip()]
    return "\n".join(lines)


def choices(rows: Sequence[Row], task: Map) -> list[str]:
    """Input fields whose lists hold the row's answer, in every row: what is chosen from."""
    return [
        name
        for name in task.inputs
        if all(isinstance(row[name], list) and row[task.outputs[0]] in row[name] for row in rows)
    ]


def said(value: Json) -> str:
    """A value as text; nothing is empty."""
    if isinstance(value, list):
        return ", ".join(
            f"“{said(each)}”" if isinstance(each, str) else said(each) for each in value
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _listed(value: Json, lettered: bool) -> str:
    if not lettered:
        return said(value)
    letters = string.ascii_uppercase
    marks = letters if len(value) <= len(letters) else range(1, len(value) + 1)
    return "\n".join(f"{mark}. {said(each)}" for mark, each in zip(marks, value, strict=False))


def _filled(form: str, name: str, value: str) -> str:
    slots = {"{name}": name, "{value}": f"\n{value}\n" if "\n" in value else value}
    return regex.sub(r"\{(?:name|value)\}", lambda slot: slots[slot[0]], form)


def _nested(value: Json) -> bool:
    if isinstance(value, list):
        return any(isinstance(each, list | Mapping) for each in value)
    return isinstance(value, Mapping)


def _cut(value: Json, most: int) -> Json:
    if isinstance(value, list):
        return [_cut(each, most) for each in value[:20]]
    return value[:most] if isinstance(value, str) else value
