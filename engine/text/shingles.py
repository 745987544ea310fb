"""Shingles: the overlapping pieces of a text, as a set that two texts can be compared by.

Pieces are characters, not words, so that no script needs a segmenter. A Han character or a kana
carries about what two letters do, and sentences have fewer of them: with five characters a
piece, one changed word in twelve would take a Chinese sentence from 1.0 to 0.5 and an English
one to 0.7. A piece that starts with such a character is therefore about half as long. The
choice is made piece by piece, so that texts of mixed script remain comparable.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Set

import regex

DENSE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}]")
"""A character that says about what two letters do."""


def normalise(text: str) -> str:
    """What counts as the same text: NFKC, case-folded, white space collapsed.

    Half a surrogate pair becomes U+FFFD, because compiled libraries refuse it.
    """
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def shingles(text: str, size: int = 5) -> set[str]:
    """Pieces of ``size`` characters, or half as many (rounded up) in dense scripts.

    A text shorter than one piece is its own only piece; an empty text has none.
    """
    dense = [] if text.isascii() else [m.start() for m in DENSE.finditer(text)]
    if not dense:
        return {text[i : i + size] for i in range(max(1, len(text) - size + 1))} - {""}
    short = (size + 1) // 2
    pieces = {text[i : i + short] for i in dense if i + short <= len(text)}
    others = set(range(len(text) - size + 1)).difference(dense)
    return pieces | {text[i : i + size] for i in others} or {text}


def jaccard(left: Set[str], right: Set[str]) -> float:
    """Shared pieces over all pieces (0..1); 0 when either set is empty."""
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared) if shared else 0.0
