"""Cross-lingual pairs: a task in one language whose answer is in another, and translations.

Pure composition, from the rows of one example in two languages. Which language is wanted is said in
that language, in a sentence from ``taxonomies/cross_in.yaml``, or by a tag; a pair within one
language says nothing of it.

Source: Lin et al., "CrossIn: An Efficient Instruction Tuning Approach for Cross-Lingual Knowledge
Alignment", 2024, arXiv:2404.11932 (the forms and the tag; the sentences are ours).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from pydantic import BaseModel, Field

from engine.core import Record
from engine.text.phrasebooks import entry_for, phrasebook

Form = Literal["answer", "translation"]
Request = Literal["sentence", "tag"]
FACT = "pairs"
"""The fact in which a row carries the pairs that it begins."""


class Sentences(BaseModel, extra="forbid", frozen=True):
    """One language's entry; the file says what each is."""

    answer: tuple[str, ...] = Field(min_length=1)
    translate: tuple[str, ...] = Field(min_length=1)


class Side(BaseModel, extra="forbid", frozen=True):
    """A row of an example in one language."""

    id: str
    """The record's."""
    language: str
    instruction: str
    input: str
    output: str
    provenance: dict[str, str] = Field(default_factory=dict)
    """Field -> native, translated or regenerated, as far as the row says it."""


class Pair(BaseModel, extra="forbid", frozen=True):
    """What is asked in the language of one side and answered in that of the other."""

    form: Form
    request: Request
    asks: Side
    answers: Side


class Composed(NamedTuple):
    """A pair as a record has it."""

    instruction: str
    input: str
    output: str
    provenance: dict[str, str]


@lru_cache(maxsize=1)
def listed() -> Mapping[str, Sentences]:
    """Every language that can be asked for, by its tag."""
    return phrasebook("cross_in", Sentences)


def sentences_for(language: str) -> Sentences | None:
    """The sentences of a tag or of its base language; ``None``: not listed."""
    return entry_for(listed(), language)


def side(record: Record) -> Side | None:
    """A row as a side of a pair; ``None`` where it is no single question with its answer."""
    if [m.role for m in record.messages] != ["user", "assistant"]:
        return None
    asked, answer = (message.content for message in record.messages)
    bare, extra = (record.facts.get(name) for name in ("instruction", "input"))
    if not (isinstance(bare, str) and extra and asked == f"{bare}\n\n{extra}"):
        bare, extra = asked, ""  # a later step rewrote the turn: the facts are no longer it
    if not bare.strip() or not answer.strip():
        return None
    stated = record.facts.get("provenance")
    origins = {n: str(o) for n, o in stated.items()} if isinstance(stated, Mapping) else {}
    return Side(
        id=record.id,
        language=record.language,
        instruction=bare,
        input=str(extra),
        output=answer,
        provenance=origins,
    )


def crossed(pair: Pair, choice: int) -> Composed:
    """Asked in one language, answered in the other; ``choice`` (any number) picks a sentence."""
    asks, answers = pair.asks, pair.answers
    instruction, extra = asks.instruction, asks.input
    if asks.language != answers.language:
        if pair.request == "tag":
            extra = f"{extra}\n[{answers.language}]"
        else:
            words = _words(answers.language).answer
            instruction = f"{instruction}\n{words[choice % len(words)]}"
    fields = {"instruction": asks, "input": asks, "response": answers}
    origins = {name: s.provenance[name] for name, s in fields.items() if name in s.provenance}
    return Composed(instruction, extra, answers.output, origins)


def translated(pair: Pair, choice: int) -> Composed:
    """The instruction of one side as the text, that of the other as its translation."""
    words = _words(pair.answers.language).translate
    fields, of = {"input": pair.asks, "response": pair.answers}, "instruction"
    origins = {name: s.provenance[of] for name, s in fields.items() if of in s.provenance}
    texts = pair.asks.instruction, pair.answers.instruction
    return Composed(words[choice % len(words)], *texts, origins)


def _words(language: str) -> Sentences:
    words = sentences_for(language)
    assert words is not None, f"the pass makes no pair into {language}"
    return words
