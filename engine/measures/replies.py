"""Reading a judge's free text: the last mark decides, and what is no score becomes none.

A score stands in double brackets, ``[[4]]``, wherever that is; a reply without any may end with a
line that is a score and nothing else, with or without a name before it (``Score: 4``,
``[RESULT] 4``, ``评分：4分``). A number in prose is no score. Digits may be those of any script.
Where the last mark holds something else, a number out of range or two numbers, there is no score:
an earlier one is not taken instead, since the judge has gone beyond it.

Source: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023,
arXiv:2306.05685 (the brackets); Kim et al., "Prometheus", 2023, arXiv:2310.08491 (``[RESULT]``).
Differs: the published parsers take the first match, or look for A before B in all of the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import regex

TAIL = 20_000
"""Characters at the end of a reply that are read."""
_MARK = regex.compile(r"[\[［【]{2}([^\[\]［］【】]{0,80})[\]］】]{2}")
_NUMBER = r"(?P<score>\d+(?:[.,٫]\d+)?)(?:\s*[/／⁄]\s*(?P<of>\d+(?:[.,٫]0+)?))?"
_NAMED = r"(?:[^\d\n]*[^\d\s]\s*[:：=]\s*|[\[［【][^\d\[\]\n]+[\]］】]\s*)?"
_UNIT = r"\s*[分点點점]?"
_HELD = regex.compile(rf"\s*{_NAMED}{_NUMBER}{_UNIT}\s*")
_LINE = regex.compile(
    rf"\s*(?:.*\D[:：=]\s*|[\[［【][^\d\[\]\n]+[\]］】]\s*)?[\[［【]?{_NUMBER}[\]］】]?{_UNIT}[.。।!！]?\s*"
)
_DRESS = regex.compile(r"[*_`#>\u200e\u200f\u061c\u2066-\u2069]+")


def score_in(text: str, low: float, high: float, *, whole: bool = False) -> float | None:
    """The score that a judge's reply ends with, from ``low`` to ``high``; ``None`` for no score.

    ``4/5`` is 4 where ``high`` is 5 and no score where it is not: nothing is converted. With
    ``whole`` only whole numbers are scores.
    """
    plain = _DRESS.sub("", _latin_digits(text[-TAIL:]))
    if marks := _MARK.findall(plain):
        held = _HELD.fullmatch(_numeral(marks[-1]))
    else:
        lines = [line for line in plain.splitlines() if line.strip()]
        held = _LINE.fullmatch(lines[-1][-200:]) if lines else None
    if held is None or (held["of"] and _value(held["of"]) != high):
        return None
    score = _value(held["score"])
    return score if low <= score <= high and (not whole or score == int(score)) else None


def choice_in(text: str, choices: Sequence[str]) -> str | None:
    """The choice in the last double brackets, ignoring case; ``None`` where it is none of them."""
    marks = _MARK.findall(_DRESS.sub("", text[-TAIL:]))
    said = marks[-1].strip().casefold() if marks else ""
    return next((choice for choice in choices if choice.casefold() == said), None)


def _latin_digits(text: str) -> str:
    """Decimal digits of every script as 0 to 9; superscripts and the like stay what they are."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(each)) if each.isdecimal() and not each.isascii() else each
        for each in text
    )


def _numeral(held: str) -> str:
    """A single sign that is a number, such as 四, in digits."""
    sign = held.strip()
    if len(sign) != 1 or unicodedata.category(sign) not in ("Lo", "Nl"):
        return held
    value = unicodedata.numeric(sign, -1)
    return f"{value:g}" if value >= 0 else held


def _value(number: str) -> float:
    return float(number.replace(",", ".").replace("٫", "."))
