"""A constraint read, and a text held against it, strictly or loosely.

Strictly: the text as it is. Loosely: any of eight variants will do, the text with or without its
asterisks and with or without its first and last line, since models like to open with "Sure!" and
to print keywords bold. A blank text meets no constraint.

Source: Zhou et al., "Instruction-Following Evaluation for Large Language Models", 2023,
arXiv:2311.07911 (the 25 types, strict and loose accuracy); Dussolle et al., "M-IFEval:
Multilingual Instruction-Following Evaluation", 2025, arXiv:2502.04688 (counting by the language).
Differs: on ASCII text each type decides as published, but that a keyword is no regular
expression, a word in capitals is told by its letters alone, sentences are ours, and the language
of an answer is never taken on trust; beyond ASCII see ``units``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.constraints import cases, keywords, layouts, lengths, whole
from engine.constraints.kinds import AnyKind, Context, Found, Identify
from engine.constraints.units import blank
from engine.core import Json

KINDS: Mapping[str, AnyKind] = MappingProxyType(
    {**keywords.KINDS, **lengths.KINDS, **layouts.KINDS, **whole.KINDS, **cases.KINDS}
)
"""The 25 types, by their published names."""
CASES = ("change_case:english_capital", "change_case:english_lowercase")

_PUBLISHED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "keywords:frequency": {"frequency": "count"},
        "keywords:forbidden_words": {"forbidden_words": "words"},
        "keywords:letter_frequency": {"let_frequency": "count", "let_relation": "relation"},
        "length_constraints:number_words": {"num_words": "count"},
        "length_constraints:number_sentences": {"num_sentences": "count"},
        "length_constraints:number_paragraphs": {"num_paragraphs": "count"},
        "length_constraints:nth_paragraph_first_word": {
            "num_paragraphs": "count",
            "nth_paragraph": "nth",
            "first_word": "word",
        },
        "detectable_content:number_placeholders": {"num_placeholders": "count"},
        "detectable_content:postscript": {"postscript_marker": "marker"},
        "detectable_format:number_bullet_lists": {"num_bullets": "count"},
        "detectable_format:number_highlighted_sections": {"num_highlights": "count"},
        "detectable_format:multiple_sections": {
            "section_spliter": "splitter",
            "num_sections": "count",
        },
        "combination:repeat_prompt": {"prompt_to_repeat": "prompt"},
        "startend:end_checker": {"end_phrase": "phrase"},
        "change_case:capital_word_frequency": {
            "capital_relation": "relation",
            "capital_frequency": "count",
        },
    }
)
"""Type -> what the published rows call a parameter -> what it is called here."""


class ConstraintError(ValueError):
    """What was given is no constraint: no such type, or parameters that do not fit it."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint on an answer."""

    type: str
    params: BaseModel

    def dump(self) -> dict[str, Json]:
        """As it stands in a record's facts, and as ``read`` takes it."""
        return {"type": self.type, "params": self.params.model_dump(mode="json")}


def read(entry: object) -> Constraint:
    """The constraint of ``{"type": ..., "params": {...}}``.

    Raises:
        ConstraintError: it is none; says why.
    """
    match entry:
        case {"type": str(type_), **rest} if rest.keys() <= {"params"}:
            return _checked(type_, rest.get("params", {}))
    raise ConstraintError(f"not {{type, params}}: {entry!r}"[:200])


def read_published(type_: str, kwargs: Mapping[str, Any]) -> Constraint:
    """The constraint of one entry of ``instruction_id_list`` and its ``kwargs``.

    Raises:
        ConstraintError: it is none; says why.
    """
    renamed = _PUBLISHED.get(type_, {})
    params = {renamed.get(key, key): value for key, value in kwargs.items() if value is not None}
    if type_ in CASES:
        params.setdefault("language", "en")
    return _checked(type_, params)


def _checked(type_: str, params: object) -> Constraint:
    if type_ not in KINDS:
        raise ConstraintError(f"no constraint is of type {type_[:80]!r}")
    try:
        return Constraint(type_, KINDS[type_].params.model_validate(params))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "params"
        raise ConstraintError(f"{type_}: {where}: {first['msg']}") from error


def language_of(constraints: Sequence[Constraint], language: str) -> str:
    """The language an answer is to be in: one that a constraint names, else the given one."""
    for constraint in constraints:
        params = constraint.params
        if isinstance(params, whole.ResponseLanguage | cases.Case) and params.language:
            return params.language
    return language


def strict(text: str, constraint: Constraint, context: Context) -> Found:
    """Whether the text as it is meets the constraint."""
    if blank(text):
        return Found("fail", "the text is blank")
    return KINDS[constraint.type].check(text, constraint.params, context)


def loose(text: str, constraint: Constraint, context: Context) -> Found:
    """Whether any variant of the text does; the finding on the text itself where none does."""
    itself, *others = variants(text)
    first = strict(itself, constraint, context)
    if first.verdict == "pass":
        return first
    for other in others:
        found = strict(other, constraint, context)
        if found.verdict == "pass":
            return found
    return first


def variants(text: str) -> list[str]:
    """The text first, then without its first line, its last, both; all without asterisks, too."""
    lines = text.split("\n")
    cut = (text, *("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])))
    return list(dict.fromkeys((*cut, *(each.replace("*", "") for each in cut))))


def listed(entries: object) -> list[Constraint]:
    """The constraints of a record's facts, in their order; none where there is nothing.

    Raises:
        ConstraintError: they are not a list, or one of them cannot be read.
    """
    if not entries:
        return []
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ConstraintError(f"no list of constraints: {entries!r}"[:200])
    return [read(entry) for entry in entries]


def results(
    text: str, constraints: Sequence[Constraint], language: str, identify: Identify | None = None
) -> list[dict[str, Json]]:
    """What each constraint comes to: its type, both verdicts, the evidence of the strict one."""
    context = Context(language_of(constraints, language), identify)
    found = []
    for constraint in constraints:
        first = strict(text, constraint, context)
        other = first if first.verdict == "pass" else loose(text, constraint, context)
        verdicts = {"strict": first.verdict, "loose": other.verdict}
        found.append({"type": constraint.type, **verdicts, "why": first.why[:200]})
    return found


def passes(found: Sequence[Mapping[str, Json]]) -> bool:
    """Whether every result is a strict pass, and there is one."""
    return bool(found) and all(each["strict"] == "pass" for each in found)


def failures(found: Sequence[Sequence[Mapping[str, Json]]]) -> str:
    """Which types were not met, and how often, over several answers; most frequent first."""
    times = Counter(each["type"] for one in found for each in one if each["strict"] != "pass")
    return ", ".join(f"{type_} {count}x" for type_, count in times.most_common(5))
