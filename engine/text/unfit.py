"""Tasks that a model of text alone is not fit for, told by their words, per language.

The words are those of ``taxonomies/self_instruct.yaml``. A language that is not there, and that
the caller brings no words for, has no unfit task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.text.phrases import folded, matcher, phrase_lists, phrases_for

LISTS = "self_instruct.yaml"


def unfit_word(task: str, language: str, more: Mapping[str, Sequence[str]]) -> str:
    """The word or phrase that makes ``task`` unfit, or ``""``; ``more`` adds some by language."""
    own = phrases_for({tag: {"blocked": tuple(more[tag])} for tag in more}, "blocked", language)
    blocked = phrases_for(phrase_lists(LISTS), "blocked", language)
    found = matcher(blocked + own).search(folded(task))
    return found.group().strip() if found else ""


def opens_as_program(task: str, language: str) -> bool:
    """Whether ``task`` opens with the language's words for "write a program"."""
    openings = matcher(phrases_for(phrase_lists(LISTS), "programs", language))
    return bool(openings.match(folded(task), 1))  # 1: a folded text begins with a space
