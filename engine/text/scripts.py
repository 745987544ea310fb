"""Scripts: in which one a language is written, and how much of a text is.

The script comes from the tag where it names one (``sr-Latn``), else from CLDR's likely
subtags, through babel. Not a language identifier: German and English look alike here.
"""

from __future__ import annotations

from functools import lru_cache

import regex

from engine.text.tokens import tokens

_LETTER = regex.compile(r"\p{L}")
SEVERAL = {
    "Jpan": ("Hani", "Hira", "Kana"),
    "Kore": ("Hang", "Hani"),
    "Hans": ("Hani",),
    "Hant": ("Hani",),
    "Hanb": ("Hani", "Bopo"),
    "Hrkt": ("Hira", "Kana"),
}
"""ISO 15924 codes that stand for several Unicode scripts, or for a way to write one."""


@lru_cache(maxsize=1024)
def script(tag: str) -> str:
    """The ISO 15924 code of a language's script, e.g. ``Deva`` for ``hi``; ``""`` if unknown."""
    from babel.core import get_global

    parts = tag.replace("_", "-").split("-")
    if named := [part for part in parts[1:] if len(part) == 4 and part.isalpha()]:
        return named[0].title()
    likely = get_global("likely_subtags")
    found = likely.get("_".join(parts[:2])) or likely.get(parts[0].lower()) or ""
    return next((part for part in found.split("_")[1:] if len(part) == 4), "")


def share_in_script(text: str, tag: str) -> float:
    """Share (0..1) of the words of ``text`` that are in the script of the language ``tag``.

    Words, not letters: a quoted English word in a Chinese sentence counts for one, not for
    seven. 1 where there is no letter, or nobody knows the script.
    """
    inside = _letters_of(script(tag))
    words = [token for token in tokens(text) if _LETTER.search(token)]
    if not inside or not words:
        return 1.0
    return sum(bool(inside.search(word)) for word in words) / len(words)


@lru_cache(maxsize=256)
def _letters_of(code: str) -> regex.Pattern[str] | None:
    names = SEVERAL.get(code, (code,)) if code else ()
    try:
        scripts = "".join(rf"\p{{Script_Extensions={name}}}" for name in names)
        return regex.compile(rf"[\p{{L}}&&[{scripts}]]", regex.V1) if scripts else None
    except regex.error:  # a script that CLDR names and this Unicode version does not have
        return None
