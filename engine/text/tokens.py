"""Text to tokens, in any script.

The words of a text, lower-cased: runs of letters, marks and digits. Scripts that are written
without spaces (Han, Kana, Thai, Lao, Khmer, Burmese, Tibetan, ...) give one token a character,
so that Chinese is neither one giant word nor nothing at all. On plain English the tokens are
those of the library rouge-score, whose own tokenizer keeps only ``[a-z0-9]`` and so finds no
word in any other script.
"""

from __future__ import annotations

import unicodedata

import regex

UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    r"\p{Javanese}\p{Balinese}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Yi}"
)
"""Scripts written without spaces between words, as the inside of a character class."""

_TOKEN = regex.compile(
    rf"[{UNSPACED}&&[\p{{L}}\p{{N}}]]\p{{M}}*|[[\p{{L}}\p{{N}}]--[{UNSPACED}]]"
    rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}&&\p{{L}}]]*",
    regex.V1,
)
_ASCII = regex.compile(r"[a-z0-9]+")
_UNSPACED_CHARACTER = regex.compile(rf"[{UNSPACED}]", regex.V1)


def tokens(text: str) -> list[str]:
    """Lower-cased words, or single characters where the script has no spaces; in text order."""
    if text.isascii():
        return _ASCII.findall(text.lower())
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def is_unspaced(text: str) -> bool:
    """Whether most letters of ``text`` belong to scripts written without spaces."""
    letters = sum(map(str.isalpha, text))
    return letters > 0 and 2 * len(_UNSPACED_CHARACTER.findall(text)) > letters
