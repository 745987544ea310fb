"""Constraints for a new instruction: which, with which parameters, in which words.

Types are drawn with equal odds, parameters from the language's own words and those of the
instruction; what cannot be asked for there (capitals in Thai) is not offered, and what clashes
with what is drawn already is passed over. The same random numbers give the same constraints.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from types import MappingProxyType

from engine.constraints.conflicts import clash, written
from engine.constraints.keywords import Forbidden, Frequency, LetterFrequency
from engine.constraints.kinds import Ground
from engine.constraints.reading import KINDS, Constraint
from engine.constraints.stock import Stock, stock_for
from engine.constraints.units import fold, unit
from engine.constraints.whole import RepeatPrompt

FALLBACK = "en"
"""The language of the wording that a model puts into another."""
_QUOTED = ("keywords", "keyword", "words", "letter", "word", "phrase", "options")
_SIGNS: Mapping[str, str] = MappingProxyType(
    {
        "length_constraints:number_paragraphs": "***",
        "combination:two_responses": "******",
        "detectable_content:number_placeholders": "[",
        "detectable_format:number_bullet_lists": "*",
        "detectable_format:number_highlighted_sections": "*",
        "detectable_format:title": "<<",
        "detectable_format:json_format": "json",
    }
)
"""What a wording has to show, whatever the language."""


def draw(ground: Ground, types: Sequence[str], count: int) -> list[Constraint]:
    """``count`` constraints of different types that can stand together; fewer where there are."""
    drawn: list[Constraint] = []
    for type_ in ground.rng.sample(list(dict.fromkeys(types)), len(set(types))):
        if len(drawn) == count:
            break
        params = KINDS[type_].draw(ground)
        if params is None:
            continue
        fresh = Constraint(type_, params)
        if not any(clash(fresh, other, ground.language) for other in drawn):
            drawn.append(fresh)
    return drawn


def offered(ground: Ground) -> list[str]:
    """The types that can be asked for on this ground."""
    return [type_ for type_, kind in KINDS.items() if kind.draw(ground) is not None]


def worded(constraint: Constraint, language: str, rng: random.Random) -> str:
    """The constraint in words of the language; ``""`` where its wording is not listed."""
    stock = stock_for(language)
    sentences = _sentences(constraint, stock)
    return (
        rng.choice(sentences).format_map(_fillers(constraint, stock, language)) if sentences else ""
    )


def in_english(constraint: Constraint, language: str, rng: random.Random) -> str:
    """The constraint in English, on an answer in the language; for a model to translate."""
    stock = stock_for(FALLBACK)
    counts = f"/{unit(language)}"
    sentences = _sentences(constraint, stock, counts) or _sentences(constraint, stock)
    return rng.choice(sentences).format_map(_fillers(constraint, stock, FALLBACK))


def says(text: str, constraint: Constraint, language: str) -> bool:
    """Whether a wording names all that the constraint is about: words, numbers, signs."""
    within = "".join(map(_digit, fold(text, language)))
    params = dict(constraint.params)
    needed = [fold(word, language) for word in _named(constraint)]
    needed += [str(params[name]) for name in ("count", "nth") if name in params]
    needed += [_SIGNS[constraint.type]] if constraint.type in _SIGNS else []
    return all(word in within for word in needed)


def all_said(sentences: Sequence[str], constraints: Sequence[Constraint], language: str) -> bool:
    """Whether there is a sentence for every constraint, and each names what it must."""
    if len(sentences) != len(constraints):
        return False
    return all(map(partial(says, language=language), sentences, constraints))


def attached(instruction: str, sentences: Sequence[str], language: str, rng: random.Random) -> str:
    """The instruction with its constraints below it, in running text or one a line."""
    lines = rng.random() < 0.5 and len(sentences) > 1
    each = "\n".join(f"- {one}" for one in sentences)
    return f"{instruction}\n\n{each if lines else stock_for(language).joiner.join(sentences)}"


def _named(constraint: Constraint) -> tuple[str, ...]:
    match constraint.params:
        case Forbidden(words=words):
            return words
        case Frequency(keyword=word) | LetterFrequency(letter=word):
            return (word,)
        case RepeatPrompt():
            return ()
    return written(constraint)


def _digit(character: str) -> str:
    """A digit of any script as an ASCII digit; anything else as it is."""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _sentences(constraint: Constraint, stock: Stock, variant: str = "") -> tuple[str, ...]:
    found = stock.wording.get(constraint.type + variant, ())
    if isinstance(found, Mapping):
        return found.get(getattr(constraint.params, "relation", ""), ())
    return found


def _fillers(constraint: Constraint, stock: Stock, language: str) -> dict[str, str]:
    """What the sentence's slots take."""
    filled = {}
    for name, value in constraint.params:
        each = value if isinstance(value, tuple) else (value,)
        if name in _QUOTED:
            each = tuple(f"{stock.quotes[0]}{word}{stock.quotes[1]}" for word in each)
        filled[name] = stock.separator.join(map(str, each))
    if tag := getattr(constraint.params, "language", None):
        filled["language"] = _name(tag, language)
    return filled


@lru_cache(maxsize=1024)
def _name(tag: str, language: str) -> str:
    """What a language is called in another; its tag where CLDR has no name for it."""
    from babel import Locale, UnknownLocaleError

    try:
        names = Locale.parse(language.replace("-", "_")).languages
    except (UnknownLocaleError, ValueError):
        return tag
    return str(names.get(tag.replace("-", "_")) or names.get(tag.split("-")[0]) or tag)
