"""Aligned rows: rows that are the same thing in several languages find each other by an id.

Newspapers and dictionaries give a row for each language of an article or a word, with one id for
all. Each row leaves with the fact ``translations``: tag of another language -> the facts asked for
of the row there. So a task about the row of one language may show what people wrote in another
(``cross_lingual_forms``). Rows of languages that nobody wants answers in drop when they have served
(``only_a_translation``); of two rows with one id in one language the first counts, the other drops.

The facts asked for are held in memory. Rows that belong together have to come in one round: let
``target.round`` be at least as many as there are.

Source: Philippy et al., "LuxInstruct: A Cross-Lingual Instruction Tuning Dataset For
Luxembourgish", 2025, arXiv:2510.07074, section 3 (news aligned over languages).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Json, Outcome, Record
from engine.fields import tag
from engine.kit import Desk, Pass
from engine.spool import Spool

FACT = "translations"


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    key: str = Field(min_length=1)
    """The fact with the id that is the same in all languages."""
    facts: list[str] = Field(min_length=1)
    """The facts of a row that its translations show of it, such as ``[headline, lead]``."""
    languages: list[str] = Field(default_factory=list)
    """BCP-47 tags of the languages whose rows stay; all where empty."""

    @field_validator("languages")
    @classmethod
    def _tags(cls, languages: list[str]) -> list[str]:
        return [tag(each) for each in languages]


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every row that is wanted, with its translations; see the module."""
    ask = desk.params
    found: defaultdict[str, dict[str, Json]] = defaultdict(dict)
    with Spool[Record]() as waiting:
        for record in fresh:
            name = str(record.facts.get(ask.key) or "")
            if not name:
                yield Drop(record, "not_aligned", f"it has no fact {ask.key!r}")
            elif record.language in found[name]:
                yield Drop(record, "twice_in_a_language", f"{name} in {record.language}")
            else:
                shown = {each: record.facts[each] for each in ask.facts if each in record.facts}
                found[name][record.language] = shown
                waiting.put(record)
        for record in waiting:
            name = str(record.facts[ask.key])
            if ask.languages and record.language not in ask.languages:
                yield Drop(record, "only_a_translation", f"of {name}, in {record.language}")
                continue
            others = {each: row for each, row in found[name].items() if each != record.language}
            own = record.facts.get(FACT)
            yield record.with_facts(**{FACT: {**(own if isinstance(own, dict) else {}), **others}})


PASS = Pass(settle, Params)
