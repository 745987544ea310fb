"""What the generator ``cross_lingual_cot`` is told, and how its records are put together.

Everything here is about a job: which languages, which forms, what a record of each holds. Versions
of a question and code-switched examples are made in ``engine.languages.restating``.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from engine.core import Drop, Json, Message, Outcome, Record
from engine.fields import Tag, tag
from engine.kit import InputPath
from engine.languages.lexicons import check, lexicon
from engine.languages.quality import answer_fault
from engine.languages.restating import demonstrated, listed, pairs, segments_of, sentences_for
from engine.languages.translate import Unit
from engine.symbolic.algebra import AlgebraError, shared
from engine.text.finding import final_like, reference

Form = Literal["demonstrated", "restated", "distilled"]
FORMS: tuple[Form, ...] = ("demonstrated", "restated", "distilled")
LIMIT_S = 5.0
"""Seconds for the comparison of two formulas."""
SPENT = frozenset({"segments", "examples", "instruction", "input", "n_shot"})
"""Facts of the row that do not hold of its records."""


class Settings(BaseModel, extra="forbid"):
    """Which languages, which forms, how often."""

    languages: list[str] = Field(min_length=1)
    """BCP-47 tags of the languages to restate a question in; one is drawn for each question and
    epoch, all alike likely, never the question's own."""
    queries: list[str] = []
    """BCP-47 tags of the languages that questions are asked in; empty: the row's own."""
    reasoning: Tag = ""
    """BCP-47 tag of the language to reason and answer in, e.g. the pivot; empty: the row's own."""
    forms: list[Form] = Field(default=["restated", "distilled"], min_length=1)
    """Which records come out of each question and epoch; ``demonstrated`` wants the pass ``n_shot``
    before this step, with ``place: fact`` and ``carry: [segments]``."""
    epochs: int = Field(default=1, ge=1, le=100)
    """How often each row is gone through, with draws of its own."""
    rate: float = Field(default=0.3, ge=0, le=1)
    """Probability (0..1) with which each aligned span of an example is swapped."""
    lexicons: InputPath | None = None
    """A folder of lexicons, ``en-sw.tsv`` (a word, a tab, a translation), by which examples without
    aligned segments are swapped word by word; without it they are shown as they are."""
    reference: str = "answer"
    """The fact with the right answer; where a row has none, its reasoning is not compared."""
    takes: int = Field(default=2, ge=1, le=10)
    """How often reasoning, or a version of a question, is asked for, at most."""
    max_characters: int = Field(default=4000, ge=50)
    """Characters of a question, at most; longer ones drop."""

    @field_validator("languages", "queries")
    @classmethod
    def _tags(cls, given: list[str]) -> list[str]:
        return list(dict.fromkeys(map(tag, given)))

    @field_validator("forms")
    @classmethod
    def _in_order(cls, given: list[Form]) -> list[Form]:
        return [form for form in FORMS if form in given]

    @model_validator(mode="after")
    def _worded(self) -> Settings:
        for each in filter(None, (*self.languages, self.reasoning)):
            if sentences_for(each) is None:
                raise ValueError(
                    f"{each} has no sentences in taxonomies/cross_lingual_cot.yaml; add them "
                    f"there, or choose from {', '.join(listed())}"
                )
        if self.lexicons is not None:
            check(self.lexicons, self.queries)
        for query in self.queries:
            if self.languages == [query]:
                raise ValueError(f"a question in {query} has no other language to be restated in")
        return self

    def reasons_in(self, record: Record) -> str:
        """The language to reason about a row in."""
        return self.reasoning or record.language

    def place(self, epoch: int, query: str) -> int:
        """The number of a way through a row; the same however many epochs there are."""
        return epoch * len(self.queries or [query]) + (self.queries or [query]).index(query)


@dataclass(frozen=True, slots=True)
class Told:
    """What has come of one way through a row."""

    epoch: int
    query: str
    """Tag of the language of the question."""
    into: str
    """Tag of the language that was drawn."""
    versions: Mapping[str, Unit]
    """Tag -> the question in that language."""
    reasoning: str
    own: bool
    """Whether the reasoning is the row's."""


def row_fault(record: Record, settings: Settings) -> str:
    """Why a row will not do, as a slug, or ``""``."""
    turns = [turn.role for turn in record.messages if turn.role != "system"]
    if not record.last("user").strip():
        return "no_instruction"
    if turns not in (["user"], ["user", "assistant"]):
        return "several_turns"
    if len(record.last("user")) > settings.max_characters:
        return "too_long"
    if not settings.queries and settings.languages == [record.language]:
        return "no_other_language"
    return "" if sentences_for(settings.reasons_in(record)) else "unworded_language"


