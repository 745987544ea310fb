"""Numbers that states give to people: how they are written, and which of them can be real.

One line a country: the pattern, and what must hold of the digits beyond it (check digits, a date).
A number that anything of its length has a fair chance to be (one check digit, no punctuation of
its own) only counts behind a word that announces it, or in a language of its country; the list
says which. Countries whose numbers have no check and no shape (Kenya, Japan's twelve digits) are
left out rather than guessed at.

Source: the published rules of the issuing authorities, country by country; check schemes as in
``engine.text.checksums``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import regex

from engine.text.checksums import luhn, mod11_2, mod11_10, verhoeff, weighted

_MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 2
        + (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)
"""What a sign in an odd place of an Italian tax code counts."""
_CURP = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one country numbers people."""

    country: str
    """ISO 3166 code."""
    pattern: regex.Pattern[str]
    sound: Callable[[str], bool]
    """Whether the signs, without separators and in capitals, can be such a number."""
    announced: bool = False
    """Whether a word before it must say what it is."""
    home: tuple[str, ...] = ()
    """Languages in which it needs no such word."""


def _scheme(country: str, pattern: str, sound: Callable[[str], bool], home: str = "-", /) -> Scheme:
    """A scheme; ``home`` is ``-`` where no word is needed, else the languages without."""
    compiled = regex.compile(
        rf"(?<![\p{{Latin}}\d]|\d[-.,/ ])(?:{pattern})(?![\p{{Latin}}\d]|[-.,/]\d)"
    )
    return Scheme(country, compiled, sound, home != "-", tuple(home.split()) if home != "-" else ())


def _any(signs: str) -> bool:
    return True


def _brazil(d: str) -> bool:
    def digit(upto: int) -> int:
        return weighted(d[:upto], range(upto + 1, 1, -1)) * 10 % 11 % 10

    return len(set(d)) > 1 and digit(9) == int(d[9]) and digit(10) == int(d[10])


def _france(signs: str) -> bool:
    digits = signs.replace("2A", "19").replace("2B", "18")
    return 97 - int(digits[:-2]) % 97 == int(digits[-2:])


def _germany(d: str) -> bool:
    """One digit stands two or three times among the first ten, as the office deals them out."""
    return max(d[:10].count(digit) for digit in set(d[:10])) in (2, 3) and mod11_10(d)


def _iran(d: str) -> bool:
    rest = weighted(d[:9], range(10, 1, -1)) % 11
    return len(set(d)) > 1 and int(d[9]) == (rest if rest < 2 else 11 - rest)


def _italy(signs: str) -> bool:
    total = sum(_ODD[sign] for sign in signs[:15:2])
    total += sum(int(s) if s.isdigit() else ord(s) - ord("A") for s in signs[1:15:2])
    return signs[15] == chr(ord("A") + total % 26)


def _mexico(signs: str) -> bool:
    total = sum(_CURP.index(s) * (18 - at) for at, s in enumerate(signs[:17]))
    return int(signs[17]) == -total % 10


def _poland(d: str) -> bool:
    born = 1 <= int(d[2:4]) % 20 <= 12 and 1 <= int(d[4:6]) <= 31
    return born and weighted(d, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _russia(d: str) -> bool:
    return int(d[:9]) > 1_001_998 and weighted(d[:9], range(9, 0, -1)) % 101 % 100 == int(d[9:])


def _spain(signs: str) -> bool:
    digits = signs[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == signs[-1]


def _thailand(d: str) -> bool:
    return (11 - weighted(d[:12], range(13, 1, -1)) % 11) % 10 == int(d[12])


def _turkey(d: str) -> bool:
    tenth = (weighted(d[:9], (7, -1))) % 10
    return tenth == int(d[9]) and sum(map(int, d[:10])) % 10 == int(d[10])


SCHEMES = (
    _scheme("CN", rf"[1-9]\d{{5}}(?:18|19|20)\d\d{_MONTH_DAY}\d{{3}}[\dXx]", mod11_2),
    _scheme("IT", r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", _italy),
    _scheme("MX", rf"[A-Z]{{4}}\d\d{_MONTH_DAY}[HMX][A-Z]{{5}}[A-Z\d]\d", _mexico),
    _scheme("US", r"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}", _any),
    _scheme("US", r"(?!000|666|9)\d{3} ?(?!00)\d\d ?(?!0000)\d{4}", _any, ""),
    _scheme("BR", r"\d{3}\.\d{3}\.\d{3}-\d\d", _brazil),
    _scheme("BR", r"\d{9}-?\d\d", _brazil, ""),
    _scheme(
        "FR", r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB])(?: ?\d{3}){2} ?\d\d", _france
    ),
    _scheme("TH", r"[1-8]([- ])\d{4}\1\d{5}\1\d\d\1\d", _thailand),
    _scheme("TH", r"[1-8]\d{12}", _thailand, ""),
    _scheme("KR", rf"\d\d{_MONTH_DAY}-[1-8]\d{{6}}", _any),
    _scheme("AE", r"784([- ]?)(?:19|20)\d\d\1\d{7}\1\d", luhn),
    _scheme("RU", r"\d{3}-\d{3}-\d{3}[- ]\d\d", _russia),
    _scheme("TZ", rf"(?:19|20)\d\d{_MONTH_DAY}-\d{{5}}-\d{{5}}-\d\d", _any),
    _scheme("TZ", rf"(?:19|20)\d\d{_MONTH_DAY}\d{{12}}", _any, ""),
    _scheme("GB", r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z]{2}(?: ?\d\d){3} ?[A-D]", _any, ""),
    _scheme("ES", r"(?:[XYZ]-?\d{7}|\d{8})-?[A-Z]", _spain, "es ca eu gl"),
    _scheme("IN", r"[2-9]\d{3}([- ]?)\d{4}\1\d{4}", verhoeff, ""),
    _scheme("EG", rf"[23]\d\d{_MONTH_DAY}(?:0[1-4]|[1-3]\d|88)\d{{5}}", _any, "ar"),
    _scheme("ZA", rf"\d\d{_MONTH_DAY} ?\d{{4}} ?[01]\d\d", luhn, ""),
    _scheme("DE", r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", _germany, ""),
    _scheme("PL", r"\d{11}", _poland, ""),
    _scheme("TR", r"[1-9]\d{10}", _turkey, ""),
    _scheme("SA", r"[12]\d{9}", luhn, ""),
    _scheme("IR", r"\d{3}-?\d{6}-?\d", _iran, ""),
    _scheme("SE", rf"(?:19|20)?\d\d{_MONTH_DAY}[-+]\d{{4}}", lambda d: luhn(d[-10:]), "sv"),
    _scheme("NL", r"\d{9}", lambda d: weighted(d, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0, ""),
)
"""The more certain first: the first that fits names the number."""


def compact(written: str) -> str:
    """The signs of a number without what separates them, in capitals."""
    return "".join(filter(str.isalnum, written)).upper()
