r"""Final answers, brought to one form, and compared where that is certain.

Where in a response one is, ``engine.text.finding`` says. One form: ASCII digits, no separators,
fractions in lowest terms, units by their sign, choice letters by their place in the alphabet. What
is neither number, choice nor plain words is an expression: it is tidied, and whether two are equal
is for algebra to say (``engine.symbolic.algebra``).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

import regex

from engine import shipped
from engine.text.latex import tidy
from engine.text.numerals import LARGEST_POWER, PLAIN, number, written

Kind = Literal["number", "choice", "expression", "words"]
LONGEST = 400
"""Characters of a final answer, at most: more is a text."""


LATIN = "ABCDEFGHIJ"
_ENDS = " \t\n.。．।၊،,;；!！?？؟:：=≈"
_VALUE = regex.compile(
    rf"(?P<sign>[-+]?)\s?(?:(?P<whole>\d+)\s*)?\\frac\{{\s*(?P<over>-?{PLAIN})\s*\}}"
    rf"\{{\s*(?P<under>{PLAIN})\s*\}}"
    rf"|(?P<sign2>[-+]?)\s?(?:(?P<whole2>\d+)\s+)?(?P<over2>{PLAIN})\s?/\s?(?P<under2>{PLAIN})"
    rf"|(?P<power>[-+]?\s?10\s?\^\s?\{{?\s?(?P<exponent>[-+]?\d{{1,4}})\s?\}}?)"
    rf"|(?P<number>[-+]?\s?{PLAIN})"
    rf"(?:\s?(?:\*|x(?=\s?10\s?\^))\s?10\s?\^\s?\{{?\s?(?P<times>[-+]?\d{{1,4}})\s?\}}?"
    rf"|[eE](?P<e>[-+]?\d{{1,4}})(?!\w))?"
)
_WORDS = regex.compile(r"[\p{L}\p{M}\s'’.()/²³-]*")
_ALGEBRA = regex.compile(r"\\(?:pi|sqrt|frac|sin|cos|tan|ln|log|exp|infty|theta)\b")
_NAME = regex.compile(
    r"^(?:[\p{Latin}\p{Greek}]\w?|\\[a-z]+|[a-zA-Z]\s?\([a-z]\))\s*(?:=|\\approx)\s*"
)
_FORMULA = regex.compile(r"[\d\\^_=+*/<>|{}\[\]]|^\(.*\)$|^[\p{Latin}\p{Greek}]$")


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer in its one form."""

    text: str
    """What it is known by: equal texts are equal answers."""
    kind: Kind
    value: Fraction | None = None
    """Of a number."""
    unit: str = ""
    """Its unit's sign, where it has one that is known."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The words around answers, as ``taxonomies/answers.yaml`` has them."""

    cues: Mapping[str, tuple[str, ...]]
    """Language -> what announces an answer."""
    links: tuple[str, ...]
    units: Mapping[str, str]
    """A way to write a unit, in small letters -> its sign."""
    scales: Mapping[str, Mapping[str, int]]
    choices: Mapping[str, str]
    """A letter of any script -> the Latin one in its place."""


@lru_cache(maxsize=1)
def lists() -> Lists:
    """The shipped lists."""
    path = shipped.folder("taxonomies") / "answers.yaml"
    read = shipped.read(path)
    units = {
        _same_letters(way): sign for sign, ways in read["units"].items() for way in map(str, ways)
    }
    return Lists(
        {tag: tuple(map(_same_letters, cues)) for tag, cues in read["cues"].items()},
        tuple(map(_same_letters, read["links"])),
        units,
        {tag: {_same_letters(k): v for k, v in own.items()} for tag, own in read["scales"].items()},
        {
            _letter(own): latin
            for row in read["choices"]
            for own, latin in zip(row, LATIN, strict=True)
        },
    )


def answer(text: str, language: str = "") -> Answer | None:
    """All of ``text`` as one final answer, in the record's language; ``None`` where it is empty.

    ``language`` (BCP-47) decides what "1,234" is, and which words multiply.
    """
    if len(text) > LONGEST:
        return None
    plain = _trimmed(tidy(text))
    plain = _trimmed(_NAME.sub("", plain, count=1))
    if not plain or plain.count("{") != plain.count("}"):
        return None
    return _choice(plain) or quantity(plain, language) or _several(plain, language) or _rest(plain)


def same(one: Answer, other: Answer) -> bool | None:
    """Whether two answers are equal; ``None`` where only algebra can tell.

    A number without a unit may stand for one with any; a share for its percentage.
    """
    if one.text == other.text:
        return True
    if "expression" in (one.kind, other.kind):
        return None if {one.kind, other.kind} <= {"expression", "number"} else False
    if one.value is None or other.value is None:
        return False
    if one.unit == other.unit or not (one.unit and other.unit):
        return one.value == other.value or _percent(one, other) or _percent(other, one)
    return False


def _percent(one: Answer, other: Answer) -> bool:
    return one.unit == "%" and not other.unit and one.value == (other.value or 0) * 100


