"""Typing errors on purpose: a text with a few of its characters dropped, doubled or swapped.

A character is what a reader takes for one (a grapheme cluster), so that no mark is torn off its
letter in Devanagari, Thai or Arabic. White space stays.
"""

from __future__ import annotations

import random

import regex

_CHARACTER = regex.compile(r"\X")


def mistyped(text: str, share: float, draw: random.Random) -> str:
    """The text with about ``share`` (0..1) of its characters mistyped, at least one.

    A text without two characters that could be is returned as it is.
    """
    characters = _CHARACTER.findall(text)
    places = [at for at, each in enumerate(characters) if not each.isspace()]
    if len(places) < 2:
        return text
    for at in draw.sample(places, max(1, round(share * len(places)))):
        turn = draw.randrange(3)
        if turn == 0:
            characters[at] = ""
        elif turn == 1 or at + 1 == len(characters):
            characters[at] *= 2
        else:
            characters[at], characters[at + 1] = characters[at + 1], characters[at]
    return "".join(characters)