async def reasoning_fault(record: Record, text: str, settings: Settings) -> str:
    """Why reasoning will not do, as a slug, or ``""``.

    It has to be in its language, and to come to the reference, where there is one.
    """
    language = settings.reasons_in(record)
    if fault := answer_fault(text, record.last("user"), language):
        return fault
    due = reference(record.facts.get(settings.reference), record.language)
    if due is None:
        return ""
    found = final_like(text, language, due)
    if found is None:
        return "no_answer"
    try:
        equal = await shared(1).same(found.answer, due, LIMIT_S)
    except AlgebraError:
        equal = None
    return {True: "", False: "wrong_answer", None: "undecided_answer"}[equal]


def composed(
    record: Record, form: Form, told: Told, settings: Settings, draw: random.Random
) -> Outcome:
    """The record of one form, or its drop."""
    index = settings.place(told.epoch, told.query) * len(FORMS) + FORMS.index(form)
    needed = [told.versions[told.query]]
    needed += [told.versions[told.into]] if form == "restated" else []
    if bad := next((unit for unit in needed if not unit.sound), None):
        return Drop(record.child(index), bad.fault, f"{bad.language}: {bad.detail}")
    shown, noted = _context(record, told, settings, draw) if form == "demonstrated" else ([], [])
    if form == "demonstrated" and not shown:
        said = "no examples in the language of the reasoning; see the pass n_shot"
        return Drop(record.child(index), "no_examples", said)
    asked = f"{told.versions[told.query].text}\n\n{_request(record, form, told, settings)}".strip()
    restated = told.versions[told.into].text if form == "restated" else ""
    answer = f"{restated}\n\n{told.reasoning}".strip()
    facts = {name: fact for name, fact in record.facts.items() if name not in SPENT}
    facts |= _facts(record, form, told, settings)
    facts |= {"restated": restated} if restated else {}
    facts |= {"demonstrations": noted, "loss": "last_answer"} if shown else {}
    systems = (turn for turn in record.messages if turn.role == "system")
    turns = (*systems, *shown, Message("user", asked), Message("assistant", answer))
    return replace(record.child(index, language=told.query), messages=turns, facts=facts)


def _context(
    record: Record, told: Told, settings: Settings, draw: random.Random
) -> tuple[list[Message], list[Json]]:
    """The examples of a row, code-switched into the question's language, and how."""
    given = record.facts.get("examples")
    same = settings.reasons_in(record) == record.language  # examples are reasoned about in theirs
    examples = (
        [each for each in given if _is_example(each)] if same and isinstance(given, list) else []
    )
    known = lexicon(settings.lexicons, record.language, told.query) if settings.lexicons else {}
    pair = (record.language, told.query)
    found = [demonstrated(each, pair, known, settings.rate, draw) for each in examples]
    return [turn for turns, _ in found for turn in turns], [noted for _, noted in found]


def _is_example(given: object) -> bool:
    """Whether this is a question with its answer, as the pass ``n_shot`` leaves them."""
    if not isinstance(given, Mapping):
        return False
    sides = (given.get("instruction"), given.get("response"))
    return all(isinstance(side, str) and side.strip() for side in sides)


def _request(record: Record, form: Form, told: Told, settings: Settings) -> str:
    """What is asked beside the question, each in the language it asks for."""
    into, back = sentences_for(told.into), sentences_for(settings.reasons_in(record))
    assert into and back, "the settings and row_fault have seen to it"
    crosses = form == "restated" or told.query != settings.reasons_in(record)
    return "\n".join([into.restate] * (form == "restated") + [back.reason] * crosses)


def _facts(record: Record, form: Form, told: Told, settings: Settings) -> dict[str, Json]:
    """What a record says of itself."""
    ready = pairs(segments_of(record.facts), told.query)
    origins = {tag: _origin(record, unit) for tag, unit in told.versions.items()}
    provenance = {"instruction": origins[told.query]}
    provenance |= {"restatement": origins[told.into]} if form == "restated" else {}
    return {
        "form": form,
        "epoch": told.epoch,
        "question": record.last("user"),
        "question_id": record.id,
        "instruction_language": told.query,
        "drawn_language": told.into,
        "reasoning_language": settings.reasons_in(record),
        "reasoning": told.reasoning,
        "alignment": [list(p) for p in ready] if origins[told.query] == "aligned" else [],
        "provenance": provenance | {"response": "native" if told.own else "model"},
    }


def _origin(record: Record, unit: Unit) -> str:
    """Where a version of the question is from."""
    if unit.take:
        return "translated"
    return "native" if unit.text == record.last("user") else "aligned"