def quantity(text: str, language: str = "") -> Answer | None:
    """A tidied text that is one number, with or without a unit."""
    sign, rest = _unit_before(text)
    ahead = _scaled(rest, language)  # Swahili: thousand five
    power, rest = ahead if ahead and ahead[1][:1].isdigit() else (0, rest)
    found = _VALUE.match(rest)
    value = _value(found, language) if found else None
    if found is None or value is None:
        return None
    tail = rest[found.end() :].strip()
    behind, tail = _scaled(tail, language) or (0, tail)
    value *= Fraction(10) ** (power + behind)
    unit = _unit_after(tail, spaced=rest[found.end() : found.end() + 1] == " ")
    if unit is None or (sign and unit and sign != unit):
        return None
    unit = unit or sign
    number_text = written(value)
    return Answer(f"{number_text} {unit}" if unit else number_text, "number", value, unit)


def _value(found: regex.Match[str], language: str) -> Fraction | None:
    part = found.groupdict()
    if part["over"] or part["over2"]:
        two = "" if part["over"] else "2"
        signs = (part["sign" + two], part["whole" + two], part["over" + two], part["under" + two])
        return _fraction(*signs, language)
    if part["power"]:
        power = _power(part["exponent"])
        minus = part["power"].startswith("-")
        return None if power is None else -power if minus else power
    value = number(part["number"] or "", language)
    power = _power(part["times"] or part["e"] or "0")
    return None if value is None or power is None else value * power


def _fraction(sign: str, whole: str, over: str, under: str, language: str) -> Fraction | None:
    top, bottom = number(over, language), number(under, language)
    if top is None or not bottom:
        return None
    value = top / bottom + (int(whole) if whole else 0)
    return -value if sign == "-" else value


def _power(exponent: str) -> Fraction | None:
    return Fraction(10) ** int(exponent) if abs(int(exponent)) <= LARGEST_POWER else None


def _unit_before(text: str) -> tuple[str, str]:
    """A unit's sign that opens the text, and what is behind it."""
    opened = regex.match(r"([-+]?)\s?([^\d\s\\(){}\[\]+.,-]{1,10})\s?(?=[\d.])", text)
    unit = lists().units.get(_same_letters(opened[2])) if opened else None
    if opened is None or unit is None:
        return "", text
    return unit, opened[1] + text[opened.end() :]


def _scaled(tail: str, language: str) -> tuple[int, str] | None:
    """The power of ten that the tail begins with, in words, and what is left."""
    if _same_letters(tail) in lists().units:
        return None
    own = lists().scales.get(language.split("-")[0], {})
    for word in sorted(own, key=len, reverse=True):
        after = tail[len(word) :]
        apart = not after[:1].isalpha() or not word.isascii()
        if _same_letters(tail[: len(word)]) == word and apart:
            return own[word], after.strip()
    return None


def _unit_after(tail: str, *, spaced: bool) -> str | None:
    """The unit's sign, empty for words that are none; ``None`` where it is no words at all."""
    units, plain = lists().units, _trimmed(tail)
    if _same_letters(plain) in units or not plain:
        return units.get(_same_letters(plain), "")
    first = plain.split()[0]
    if not _WORDS.fullmatch(plain) or _ALGEBRA.search(plain):
        return None
    if _same_letters(first) in units:
        return units[_same_letters(first)]
    variable = (
        len(first) == 1 and (first.isascii() or not spaced) and first.lower() != first.upper()
    )
    return None if variable or first.startswith(("(", "/")) else ""


def _choice(text: str) -> Answer | None:
    """A single letter that stands for an option, perhaps with the option behind it."""
    found = regex.fullmatch(r"(?:\((\p{L})\)|\[(\p{L})\]|(\p{L})[).:：]?)(?:(?<=\W)\s*\S.*)?", text)
    letter = next(filter(None, found.groups()), "") if found else ""
    if letter.islower() and ")" not in text[:3]:
        return None
    latin = lists().choices.get(_letter(letter))
    return Answer(latin, "choice") if latin else None


def _several(text: str, language: str) -> Answer | None:
    """Numbers in a row, perhaps in brackets, in the order in which they stand."""
    found = regex.fullmatch(r"(\\\{|[(\[{]?)(.+?)(\\\}|[)\]}]?)", text)
    if not found or bool(found[1]) != bool(found[3]):
        return None
    mark = ";" if ";" in found[2] else "،" if "،" in found[2] else "、" if "、" in found[2] else ","
    parts = [part.strip() for part in found[2].split(mark)]
    items = [quantity(part, language) for part in parts]
    if len(parts) < 2 or len(parts) > 50 or not all(items):
        return None
    joined = ", ".join(item.text for item in items if item)
    return Answer(f"{found[1][-1:]}{joined}{found[3][-1:]}", "expression")


def _rest(text: str) -> Answer:
    """A formula without spaces, or words in small letters."""
    if _FORMULA.search(text):
        return Answer(regex.sub(r"(?<![A-Za-z]) | (?![A-Za-z])", "", text), "expression")
    return Answer(" ".join(text.casefold().split()), "words")


def _trimmed(text: str) -> str:
    """Without signs at the ends that belong to the sentence; ``.5`` keeps its point."""
    text = text.rstrip(_ENDS).lstrip(" \t\n:：=≈")
    return text if text[:1] not in ".,;" or text[1:2].isdigit() else text.lstrip(_ENDS)


def _same_letters(text: str) -> str:
    text = unicodedata.normalize("NFKC", text.replace("²", "^2").replace("³", "^3"))
    return text.replace("^{2}", "^2").replace("^{3}", "^3").casefold()


def _letter(text: str) -> str:
    return unicodedata.normalize("NFKC", text).upper()
