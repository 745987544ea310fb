"""Human review: what people said of a record stands on it, and decides.

Nobody sits in the run: records come out as ``review: pending`` with a ``review_id``, people read
them in the dataset, and write a line for each into a file of JSON Lines, as
``{"id": "...", "verdict": "accepted"}``. A verdict is ``accepted``, ``rejected`` or ``corrected``;
the last comes with an ``instruction``, a ``response`` or both, which take the place of what was
there. ``stage`` (``review`` where left out), ``reviewer`` and ``note`` may say more. Then the job
is run again with the file (``--fresh``: replies are used again and ids stay, so it costs no call),
or another job reads the run (``earlier_run``) or the dataset (``engine curate --keep id``).

Of several lines of one stage the last holds. A record is accepted once every stage has accepted or
corrected it (of two corrections the later stage's stands), and rejected once one has not.

Every line that speaks of a record goes into its log (fact ``verification``): who, at which stage,
with which verdict. Records that wait are kept, or held back (``pending: hold``).

Verdicts on records that are not there are not missed: a file may speak of more than one run. An id
that was mistyped in one place is told by the record that it leaves waiting: ``waits for review; is
1a2b... of the file meant?``. Records that passed or failed here are as many as the file has ids.

Source: Laiyk et al., "Instruction Tuning on Public Government and Cultural Data for Low-Resource
Language: a Case Study in Kazakh", 2025, arXiv:2502.13647 (each row read and corrected by people);
Zhang et al., "Chinese Open Instruction Generalist: A Preliminary Release", 2023, arXiv:2304.07987
(automatic, verified, corrected).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from engine.core import Finding, Json, Message, Record, Role
from engine.kit import Filter, InputPath, Kit

Word = Literal["accepted", "rejected", "corrected"]
SIDES: Mapping[str, Role] = {"instruction": "user", "response": "assistant"}


LONG = 12
"""Characters from which on an id is no number that is like its neighbour's."""
_COUNTED = re.compile(r"\D*\d+")


class Said(BaseModel, extra="forbid", frozen=True):
    """What somebody said of a record: a line of the file."""

    id: str = Field(min_length=1)
    verdict: Word
    stage: str = "review"
    reviewer: str = ""
    instruction: str = ""
    response: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Said:
        if (self.verdict == "corrected") != bool(self.instruction.strip() or self.response.strip()):
            raise ValueError("an instruction or a response goes with corrected, and with that only")
        return self

    @property
    def logged(self) -> Json:
        """The entry in a record's log."""
        told = {"reviewer": self.reviewer, "note": self.note}
        entry = {"stage": self.stage, "by": "human", "verdict": self.verdict}
        return entry | {name: text for name, text in told.items() if text}


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    verdicts: InputPath | None = None
    """The file of verdicts; none yet where left out."""
    stages: list[str] = Field(default=["review"], min_length=1)
    """Who has to accept a record, e.g. ``[annotator, expert]``: the names under ``stage``."""
    pending: Literal["keep", "hold"] = "keep"
    """What becomes of a record that some stage has not spoken of: ``keep`` it, marked as such, or
    ``hold`` it back."""

    @field_validator("stages")
    @classmethod
    def _each_once(cls, stages: list[str]) -> list[str]:
        return list(dict.fromkeys(stages))

    @model_validator(mode="after")
    def _readable(self) -> Params:
        len(self.said)  # reads the file: a wrong line is to end the job before it begins
        return self

    @cached_property
    def misspelt(self) -> Mapping[str, str]:
        """A long id of the file, whole or with one character left out -> that id."""
        long = (id for id in self.said if len(id) >= LONG)
        return {form: id for id in long for form in _forms(id)}

    @cached_property
    def said(self) -> Mapping[str, Sequence[Said]]:
        """Id -> its lines, in the file's order.

        Raises:
            ValueError: a line is no verdict, or of a stage that is not among ``stages``.
        """
        found: dict[str, list[Said]] = {}
        for number, line in enumerate(_lines(self.verdicts), start=1):
            if line.strip():
                said = _read(line, f"{self.verdicts}:{number}", self.stages)
                found.setdefault(said.id, []).append(said)
        return found


def check(record: Record, kit: Kit[Params]) -> Finding:
    """Put what people said of the record on it, and go by it."""
    params, key = kit.params, _key(record)
    lines = params.said.get(key, ())
    latest = {said.stage: said for said in lines}
    missing = [stage for stage in params.stages if stage not in latest]
    held = [latest[stage] for stage in params.stages if stage in latest]
    words = [said.verdict for said in held]
    state = "pending" if missing else "corrected" if "corrected" in words else "accepted"
    state = "rejected" if "rejected" in words else state
    before = record.facts.get("verification")
    before = before if isinstance(before, list) else []
    log = [*before, *(said.logged for said in lines if said.logged not in before)]
    seen = record.with_facts(review=state, review_id=key, verification=log)
    evidence = " | ".join(said.note for said in held if said.note)
    if state == "rejected":
        return Finding(seen, "fail", evidence, "rejected_by_reviewer")
    if state == "pending":
        waits = f"waits for {', '.join(missing)}{'' if lines else _meant(key, params)}"
        ruling: Literal["fail", "skipped"] = "fail" if params.pending == "hold" else "skipped"
        return Finding(seen, ruling, waits, "awaiting_review")
    for said in held:
        seen = _corrected(seen, said)
    return Finding(seen, "pass", evidence)


def _lines(path: Path | None) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n") if path else []
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error


def _read(line: str, at: str, stages: Sequence[str]) -> Said:
    try:
        said = Said.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{at}: {where + ': ' if where else ''}{first['msg']}") from error
    if said.stage not in stages:
        raise ValueError(f"{at}: stage {said.stage!r} is none of {', '.join(stages)}")
    return said


def _key(record: Record) -> str:
    """The id that reviewers saw: the record's, wherever it has been since."""
    return str(record.facts.get("review_id") or record.facts.get("id") or record.id)


def _forms(id: str) -> list[str]:
    """The id, and it with each character left out; of a count, such as ``row-00017``, none."""
    left_out = (id[:at] + id[at + 1 :] for at in range(len(id)))
    return [] if _COUNTED.fullmatch(id) else [id, *left_out]


def _meant(key: str, params: Params) -> str:
    """What to ask about a record that has no verdict, where one is for nearly the same id."""
    if not params.verdicts or len(key) < LONG:
        return ""
    found = {params.misspelt[form] for form in _forms(key) if form in params.misspelt}
    return f"; is {min(found)} of {params.verdicts.name} meant?" if found else ""


def _corrected(record: Record, said: Said) -> Record:
    """The record with what a reviewer wrote in the place of what was there."""
    before = record.facts.get("provenance")
    turns, provenance = list(record.messages), dict(before) if isinstance(before, dict) else {}
    for side, role in SIDES.items():
        if text := getattr(said, side).strip():
            at = max((n for n, turn in enumerate(turns) if turn.role == role), default=len(turns))
            turns[at : at + 1] = [Message(role, text)]
            provenance[side] = "human"
    return replace(record.with_facts(provenance=provenance), messages=tuple(turns))


FILTER = Filter(check, Params)
