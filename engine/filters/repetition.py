"""Repetition: drop texts that tell the same thing over and over.

A model that has lost its way repeats a paragraph, an item of a list, or one word until its
tokens run out. Three measures, each blind where another sees: ``repeated_ngrams`` (passages told
again), ``repeated_lines`` (lines that copy a line) and ``repeated_unit`` (one word or sign many
times in a row). Where a script has no spaces, an n-gram has as many characters as ``ngram``
words would take there.

Source: Rae et al., "Scaling Language Models: Methods, Analysis & Insights from Training
Gopher", 2021, arXiv:2112.11446, appendix A.1 (fractions of duplicate lines and n-grams).
Differs: Gopher looks at web pages and drops above 0.10 to 0.20 of the characters, at nine
lengths of n-gram. Responses are shorter, and tables, code and legal articles repeat by design:
over 388 languages the declaration of human rights has up to 0.21 of its tokens in repeated
8-grams, so one length and 0.3 are the default. The first occurrence does not count, and the
runs of one unit take the place of Gopher's most frequent 2- to 4-grams.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Filter, Kit
from engine.text.lengths import tokens_per_word
from engine.text.repetition import longest_run, repeated_lines, repeated_ngrams
from engine.text.sides import Side, turns
from engine.text.tokens import tokens


class Params(BaseModel, extra="forbid"):
    """How much repetition is style; beyond it a text is dropped. A share of 1 switches off."""

    sides: tuple[Side, ...] = ("response",)
    """Which sides are checked; an instruction may hold an input that repeats by design."""
    ngram: int = Field(default=8, ge=2)
    """Length of an n-gram, in words."""
    max_repeated_ngrams: float = Field(default=0.3, gt=0, le=1)
    """Most tokens in n-grams that occurred before, as a share of all tokens, 0..1."""
    max_repeated_lines: float = Field(default=0.3, gt=0, le=1)
    """Most characters in lines that copy an earlier one, as a share of all lines, 0..1."""
    max_unit_share: float = Field(default=0.4, gt=0, le=1)
    """Most that a unit repeated 8 times or more in a row may take, as a share of the text, 0..1."""


def check(record: Record, kit: Kit[Params]) -> Outcome:
    """Keep the record if no turn of the chosen sides repeats itself too much."""
    for side in kit.params.sides:
        for text in turns(record, side):
            if found := _repetition(text, kit.params):
                return Drop(record, found[0], f"{side}: {found[1]}")
    return record


def _repetition(text: str, params: Params) -> tuple[str, str] | None:
    """The reason and its measure, or ``None`` for a text that moves on."""
    run = longest_run(text)
    if run and run.share > params.max_unit_share and params.max_unit_share < 1:
        return "repeated_unit", f"{run.unit!r} {run.times} times, {run.share:.2f} of the text"
    if (lines := repeated_lines(text)) > params.max_repeated_lines:
        return "repeated_lines", f"{lines:.2f} of the text"
    found = tokens(text)
    ngrams = repeated_ngrams(found, round(params.ngram * tokens_per_word(found)))
    if ngrams > params.max_repeated_ngrams:
        return "repeated_ngrams", f"{ngrams:.2f} of the tokens"
    return None


FILTER = Filter(check, Params)
