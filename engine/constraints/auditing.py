"""Whether a file of localised prompts and constraints is one that answers can be held against.

Published sets in the form of IFEval (one JSON object a line: ``key``, ``prompt``,
``instruction_id_list``, ``kwargs``) go wrong in the same ways when they are put into other
languages: lists that no longer match, keywords left in the source's script, a letter that the
script does not have, two languages demanded at once. A checker would call every such row a failure
of the model. This names the rows instead, by line, and never stops at one.

Of two files that are twins (the same prompts, machine-translated and localised, in any order) it
says how many rows still ask the same and in how many nothing was localised.

Source: the released files of Zeng et al., "Marco-Bench-MIF: On Multilingual Instruction-Following
Capability of Large Language Models", 2025, arXiv:2507.11882, have each of these defects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.constraints.cases import CapitalWords, Case
from engine.constraints.conflicts import written
from engine.constraints.keywords import Forbidden, Frequency, LetterFrequency
from engine.constraints.layouts import Options, Postscript
from engine.constraints.reading import Constraint, ConstraintError, language_of, read_published
from engine.constraints.units import cased
from engine.constraints.whole import RepeatPrompt, ResponseLanguage
from engine.text.scripts import share_in_script
from engine.text.tokens import tokens

Fault = Literal[
    "invalid_json",
    "duplicate_key",
    "unequal_lists",
    "bad_constraint",
    "foreign_keyword",
    "foreign_letter",
    "language_conflict",
]
LANGUAGE = "language:response_language"


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with one row."""

    line: int
    """From 1."""
    key: str
    """The row's own key; empty where it cannot be read."""
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is JSON."""

    line: int
    key: str
    prompt: str
    ids: tuple[str, ...]
    kwargs: tuple[Mapping[str, Any], ...]

    @property
    def asked(self) -> frozenset[str]:
        """The types of its constraints, but for the one on the language of the answer."""
        return frozenset(self.ids) - {LANGUAGE}


@dataclass(frozen=True, slots=True)
class Twins:
    """Two files of the same prompts, joined by key."""

    joined: int
    """Keys that are in both."""
    same_constraints: int
    """Rows that ask the same of an answer, its language aside."""
    untouched: int
    """Rows whose prompt is the same text in both: nothing was localised."""


@dataclass(frozen=True, slots=True)
class Change:
    """A run of words that stands in the one text and what stands in its place in the other."""

    before: str
    after: str


def rows(lines: Iterable[str]) -> Iterator[Row | Defect]:
    """Every line as a row, or as the defect that makes it none; blank lines are passed over."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _row(number, line)


def audit(lines: Iterable[str], language: str) -> list[Defect]:
    """All defects of a file whose prompts are in a language, in the order of its lines."""
    found: list[Defect] = []
    first: dict[str, int] = {}
    for row in rows(lines):
        if isinstance(row, Defect):
            found.append(row)
            continue
        if row.key and row.key in first:
            told = f"also on line {first[row.key]}"
            found.append(Defect(row.line, row.key, "duplicate_key", told))
        first.setdefault(row.key, row.line)
        found += [Defect(row.line, row.key, *each) for each in _faults(row, language)]
    return found


def faults(constraints: Sequence[Constraint], language: str) -> Iterator[tuple[Fault, str]]:
    """What keeps an answer to a prompt in a language from meeting these constraints."""
    yield from _conflicts(constraints, language)
    answer = language_of(constraints, language)
    for constraint in constraints:
        for word in _words(constraint):
            if share_in_script(word, answer) < 1:
                yield "foreign_keyword", f"{constraint.type}: {word!r} in an answer in {answer}"
        match constraint.params:
            case LetterFrequency(letter=letter) if share_in_script(letter, answer) < 1:
                yield "foreign_letter", f"{letter!r} in an answer in {answer}"


def twins(plain: Iterable[str], local: Iterable[str]) -> Twins:
    """How a localised file stands to its translated twin; of a key that comes twice, the first."""
    one, other = _by_key(plain), _by_key(local)
    both = [(one[key], other[key]) for key in one if key in other]
    same = sum(a.asked == b.asked for a, b in both)
    return Twins(len(both), same, sum(same_words(a.prompt, b.prompt) for a, b in both))


def changed(before: str, after: str) -> list[Change]:
    """The runs of words in which two texts differ, in their order; white space makes none."""
    from difflib import SequenceMatcher

    one, other = _words_of(before, after)
    edits = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    runs = [(one[a:b], other[c:d]) for kind, a, b, c, d in edits if kind != "equal"]
    return [Change(" ".join(left), " ".join(right)) for left, right in runs]


def same_words(before: str, after: str) -> bool:
    """Whether ``changed`` would find nothing; told at once, however long the texts are."""
    one, other = _words_of(before, after)
    return one == other


def _words_of(before: str, after: str) -> tuple[list[str], list[str]]:
    one, other = before.split(), after.split()
    if len(one) < 2 or len(other) < 2:  # no blanks between words
        return list(tokens(before)), list(tokens(after))
    return one, other


def _row(number: int, line: str) -> Row | Defect:
    try:
        match json.loads(line):
            case {"instruction_id_list": list(ids), "kwargs": list(kwargs), **rest} if all(
                isinstance(each, Mapping) for each in kwargs
            ):
                key, prompt = rest.get("key"), rest.get("prompt")
                if not isinstance(prompt, str | None):
                    return Defect(
                        number, "", "invalid_json", f"the prompt is no text: {prompt!r:.80}"
                    )
                name = "" if key is None else str(key)
                return Row(number, name, prompt or "", tuple(map(str, ids)), tuple(kwargs))
    except (ValueError, RecursionError) as error:
        return Defect(number, "", "invalid_json", str(error)[:200])
    return Defect(number, "", "invalid_json", "no object with instruction_id_list and kwargs")


def _faults(row: Row, language: str) -> Iterator[tuple[Fault, str]]:
    if len(row.ids) != len(row.kwargs):
        yield "unequal_lists", f"{len(row.ids)} constraints, {len(row.kwargs)} of kwargs"
        return
    constraints = []
    for type_, kwargs in zip(row.ids, row.kwargs, strict=True):
        try:
            constraints.append(read_published(type_, kwargs))
        except ConstraintError as error:
            yield "bad_constraint", str(error)
    yield from faults(constraints, language)


def _conflicts(constraints: Sequence[Constraint], language: str) -> Iterator[tuple[Fault, str]]:
    """Two languages for one answer, or capitals in one that has none."""
    params = [constraint.params for constraint in constraints]
    named = [p.language for p in params if isinstance(p, ResponseLanguage | Case) and p.language]
    if len(several := {tag.split("-")[0].lower() for tag in named}) > 1:
        yield "language_conflict", f"the answer is to be in {' and in '.join(sorted(several))}"
    answer = language_of(constraints, language)
    if any(isinstance(p, Case | CapitalWords) for p in params) and not cased(answer):
        yield "language_conflict", f"capitals in an answer in {answer}"


def _words(constraint: Constraint) -> tuple[str, ...]:
    """The words of a language that a constraint holds; set phrases and markers are signs."""
    match constraint.params:
        case Forbidden(words=words):
            return words
        case Frequency(keyword=word):
            return (word,)
        case RepeatPrompt() | Options() | Postscript():
            return ()
    return written(constraint)


def _by_key(lines: Iterable[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in rows(lines):
        if isinstance(row, Row):
            found.setdefault(row.key, row)
    return found
