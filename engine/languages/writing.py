"""How a language is written, beyond its script: words, capitals, digits, quotation marks.

What a library has comes from there (digits from CLDR, through babel) or follows from the script.
Quotation marks are CLDR's, too, but babel leaves them out: ``taxonomies/languages.yaml`` has them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from engine.constraints.units import cased
from engine.languages.sheet import sheet
from engine.languages.table import Language
from engine.languages.tags import base, normalise

Segmentation = Literal["space", "syllable", "none"]
"""What stands between blanks, or tsheg: a word, a syllable of one, or as much as there is."""


def segmentation(language: Language) -> Segmentation:
    """What the blanks of a language tell of its words."""
    if language.scripts[0] == "Tibt" or sheet().languages[base(language.tag)].get("syllables"):
        return "syllable"
    return "space" if language.spaced else "none"


def has_case(language: Language) -> bool:
    """Whether words are written in capitals, in the language's first script."""
    return cased(f"{base(language.tag)}-{language.scripts[0]}")


@lru_cache(maxsize=1024)
def digits(tag: str) -> tuple[str, ...]:
    """CLDR's names of the digits in use, the usual ones first; none where CLDR does not know.

    A tag without a region stands for the likely one: the usual digits of Egypt are not Morocco's.
    """
    from babel import Locale, UnknownLocaleError
    from babel.core import get_global

    said = normalise(tag).replace("-", "_")
    try:
        locale: Any = Locale.parse(str(get_global("likely_subtags").get(said, said)))
    except (UnknownLocaleError, ValueError):
        return ()
    own = locale.other_numbering_systems.get("native")
    return tuple(dict.fromkeys(filter(None, (locale.default_numbering_system, own))))


def quotes(tag: str) -> tuple[str, ...]:
    """The outer pair of quotation marks, then the inner; none where CLDR does not know."""
    spelt = normalise(tag)
    return sheet().quotes.get(spelt) or sheet().quotes.get(base(spelt), ())
