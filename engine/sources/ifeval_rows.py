"""Seeds from a file of prompts with constraints, as IFEval and its translations are published.

One JSON object a line: ``key``, ``prompt``, ``instruction_id_list``, ``kwargs``. Each becomes a
prompt with ``facts["constraints"]``, for the generator ``localise`` and the verifier
``constraints``; the key is its ``parallel_id``, the same in every language. Such files go wrong in
known ways (see ``engine.constraints.auditing``): what is wrong with a row stands on its record as
``constraint_defects``, and constraints that cannot be read drop it as ``bad_constraint`` where they
are needed. A line that is no JSON ends the job with its number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from engine.constraints.auditing import Defect, Row, audit, rows
from engine.constraints.reading import read_published
from engine.core import JobError, Json, Message, Record
from engine.fields import Provenance, Tag
from engine.kit import InputPath, Source, Well
from engine.text.clean import clean

UNREADABLE = ("unequal_lists", "bad_constraint")
"""Defects of a row that leave nothing to hold an answer against."""


class Params(Provenance):
    """Where the rows are, and in which language."""

    path: InputPath
    """The file, relative to the job file."""
    language: Annotated[Tag, Field(min_length=1)]
    """BCP-47 tag of the prompts."""


def read(well: Well[Params]) -> Iterator[Record]:
    """One seed a row, in the order of the file."""
    path, language = well.params.path, well.params.language
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{path}: cannot be read: {error}") from error
    wrong = defaultdict[int, list[Defect]](list)
    for defect in audit(lines, language):
        wrong[defect.line].append(defect)
    for row in rows(lines):
        if isinstance(row, Defect):
            raise JobError(f"{path}:{row.line}: {row.detail}; want an object like IFEval's")
        yield _seed(row, wrong[row.line], well)


def _seed(row: Row, defects: list[Defect], well: Well[Params]) -> Record:
    facts: dict[str, Json] = well.params.facts(well.name)
    facts |= {"constraints": _constraints(row, defects)}
    facts |= {"parallel_id": row.key} if row.key else {}
    if defects:
        facts["constraint_defects"] = [f"{each.fault}: {each.detail}" for each in defects]
    turns = (Message("user", clean(row.prompt)),)
    return Record(well.id(row.line), well.params.language, turns, facts)


def _constraints(row: Row, defects: list[Defect]) -> Json:
    """The constraints of a row; why there are none, as a text, where they cannot be read."""
    if wrong := [each for each in defects if each.fault in UNREADABLE]:
        return f"{wrong[0].fault}: {wrong[0].detail}"
    pairs = zip(row.ids, row.kwargs, strict=True)
    return [read_published(type_, kwargs).dump() for type_, kwargs in pairs]


SOURCE = Source(read, Params)
