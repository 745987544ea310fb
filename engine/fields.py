"""A row of somebody's table, read as a seed: which column is the instruction, which the answer.

Tables come from JSON Lines, CSV, parquet and ``datasets``; what a job says about their columns
is the same for all, so it is said once, here. Nothing is guessed: a column that a job names
and a row lacks is an error that shows what is there. What enters is made safe to write down
again: half a surrogate pair becomes U+FFFD, dates become ISO text, NaN becomes null.
"""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import regex
from pydantic import AfterValidator, BaseModel, Field, model_validator

from engine.core import JobError, Json, Message, Record, Role
from engine.kit import Well
from engine.languages.tags import nearest, normalise
from engine.text.clean import clean

ROLES: Mapping[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "tool": "tool",
}
"""Names of roles as tables have them; ``human`` and ``gpt`` are ShareGPT's."""
OWN = {"source", "licence"}
"""Facts that every source sets itself."""
MOST = 1 << 63
"""Integers beyond 64 bits have no place in Arrow nor in most JSON readers."""

_TAG = regex.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")


def tag(text: str) -> str:
    """A BCP-47 tag as ``engine.languages`` spells it: ``zh_CN`` is ``zh-Hans``, ``iw`` is ``he``.

    Raises:
        ValueError: ``text`` cannot be a tag, or names no language that is known; says the nearest.
    """
    if not _TAG.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a BCP-47 language tag such as 'de' or 'zh-Hans'; {nearest(text)}"
        )
    try:
        return normalise(text)
    except JobError as error:
        raise ValueError(str(error)) from error


Tag = Annotated[str, AfterValidator(lambda text: tag(text) if text else "")]
"""A setting that is a language; may be empty."""


class Provenance(BaseModel, extra="forbid"):
    """What every source that reads files may be told about them."""

    licence: str = ""
    """Licence of the texts, best as SPDX identifier, e.g. ``CC-BY-4.0``; empty: unknown."""

    def facts(self, source: str) -> dict[str, Json]:
        """Where a seed comes from and under which licence, as facts."""
        return {"source": source} | ({"licence": self.licence} if self.licence else {})


