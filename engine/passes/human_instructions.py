"""What people asked first: the first turn of each conversation, empty and repeated ones out.

Only the first user turn stays; responses are made anew. A record whose first turn is blank drops
(``empty_instruction``); one whose first turn was there before drops (``duplicate_instruction``)
with the fact ``duplicate_of``: the first record with that text, never a later copy, in this round
or in an earlier one. So nothing is generated for either. Prompts that are sent by the hundred
with a few words changed are flagged: where ``template_count`` different records or more open with
the same ``template_words`` words, their fact ``template`` is that opening.

Source: Ma, Mizuki, Fujii, Nakamura, Ohi, Shimada, Shiotani, Saito, Maeda, Hattori, Okamoto,
Ishida, Yokota, Takamura, Okazaki, "Building Instruction-Tuning Datasets from Human-Written
Instructions with Open-Weight Large Language Models", 2025, arXiv:2503.23714 (first turns, marks
for empty, duplicate and template instructions).
Differs: the same are texts that look the same to a reader (``engine.text.sameness``). How
templates are found there was not to be read; here it is by their opening, in any language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Desk, Pass
from engine.spool import Spool
from engine.text.lengths import tokens_per_word
from engine.text.sameness import bare, key
from engine.text.tokens import tokens


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    id_fact: str = ""
    """The fact by which ``duplicate_of`` names a record, e.g. ``conversation_id``; the record's
    own id where empty."""
    template_words: int = Field(default=12, ge=3, le=100)
    """Words of an opening; an instruction that has no more is never a template's."""
    template_count: int = Field(default=20, ge=2)
    """Different instructions with the same opening from which on it is a template."""
    drop_templates: bool = False
    """Whether a template's records drop (``template_instruction``) instead of being flagged."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Keep first turns that are there and new; see the module."""
    ask, openings = desk.params, Counter[bytes]()
    first: dict[bytes, str] = {}
    for record in kept:
        first[_mark(_asked(record))] = _name(record, ask)
        openings[_opening(_asked(record), ask)[0]] += 1
    with Spool[Record | Drop]() as waiting:
        for record in fresh:
            outcome = _new(record, first, ask)
            if isinstance(outcome, Record):
                openings[_opening(_asked(outcome), ask)[0]] += 1
            waiting.put(outcome)
        for outcome in waiting:
            yield _flagged(outcome, openings, ask) if isinstance(outcome, Record) else outcome


def _new(record: Record, first: dict[bytes, str], ask: Params) -> Outcome:
    asked = _asked(record)
    if not bare(asked):
        return Drop(record, "empty_instruction")
    mark, name = _mark(asked), _name(record, ask)
    if mark in first:
        copy = record.with_facts(duplicate_of=first[mark])
        return Drop(copy, "duplicate_instruction", f"first: {first[mark]}")
    first[mark] = name
    turn = next(message for message in record.messages if message.role == "user")
    return replace(record, messages=(turn,))


def _flagged(record: Record, openings: Counter[bytes], ask: Params) -> Outcome:
    mark, opening = _opening(_asked(record), ask)
    if not mark or openings[mark] < ask.template_count:
        return record.with_facts(template=None)
    flagged = record.with_facts(template=opening)
    return Drop(flagged, "template_instruction", opening) if ask.drop_templates else flagged


def _asked(record: Record) -> str:
    return next((message.content for message in record.messages if message.role == "user"), "")


def _name(record: Record, ask: Params) -> str:
    return str(record.facts.get(ask.id_fact) or record.id) if ask.id_fact else record.id


def _mark(text: str) -> bytes:
    return key(bare(text))


def _opening(text: str, ask: Params) -> tuple[bytes, str]:
    """A mark of how a text opens, and its words; empty where there is not more than that."""
    start = text[: 40 * ask.template_words]  # no word of a language is longer, on average
    found = tokens(start)
    size = round(ask.template_words * tokens_per_word(found))
    words = found[:size]
    return (key(*words), " ".join(words)) if len(found) > size else (b"", "")


PASS = Pass(settle, Params)
