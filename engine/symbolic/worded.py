"""Rewriting tasks in words, in the language at hand, and the letters its strings are made of.

Read from ``taxonomies/string_rewriting.yaml``; a language is added there, without code, and in one
that is missing nothing is said in English. Rules are told in words: an arrow would point the
other way to a reader from right to left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from pydantic import BaseModel, Field

from engine import shipped
from engine.symbolic.rewriting import Mode, Rule
from engine.text.scripts import script

Wordings = tuple[str, ...]

_SIDE = re.compile(r"\{(?:left|right)\}")


class Words(BaseModel, extra="forbid", frozen=True):
    """One language's entry."""

    one: Wordings = Field(min_length=1)
    """Instructions with a single rule; slots ``{left}`` and ``{right}``."""
    step: Wordings = Field(min_length=1)
    """Instructions to apply the first rule that fits, once; slot ``{rules}``."""
    repeat: Wordings = Field(min_length=1)
    """Instructions to go on until none fits; slot ``{rules}``."""
    rule: str
    """A rule in a list; slots ``{left}`` and ``{right}``."""
    form: str
    """How the answer is written."""
    string: str
    """The line of the string; slot ``{text}``."""


class File(BaseModel, extra="forbid", frozen=True):
    """The whole of the file."""

    alphabets: Mapping[str, str]
    """Script -> its letters."""
    languages: Mapping[str, Words]


@lru_cache(maxsize=1)
def _file() -> File:
    path = shipped.folder("taxonomies") / "string_rewriting.yaml"
    return File.model_validate(shipped.read(path))


def words_for(language: str) -> Words | None:
    """The words of a tag, else of its base language in the same script; ``None``: not listed."""
    listed, base = _file().languages, language.replace("_", "-").split("-")[0]
    near = base if script(base) == script(language) else ""
    return listed.get(language) or listed.get(near)


def listed() -> tuple[str, ...]:
    """The languages there are words for."""
    return tuple(_file().languages)


def alphabet_for(language: str) -> str:
    """The letters of the language's script; empty where it is not listed."""
    return _file().alphabets.get(script(language), "")


def instructions(rules: Sequence[Rule], mode: Mode, words: Words) -> Sequence[str]:
    """Every way in which the task can be put."""
    forms = words.step if mode == "step" else words.repeat
    lines = "\n".join(f"{n}. {_filled(words.rule, rule)}" for n, rule in enumerate(rules, 1))
    if mode == "one":
        told = [_filled(form, rules[0]) for form in words.one]
    else:
        told = [form.replace("{rules}", lines) for form in forms]
    return [f"{each}\n\n{words.form}" for each in told]


def given(text: str, words: Words) -> str:
    """The string, as it stands below the instruction."""
    return words.string.replace("{text}", text)


def _filled(form: str, rule: Rule) -> str:
    sides = {"{left}": rule.left, "{right}": rule.right}  # in one go: a side may look like a slot
    return _SIDE.sub(lambda slot: sides[slot[0]], form)