class Fields(Provenance):
    """Which column of a table is what. ``a.0.b`` reaches into lists and mappings."""

    language: Tag = ""
    """BCP-47 tag of every row, e.g. ``de``; or use ``language_field``."""
    language_field: str = ""
    """The column that holds each row's language tag."""
    text: str = "instruction"
    """The column with the instruction."""
    input: str = ""
    """The column with the text an instruction works on, where the table keeps it apart."""
    response: str = ""
    """The column with the answer; a row where it is empty has no answer yet."""
    messages: str = ""
    """Instead of the three above: the column with a list of turns (role and content)."""
    keep: list[str] | dict[str, str] = Field(default_factory=list)
    """Further columns to keep as facts; as a mapping ``fact: column`` to rename them."""

    @model_validator(mode="after")
    def _agree(self) -> Fields:
        if bool(self.language) == bool(self.language_field):
            raise ValueError("give either language (e.g. de) or language_field (a column's name)")
        if clash := {"text", "input", "response"} & self.model_fields_set and self.messages:
            raise ValueError(f"messages holds whole conversations; leave out {clash}")
        if taken := OWN & self.kept.keys():
            raise ValueError(f"{sorted(taken)} are facts of the engine's own: rename, new: old")
        return self

    @property
    def kept(self) -> Mapping[str, str]:
        """Fact name to column name."""
        return self.keep if isinstance(self.keep, dict) else {name: name for name in self.keep}

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns this job reads, each once."""
        turns = [self.messages] if self.messages else [self.text, self.input, self.response]
        names = [self.language_field, *turns, *self.kept.values()]
        return tuple(dict.fromkeys(filter(None, names)))

    def columns(self, present: Sequence[str], place: str) -> list[str]:
        """The table's own columns that hold what is wanted.

        Raises:
            JobError: one is not there.
        """
        tops = {name: name if name in present else name.split(".")[0] for name in self.wanted}
        for name, top in tops.items():
            if top not in present:
                raise JobError(f"{place}: no column {name!r}; there are {_names(present)}")
        return list(dict.fromkeys(tops.values()))


F = TypeVar("F", bound=Fields)


def seed(row: Mapping[str, object], number: int, place: str, well: Well[F]) -> Record:
    """One row as a seed; its id comes from its number and its text.

    Raises:
        JobError: a column is missing or holds the wrong kind of value; begins with ``place``.
    """
    fields = well.params
    facts = {name: as_json(_find(row, at, place), place, at) for name, at in fields.kept.items()}
    turns = _conversation(row, place, fields) if fields.messages else _exchange(row, place, fields)
    if fields.input and (bare := _text(row, fields.input, place)):
        facts |= {"instruction": _text(row, fields.text, place), "input": bare}
    return Record(
        well.id(number, "\x1e".join(turn.content for turn in turns)),
        _language(row, place, fields),
        turns,
        facts | fields.facts(well.name),
    )


def as_json(value: object, place: str, name: str) -> Json:
    """``value`` as JSON has it.

    Raises:
        JobError: it has no such form (bytes, an image, an integer beyond 64 bits).
    """
    match value:
        case None | bool():
            return value
        case str():
            return clean(value)
        case float():
            return value if math.isfinite(value) else None
        case int() if -MOST <= value < MOST:
            return value
        case datetime.date() | datetime.time():
            return value.isoformat()
        case decimal.Decimal() | datetime.timedelta():
            return str(value)
        case Mapping():
            return {clean(str(key)): as_json(each, place, name) for key, each in value.items()}
        case list() | tuple():
            return [as_json(each, place, name) for each in value]
    raise JobError(f"{place}: {name!r} holds a value that JSON has no form for: {_kind(value)}")


def _exchange(row: Mapping[str, object], place: str, fields: Fields) -> tuple[Message, ...]:
    asked = _text(row, fields.text, place)
    if fields.input and (extra := _text(row, fields.input, place, optional=True)):
        asked = f"{asked}\n\n{extra}"
    answer = _text(row, fields.response, place, optional=True) if fields.response else ""
    turns = (Message("user", asked), Message("assistant", answer))
    return turns if answer else turns[:1]


def _conversation(row: Mapping[str, object], place: str, fields: Fields) -> tuple[Message, ...]:
    turns = _find(row, fields.messages, place)
    if not isinstance(turns, list | tuple):
        raise JobError(f"{place}: {fields.messages!r} is {_kind(turns)}, want a list of turns")
    return tuple(
        _turn(turn, f"{place}: {fields.messages}[{index}]") for index, turn in enumerate(turns)
    )


def _turn(turn: object, place: str) -> Message:
    if not isinstance(turn, Mapping):
        raise JobError(f"{place} is {_kind(turn)}, want a mapping with role and content")
    role, content = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
    if role not in ROLES:
        raise JobError(f"{place}: role is {role!r}, want one of {', '.join(ROLES)}")
    if not isinstance(content, str):
        raise JobError(f"{place}: content is {_kind(content)}, want text; has {_names(turn)}")
    return Message(ROLES[str(role)], clean(content))


def _language(row: Mapping[str, object], place: str, fields: Fields) -> str:
    if fields.language:
        return fields.language
    try:
        return tag(_text(row, fields.language_field, place))
    except ValueError as error:
        raise JobError(f"{place}: {fields.language_field!r}: {error}") from error


def _text(row: Mapping[str, object], name: str, place: str, *, optional: bool = False) -> str:
    value = _find(row, name, place)
    if value is None and optional:
        return ""
    if not isinstance(value, str):
        raise JobError(f"{place}: {name!r} is {_kind(value)}, want text")
    return clean(value)


def _find(row: Mapping[str, object], name: str, place: str) -> object:
    if name in row:
        return row[name]
    found: object = row
    for part in name.split("."):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list | tuple) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            raise JobError(f"{place}: no field {name!r}; there are {_names(row)}")
    return found


def _kind(value: object) -> str:
    names = {type(None): "null", dict: "a mapping", list: "a list", bool: "true or false"}
    numbers = {int: "a number", float: "a number", str: "text", bytes: "bytes"}
    return (names | numbers).get(type(value), f"a {type(value).__name__}")


def _names(present: Sequence[str] | Mapping[str, object]) -> str:
    shown = ", ".join(sorted(map(str, present))[:20])
    return f"{shown}, ... ({len(present)})" if len(present) > 20 else shown or "none"
