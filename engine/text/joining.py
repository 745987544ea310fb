"""Whether a merged instruction is one instruction, or two that were put side by side.

Two are side by side where the text still holds both, letter by letter, and where it has more words
for "or" than they had together (``taxonomies/merge.yaml``): who may choose has only one to answer.
A language that is not listed is held to the first rule alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.text.phrases import folded, matcher, phrase_lists, phrases_for
from engine.text.sameness import bare


def joined(text: str, parts: Sequence[str], language: str) -> str:
    """Why ``text`` is no merger of ``parts``, as a slug; empty where it can be one."""
    merged = bare(text, punctuation=False)
    if not merged:
        return "empty_merge"
    held = [bare(part, punctuation=False) for part in parts]
    if merged in held:
        return "copied_original"
    if all(each in merged for each in held):
        return "both_side_by_side"
    more = alternatives(text, language) > sum(alternatives(part, language) for part in parts)
    return "joined_by_or" if more else ""


def alternatives(text: str, language: str) -> int:
    """How many words for "or" there are in ``text``; 0 in a language that is not listed."""
    listed = phrases_for(phrase_lists("merge.yaml"), "or", language)
    return len(matcher(listed).findall(folded(text)))
