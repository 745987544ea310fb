"""The script of a text: of which one its words are, and which Chinese it is.

Words are counted, not letters: an English name in a Chinese sentence is one word and not seven
letters. Traditional and simplified Chinese are one script for Unicode; the national character
sets know them apart, and Python has both: what GB 2312 lacks and Big5 has is traditional.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import regex

from engine.languages.sheet import sheet
from engine.text.scripts import SEVERAL
from engine.text.tokens import tokens

CLEAR = 3
"""So many times as many characters of one Chinese as of the other settle which one it is."""

_LETTER = regex.compile(r"\p{L}")
_HAN = regex.compile(r"\p{Han}")


def census(text: str) -> Counter[str]:
    """ISO 15924 code of a Unicode script -> words of ``text`` in it; by a word's first letter."""
    found: Counter[str] = Counter()
    for token in tokens(text):
        if (letter := _LETTER.search(token)) and (code := _script_of(letter[0])):
            found[code] += 1
    return found


def share(counted: Counter[str], script: str) -> float:
    """Share (0..1) of the words counted that are in a script; 0 where there are none."""
    words = counted.total()
    inside = sum(counted[code] for code in SEVERAL.get(script, (script,)))
    return inside / words if words else 0.0


def best_script(counted: Counter[str], scripts: tuple[str, ...]) -> tuple[str, float]:
    """Which of a language's scripts most words are in, and their share; the first of equals."""
    best = max(scripts, key=lambda script: share(counted, script))
    return best, share(counted, best)


def chinese(text: str) -> str:
    """``Hans`` or ``Hant``; ``""`` where the characters are those of both."""
    simplified = traditional = 0
    for character in _HAN.findall(text):
        old, new = _in(character, "big5"), _in(character, "gb2312")
        simplified += new and not old
        traditional += old and not new
    if simplified > CLEAR * traditional:
        return "Hans"
    return "Hant" if traditional > CLEAR * simplified else ""


def _in(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=65536)
def _script_of(letter: str) -> str:
    return next((code for code, pattern in _patterns() if pattern.match(letter)), "")


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, regex.Pattern[str]], ...]:
    """What finds each Unicode script of the sheet; one this Unicode lacks is left out."""
    codes = dict.fromkeys(c for script in sheet().scripts for c in SEVERAL.get(script, (script,)))
    found = []
    for code in codes:
        try:
            found.append((code, regex.compile(rf"\p{{Script={code}}}")))
        except regex.error:
            continue
    return tuple(found)
