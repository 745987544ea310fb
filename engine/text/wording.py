"""The length of a task in words, and its first letter, in any script."""

from __future__ import annotations

from engine.text.lengths import tokens_per_word, words
from engine.text.tokens import tokens

_DOTTED_I = {"tr", "az"}  # where the capital of i is İ


def word_count(text: str) -> int:
    """Words between spaces; where the script has none, the characters' worth in words."""
    return len(text.split()) if tokens_per_word(tokens(text)) == 1 else words(text)


def capitalised(text: str, language: str) -> str:
    """``text`` with a capital first letter, where the script has capitals; the rest untouched.

    A word with a capital further on (``iPhone``, ``pH``) stays as it is, and so does a letter
    whose capital is not one letter (``ß``).
    """
    at = 1 if text[:1] in "¿¡" and len(text) > 1 else 0
    first, word = text[at : at + 1], text[at:].split(maxsplit=1)[:1]
    turkic = first == "i" and language.split("-")[0] in _DOTTED_I
    capital = "İ" if turkic else first.title()  # title, not upper: Georgian has no initial capitals
    if len(capital) != 1 or any(letter.isupper() for letter in "".join(word)[1:]):
        return text
    return text[:at] + capital + text[at + 1 :]
