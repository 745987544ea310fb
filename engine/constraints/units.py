"""What constraints count and compare, in any script: words, letters, sentences, capitals.

The units follow the declared language, never the text: a short answer is easily mistaken for
another language, and then counts would change their meaning from one answer to the next.

- Words are runs of letters, marks, digits and underscores; a joiner (as in Persian) does not end
  one. On English these are the words of the published definition, where "don't" is two.
- Chinese, Japanese, Thai and other scripts without spaces have no words without a dictionary, and
  dictionaries disagree; there a *character* is the unit: a letter with its marks, or a whole run
  of letters or digits of another script ("iPhone 15" is two). The wording says so, too.
- Sentences are those of ``engine.text.sentences``; Thai, Lao and Tibetan do not mark them.
- Two texts are alike when they are alike without case, vowel points that people leave out
  (Arabic, Hebrew), joiners, direction marks and compatibility forms (full width, ligatures).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Literal

import regex

from engine.text.scripts import script
from engine.text.sentences import sentences as split_sentences
from engine.text.tokens import UNSPACED

QUOTES = "\"'“”„‟«»‹›「」『』＂＇‘’‚‛〝〞"
"""Quotation marks of any language, opening and closing."""
CASED = frozenset({"Latn", "Cyrl", "Grek", "Armn", "Copt", "Adlm", "Osge", "Dsrt", "Glag"})
"""Scripts in which words are written in capitals; Georgian has the letters but not the use."""
WITHOUT_SPACES = frozenset(
    {"Hans", "Hant", "Hani", "Hanb", "Jpan", "Hrkt", "Bopo", "Thai", "Laoo", "Khmr", "Mymr"}
    | {"Tibt", "Tale", "Talu", "Lana", "Yiii"}
)
WITHOUT_SENTENCE_MARKS = frozenset({"Thai", "Laoo", "Tibt"})
TURKIC = frozenset({"tr", "az", "crh", "tt"})
"""Languages whose small I has a dot of its own."""

_FORMAT = regex.compile(r"[\p{Cf}\u034f\ufe0e\ufe0f]+")
_POINTS = regex.compile(
    "[\u0640\u064b-\u0652\u0670\u06d6-\u06ed\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]+"
)
_APOSTROPHES = "’ʼ‘"
_DOTLESS = str.maketrans("Iİ", "ıi")
_WORD = regex.compile(r"[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_]|[\u200c\u200d]+(?=[\p{L}\p{N}_]))*+")
_OPEN = rf"[{UNSPACED}ーｰ&&\p{{L}}]"
_CHARACTER = regex.compile(
    rf"{_OPEN}[\p{{M}}ﾞﾟ]*+|[[\p{{L}}\p{{N}}_]--{_OPEN}][[\p{{L}}\p{{M}}\p{{N}}_]--{_OPEN}]*+",
    regex.V1,
)
_CAPITALS = regex.compile(r"[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}_]|[-.'’&/+](?=[\p{L}\p{N}]))*+")
_UPPER = regex.compile(r"[\p{Lu}\p{Lt}]")
_LOWER = regex.compile(r"\p{Ll}")
_VISIBLE = regex.compile(r"[^\s\p{Z}\p{C}]")
_RUN = regex.compile(r"([.!?…。！？．،,;:])\1{3,}+")
_EXACT = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Georgian}]")


def blank(text: str) -> bool:
    """Whether there is nothing to see: nothing but spaces, controls, marks of direction."""
    return _VISIBLE.search(text) is None


def bare(text: str) -> str:
    """The text composed (NFC) and without joiners, direction marks and soft hyphens."""
    return text if text.isascii() else unicodedata.normalize("NFC", _FORMAT.sub("", text))


def fold(text: str, language: str) -> str:
    """The text as texts are compared; see above."""
    turkic = language.split("-")[0] in TURKIC
    if text.isascii() and not (turkic and "I" in text):
        return text.lower()
    plain = _POINTS.sub("", unicodedata.normalize("NFKC", _FORMAT.sub("", text)))
    plain = plain.translate(_DOTLESS) if turkic else plain
    for apostrophe in _APOSTROPHES:
        plain = plain.replace(apostrophe, "'")
    cased = plain.casefold()
    return cased if cased == plain else unicodedata.normalize("NFC", cased)


@lru_cache(maxsize=16)
def folded(text: str, language: str) -> str:
    """A whole text, folded once for all its constraints; so are its variants."""
    return fold(text, language)


@lru_cache(maxsize=4096)
def folded_word(word: str, language: str) -> str:
    """A word or phrase that is looked for in folded texts."""
    return fold(word, language)


@lru_cache(maxsize=1024)
def unit(language: str) -> Literal["words", "characters"]:
    """What the length of a text is counted in."""
    return "characters" if script(language) in WITHOUT_SPACES else "words"


@lru_cache(maxsize=1024)
def cased(language: str) -> bool:
    """Whether the language is written in a script with capitals."""
    return script(language) in CASED


@lru_cache(maxsize=1024)
def marks_sentences(language: str) -> bool:
    """Whether one can see where a sentence of the language ends."""
    return script(language) not in WITHOUT_SENTENCE_MARKS


def words(text: str, language: str) -> int:
    """How many words, or characters where the language is written without spaces."""
    pattern = _WORD if unit(language) == "words" else _CHARACTER
    return len(pattern.findall(text))


def sentences(text: str) -> int:
    """How many sentences; a long run of one mark is as good as three of it.

    Where all is in small letters, a small letter behind a full stop says nothing.
    """
    text = text.upper() if is_lowercase(text) else text
    return len(split_sentences(_RUN.sub(r"\1\1\1", text)))


def letters(text: str, letter: str, language: str) -> int:
    """How often a letter occurs, in either case.

    A letter with a mark is another letter where marks make letters (é, й); where they are
    vowels or tones (Arabic, Hebrew, Devanagari, Thai) the letter below them counts. A letter of
    several code points counts as a whole.
    """
    plain, wanted = _lowered(text, language), _lowered(letter, language)
    if plain.isascii():
        return plain.count(wanted) if wanted else 0
    if len(wanted) == 1 and not _EXACT.match(wanted):
        return plain.count(wanted)
    return len(_letter(wanted).findall(plain))


def capital_words(text: str) -> int:
    """How many words are in capitals throughout; what a hyphen or a point joins is one word."""
    return sum(map(str.isupper, _CAPITALS.findall(text)))


def is_capital(text: str) -> bool:
    """Whether there are capitals and no small letters."""
    return _UPPER.search(text) is not None and _LOWER.search(text) is None


def is_lowercase(text: str) -> bool:
    """Whether there are small letters and no capitals."""
    return _LOWER.search(text) is not None and _UPPER.search(text) is None


def _lowered(text: str, language: str) -> str:
    if text.isascii() and language.split("-")[0] not in TURKIC:
        return text.lower()
    plain = _POINTS.sub("", _FORMAT.sub("", unicodedata.normalize("NFKC", text)))
    if language.split("-")[0] in TURKIC:
        plain = plain.translate(_DOTLESS)
    return unicodedata.normalize("NFC", plain.lower()).replace("ς", "σ")


@lru_cache(maxsize=4096)
def _letter(wanted: str) -> regex.Pattern[str]:
    return regex.compile(rf"{regex.escape(wanted)}(?!\p{{M}})" if wanted else r"(?!)")
