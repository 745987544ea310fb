"""Seeds from datasets as the hub keeps them: a folder each, with a card and files of rows.

The card is the folder's ``README.md``: YAML between two lines of ``---`` (``language``,
``license``, ``pretty_name``, ``homepage``), then the description. Rows are in ``*.jsonl`` and
``*.csv`` files beside it. A seed is a whole dataset with its rows, for methods that think once
about a dataset, or each row, for methods that turn rows into tasks. The licence is the dataset's
own; one without a licence is an error, since what is made of its rows carries it on. A card in
several languages, or in none, is an error too, unless the job names the language.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import regex
import yaml
from pydantic import BaseModel, Field

from engine.core import JobError, Json, Record
from engine.fields import Tag, as_json, tag
from engine.kit import InputPath, Source, Well
from engine.text.clean import clean

CARD = "README.md"
_FRONT = regex.compile(r"\ufeff?---[ ]*\n(.*?)\n---[ ]*(?:\n|$)(.*)", regex.DOTALL)
_TAGS = regex.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", regex.DOTALL)


class Params(BaseModel, extra="forbid"):
    """Where the datasets are, and what a seed is."""

    path: InputPath
    """A folder of such folders, or one of them."""
    per: Literal["dataset", "row"] = "dataset"
    """A seed for each dataset, with its rows in ``rows``; or for each row, in ``row``."""
    language: Tag = ""
    """BCP-47 tag of every dataset; empty: what each card says."""
    max_rows: int = Field(default=1000, ge=1)
    """Rows of a dataset; of a longer one the first so many are read."""


class Card(NamedTuple):
    """What a card says."""

    language: str
    facts: dict[str, Json]


def read(well: Well[Params]) -> Iterator[Record]:
    """The datasets in the order of their names, rows in the order of their files."""
    params = well.params
    top = params.path
    folders = [top] if (top / CARD).is_file() else sorted(top.iterdir()) if top.is_dir() else []
    found = [folder for folder in folders if (folder / CARD).is_file()]
    if not found:
        raise JobError(f"{top}: no dataset: there is no folder with a {CARD}")
    for folder in found:
        card = _card(folder, params)
        facts = card.facts | {"source": well.name}
        rows = list(_rows(folder, params.max_rows))
        if not rows:
            raise JobError(f"{folder}: no row: there is no *.jsonl or *.csv with one")
        if params.per == "dataset":
            yield Record(well.id(folder.name), card.language, (), facts | {"rows": rows})
            continue
        for number, row in enumerate(rows):
            yield Record(well.id(folder.name, number), card.language, (), facts | {"row": row})


def _card(folder: Path, params: Params) -> Card:
    place = folder / CARD
    parts = _FRONT.fullmatch(_text(place))
    if not parts:
        raise JobError(f"{place}:1: begins with a YAML header between two lines of ---")
    try:
        head = yaml.load(parts[1], yaml.BaseLoader) or {}  # where "no" is Norwegian
    except yaml.YAMLError as error:
        raise JobError(f"{place}: header: {error}") from error
    given = head if isinstance(head, dict) else {}
    licence = given.get("license")
    if not isinstance(licence, str) or not licence:
        raise JobError(f"{place}: `license` names no licence, or several")
    facts: dict[str, Json] = {
        "dataset": clean(folder.name),
        "title": clean(str(given.get("pretty_name") or folder.name)),
        "summary": clean(" ".join(_TAGS.sub(" ", parts[2]).split())),
        "licence": clean(licence),
        "website": clean(str(given.get("homepage") or "")),
    }
    return Card(params.language or _language(place, given.get("language")), facts)


def _language(place: Path, given: Any) -> str:
    names = given if isinstance(given, list) else [given]
    try:
        [name] = names
        return tag(str(name or ""))
    except ValueError as error:
        raise JobError(f"{place}: `language`: want one tag such as de; or set it") from error


def _rows(folder: Path, most: int) -> Iterator[Mapping[str, Json]]:
    left = most
    for file in sorted(folder.iterdir()):
        read = {".jsonl": _lines, ".csv": _table}.get(file.suffix.lower())
        for place, row in read(file) if read else ():
            if not left:
                return
            left -= 1
            yield {clean(str(name)): as_json(value, place, name) for name, value in row.items()}


def _lines(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(_text(file).split("\n"), 1):
        place = f"{file}:{number}"
        try:
            row = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError) as error:
            raise JobError(f"{place}: not JSON: {error}") from error
        if isinstance(row, dict):
            yield place, row
        elif line.strip():
            raise JobError(f"{place}: want an object like {{...}}, found {line[:60]!r}")


def _table(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        for number, row in enumerate(csv.DictReader(_text(file).splitlines(True)), 2):
            if None in row or None in row.values():
                raise JobError(f"{file}: row {number} has not as many cells as the header")
            yield f"{file}: row {number}", row
    except csv.Error as error:
        raise JobError(f"{file}: not a table: {error}") from error


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{file}: not a readable UTF-8 file: {error}") from error


SOURCE = Source(read, Params)
