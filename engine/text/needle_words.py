"""What a search for needles says, by language: sentences and nouns as data.

A language that is listed (``taxonomies/long_needles.yaml``) has everything. Any other takes its
sentences from a job or from a model, and its words from the documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from engine.text.needle_scores import BREAK
from engine.text.phrasebooks import entry_for, phrasebook

FILE = "long_needles"
SLOTS: Mapping[str, tuple[str, ...]] = {
    "fact": ("{key}", "{value}"),
    "read": (),
    "ask": ("{keys}", "{none}"),
    "listed": (),
    "common": ("{count}",),
    "none": (),
}
"""The sentences of a language, and what each has to leave open, once."""

STOPS = ".。।۔።…"
"""What a sentence ends with, and a single word does not."""

WAYS = "give wording: {TAG: ...} or translate_from: a listed language (and a writer)"
"""What helps where a language has no sentences."""

Sentence = Annotated[str, Field(min_length=1)]


class Sentences(BaseModel, extra="forbid", frozen=True):
    """What is said in one language."""

    fact: Sentence
    """A needle, with its full stop: ``{key}`` has the code ``{value}``."""
    read: Sentence
    """Before the text: that there are codes in it and that a question follows."""
    ask: Sentence
    """Behind it: the codes of ``{keys}`` and nothing else, or the word ``{none}``."""
    listed: Sentence
    """Before a list: that some of its words come more often."""
    common: Sentence
    """Behind it: the ``{count}`` words that come most often, and nothing else."""
    none: Sentence
    """The word for: the text names no code."""


class Wording(Sentences, frozen=True):
    """What is said, its signs and its words."""

    comma: str = ", "
    """Between the parts of an answer: a comma of some script, with or without a blank."""
    space: str = " "
    """Between two sentences; empty where none is written."""
    nouns: tuple[str, ...] = ()
    """Nouns in a fixed order, that of all languages: the third is the same thing in each."""
    more: tuple[str, ...] = ()
    """Further words, for lists; in no order."""

    @model_validator(mode="after")
    def _open(self) -> Wording:
        if not BREAK.fullmatch(self.comma.strip(" ")):
            raise ValueError(f"comma is one of some script, such as ', ' or 、: {self.comma!r}")
        for name, slots in SLOTS.items():
            text: str = getattr(self, name)
            for slot in slots:
                if text.count(slot) != 1:
                    raise ValueError(f"{name} has {slot} once: {text!r}")
            if {text.count("{"), text.count("}")} != {len(slots)}:
                raise ValueError(f"{name} leaves more open than {', '.join(slots)}: {text!r}")
        return self

    @property
    def sentences(self) -> dict[str, str]:
        """The sentences by name, as a model is to translate them."""
        return {name: getattr(self, name) for name in SLOTS}


def translated(sentences: Mapping[str, str]) -> Wording:
    """A wording of sentences alone; whoever writes 。 writes no blank behind it.

    The word for "no code" loses a full stop, which an answer may leave out.
    """
    solid = {"comma": "、", "space": ""} if sentences["fact"].endswith("。") else {}
    none = sentences["none"].rstrip(STOPS + " ") or sentences["none"]
    return Wording.model_validate({**sentences, "none": none, **solid})


@lru_cache(maxsize=1)
def listed() -> Mapping[str, Wording]:
    """Every language that is listed."""
    return phrasebook(FILE, Wording)


def wording_for(language: str, own: Mapping[str, Wording] | None = None) -> Wording | None:
    """What a language says: a job's ``own``, else the listed; ``None`` where neither has it."""
    return entry_for(own or {}, language) or entry_for(listed(), language)
