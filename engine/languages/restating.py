"""A question in other languages, for reasoning across them: where from, and whether it is the same.

A version of a question comes from the row itself where its aligned segments (the fact ``segments``:
a list of ``{"text": ..., "sw": ...}``) make up the whole text; else somebody has to say it, and
then it is measured as a translation is, and every number has to be there with its value. Examples
of a context are code-switched by the same segments, with every swap written down.

Sentences that ask for a restatement and for reasoning are data, by language
(``taxonomies/cross_lingual_cot.yaml``).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

import regex
from pydantic import BaseModel, Field

from engine.core import Json, Message
from engine.languages.masking import mask
from engine.languages.quality import fault, measured, spoken
from engine.languages.switching import in_lexicon, in_segments, switched
from engine.languages.translate import Unit, marks, speaks, unmasked
from engine.text.numerals import PLAIN
from engine.text.phrasebooks import entry_for, phrasebook

Segments = Sequence[Mapping[str, Any]]
_WORD = regex.compile(r"[\p{L}\p{N}]")
_NUMBER = regex.compile(PLAIN)


class Sentences(BaseModel, extra="forbid", frozen=True):
    """One language's entry; the file says what each is."""

    restate: str = Field(min_length=1)
    reason: str = Field(min_length=1)


@lru_cache(maxsize=1)
def listed() -> Mapping[str, Sentences]:
    """Every language that can be asked for, by its tag."""
    return phrasebook("cross_lingual_cot", Sentences)


def sentences_for(language: str) -> Sentences | None:
    """The sentences of a tag or of its base language; ``None``: not listed."""
    return entry_for(listed(), language)


def segments_of(facts: Mapping[str, Json]) -> Segments:
    """The aligned segments of a row or of an example; none where it has none."""
    given = facts.get("segments")
    return [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []


def pairs(segments: Segments, tag: str) -> list[tuple[str, str]]:
    """Each segment with its translation, where it has one."""
    both = ((each.get("text"), each.get(tag)) for each in segments)
    texts = [(one, other) for one, other in both if isinstance(one, str) and isinstance(other, str)]
    return [pair for pair in texts if pair[1].strip()]


def version(text: str, segments: Segments, origin: str, tag: str) -> Unit:
    """The text on its way into a language; ``sound`` where nobody has to be asked for it.

    That is so in its own language, where it has no words, and where segments make it up.
    """
    unit = Unit(tag, "0", "instruction", text, mask(text))
    same = tag == origin or not speaks(unit.masked.text)
    ready = text if same else aligned(text, segments, tag)
    return replace(unit, text=ready, sound=bool(ready))


def aligned(text: str, segments: Segments, tag: str) -> str:
    """The text with every segment in the other language; empty where they are not all of it."""
    chances = in_segments(text, pairs(segments, tag)) or []
    pieces, done = [], 0
    for chance in chances:
        pieces += [text[done : chance.start], *chance.options]
        done = chance.end
    gaps = [*pieces[::2], text[done:]]
    return "" if not chances or any(map(_WORD.search, gaps)) else "".join([*pieces, gaps[-1]])


def carried(unit: Unit) -> list[str]:
    """What a restatement has to carry along: sentinels, then numbers as they are written."""
    return [*marks(unit.masked.text), *_NUMBER.findall(spoken(unit.masked.text))]


def restated(unit: Unit, reply: str, origin: str) -> Unit:
    """The unit with what somebody said, measured; ``sound``, or with its fault."""
    unit = unmasked(unit, [reply], [unit.masked.text], ["", ""])
    if unit.fault:
        return unit
    vector = measured(unit.masked, unit.text, origin, unit.language)
    reason, detail = fault(vector, unit.masked, unit.text)
    if not reason and vector["numbers"] < 1:
        reason, detail = "numbers_differ", f"{vector['numbers']:.2f} of the numbers are in both"
    return replace(unit, quality=vector, fault=reason, detail=detail, sound=not reason)


def demonstrated(
    example: Mapping[str, Json],
    pair: tuple[str, str],
    lexicon: Mapping[str, tuple[str, ...]],
    rate: float,
    draw: random.Random,
) -> tuple[list[Message], dict[str, Json]]:
    """An example's turns, its question code-switched; and how, so that it can be undone.

    By its segments, else by words that the lexicon knows; where neither gives a chance it is shown
    as it is. ``pair`` are the tags of the example's language and of the one to switch to.
    """
    asked, answer = str(example["instruction"]), str(example["response"])
    chances = in_segments(asked, pairs(segments_of(example), pair[1]))
    chances = chances or in_lexicon(asked, lexicon, pair)
    text, swaps = switched(asked, chances, rate, draw)
    noted: dict[str, Json] = {"id": str(example.get("id", "")), "chances": len(chances)}
    noted["swaps"] = [asdict(swap) for swap in swaps]
    return [Message("user", text), Message("assistant", answer)], noted
