"""A method's own sentences in a language that nobody has written them in: translated and checked.

What a sentence leaves open (``{key}``) is masked, so that a model carries it along and neither
translates nor loses it. Whoever asks the model is a generator; here is what goes to it, and what
is made of its reply.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.languages.masking import Unrestorable, mask, restore
from engine.text.leftovers import unwrapped
from engine.text.scripts import share_in_script


def opened(sentences: Mapping[str, str]) -> dict[str, str]:
    """The sentences with a sentinel for each slot."""
    return {name: mask(text).text for name, text in sentences.items()}


def closed(
    replies: Mapping[str, str], sentences: Mapping[str, str], language: str
) -> tuple[dict[str, str], str]:
    """The translations with their slots, or why they will not do (then as the reason of a drop)."""
    found: dict[str, str] = {}
    for name, source in sentences.items():
        reply = " ".join(unwrapped(replies.get(name, "")).split())
        try:
            found[name] = restore(reply, mask(source).kept)
        except Unrestorable as error:
            return {}, f"{error.fault}_placeholder"
        if not reply or "{" in reply or "}" in reply:
            return {}, "broken_sentence"
        if reply == source or share_in_script(reply, language) < 0.5:
            return {}, "untranslated"
    return found, ""
