"""Constraints to choose from for an instruction that exists: some of form, some of number.

A few of each are drawn that can stand together; somebody who reads the instruction, a model, says
which of them suit it and puts them into words where the language has no listed wording. What was
chosen is a constraint like any other, so that an answer can be held against it.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.constraints.conflicts import clash
from engine.constraints.drawing import draw, in_english, says, worded
from engine.constraints.kinds import Ground
from engine.constraints.reading import Constraint

FORM = (
    "detectable_format:number_bullet_lists",
    "detectable_format:title",
    "detectable_format:number_highlighted_sections",
    "detectable_format:multiple_sections",
    "detectable_content:number_placeholders",
    "detectable_content:postscript",
    "startend:end_checker",
    "startend:quotation",
    "punctuation:no_comma",
    "change_case:english_capital",
    "change_case:english_lowercase",
)
NUMBER = (
    "length_constraints:number_words",
    "length_constraints:number_sentences",
    "length_constraints:number_paragraphs",
    "length_constraints:nth_paragraph_first_word",
    "keywords:frequency",
    "keywords:letter_frequency",
    "change_case:capital_word_frequency",
)


FORMS, NUMBERS = 3, 2
"""How many of each are offered."""


def offer(ground: Ground) -> list[Constraint]:
    """Constraints of form, then of number, each fit to stand with the others."""
    found, left = draw(ground, FORM, FORMS), NUMBERS
    for one in draw(ground, NUMBER, len(NUMBER)):
        if left and not any(clash(one, other, ground.language) for other in found):
            found.append(one)
            left -= 1
    return found


def wordings(offered: Sequence[Constraint], ground: Ground) -> list[str]:
    """The constraints in words of the language; in English where a wording is not listed."""
    tag, rng = ground.language, ground.rng
    return [worded(each, tag, rng) or in_english(each, tag, rng) for each in offered]


def picked(
    offered: Sequence[Constraint], numbers: Sequence[int], sentences: Sequence[str], language: str
) -> list[Constraint]:
    """The constraints with these numbers, counted from 1.

    None where a number is not offered or comes twice, or a sentence leaves out what its
    constraint is about.
    """
    if len(set(numbers)) < len(numbers) or not all(1 <= n <= len(offered) for n in numbers):
        return []
    found = [offered[n - 1] for n in numbers]
    said = (says(text, each, language) for text, each in zip(sentences, found, strict=True))
    return found if all(said) else []
