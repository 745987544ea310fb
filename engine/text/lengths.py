"""How long a text is, in words, whatever its script.

A script that is written without spaces has no words to count, only characters, and a character
of one script carries more than a character of another. So each character counts for a fixed
share of a word. The shares are measured, not guessed: in the Universal Declaration of Human
Rights the same text takes a median of 1,784 words over the languages with spaces (1,753 in
English), 2,514 to 2,680 characters in Chinese (0.67 to 0.71 words each), 2,953 in Yi (0.60),
3,793 in Japanese (0.47, Han and Kana together), and 6,249 to 7,887 letters in Khmer, Tibetan,
Burmese, Thai and Lao (0.23 to 0.29).

Source: the counts are those of ``engine.text.tokens`` on the corpus ``udhr2`` of NLTK.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import ceil

import regex

from engine.text.tokens import UNSPACED, tokens

WORDS_PER_IDEOGRAPH = 0.65
"""What one Han or Yi character is worth, in words."""
WORDS_PER_KANA = 0.3
"""What one character of Hiragana, Katakana or Bopomofo is worth, in words."""
WORDS_PER_UNSPACED_LETTER = 0.25
"""What one letter of Thai, Lao, Khmer, Burmese, Tibetan and the like is worth, in words."""

_SHARES = (
    (regex.compile(r"[\p{Han}\p{Yi}]"), WORDS_PER_IDEOGRAPH),
    (regex.compile(r"[\p{Hiragana}\p{Katakana}\p{Bopomofo}ー]"), WORDS_PER_KANA),
    (regex.compile(rf"[{UNSPACED}&&\p{{L}}]", regex.V1), WORDS_PER_UNSPACED_LETTER),
)


def words(text: str) -> int:
    """Length in words, rounded up; a text of signs alone (``>``, an emoji) counts as one."""
    return max(ceil(_weigh(tokens(text)) - 1e-9), int(bool(text.strip())))


def tokens_per_word(found: Sequence[str]) -> float:
    """How many of these tokens make a word: 1 with spaces, 1.5 in Chinese, 4 in Thai."""
    return len(found) / _weigh(found) if found else 1.0


def _weigh(found: Sequence[str]) -> float:
    first = Counter(token[0] for token in found)
    return sum(_share(character) * count for character, count in first.items())


@lru_cache(maxsize=4096)
def _share(character: str) -> float:
    return next((share for script, share in _SHARES if script.match(character)), 1.0)
