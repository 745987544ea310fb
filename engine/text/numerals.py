"""Numbers as people write them, in the digits and with the separators of any script, to fractions.

"1.234,5" is German and "1,234.5" English for the same; "1,234" is a thousand or one and a bit. What
the digits themselves decide is decided by them (two signs: the last is the decimal one; a sign that
comes twice groups; a group has three digits, or two in India); only what is left is decided by the
language, as CLDR has it. Exact: no float is involved.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from fractions import Fraction
from functools import lru_cache

import regex

LARGEST_POWER = 400
"""Of ten in scientific notation: more is no number anybody means."""
_SPACES = " \u00a0\u2007\u2009\u202f'’`"
_SIGNS = str.maketrans("−–‒﹣－＋﹢", "-----++")
PLAIN = r"(?:\d+(?:[.,٫٬" + _SPACES + r"]\d+)*|(?<!\d)[.,٫]\d+)"
"""Digits with separators, as a regular expression; digits of any script."""
_PLAIN = regex.compile(PLAIN)
_NUMBER = regex.compile(rf"([-+]?)\s?({PLAIN})")
_GROUPS = regex.compile(
    r"\d{1,3}(?:([,٬.٬" + _SPACES + r"])\d{3})(?:\1\d{3})*|\d{1,2}(?:,\d{2})+,\d{3}"
)
_VULGAR = regex.compile(r"(\d?)\s?([\u00bc-\u00be\u2150-\u215e\u2189])")
_RAISED = regex.compile(r"[⁺⁻]?[⁰¹²³⁴-⁹]+")


def ascii_digits(text: str) -> str:
    """Every decimal digit as its ASCII one, minus signs as ``-``; nothing else is touched."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text
    ).translate(_SIGNS)


def spelt_out(text: str) -> str:
    """Raised digits as powers (``10²`` is ``10^{2}``) and vulgar fractions as mixed ones."""
    text = _RAISED.sub(lambda m: "^{" + unicodedata.normalize("NFKC", m[0]) + "}", text)
    return _VULGAR.sub(_mixed, text).replace("⁄", "/")


def _mixed(found: regex.Match[str]) -> str:
    part = unicodedata.normalize("NFKC", found[2]).replace("⁄", "/")
    return f"{found[1]} {part}" if found[1] else part


def number(text: str, language: str = "") -> Fraction | None:
    """The number that all of ``text`` is, without unit; ``None`` where it is none."""
    found = _NUMBER.fullmatch(ascii_digits(text).strip())
    if not found or len(text) > 400:
        return None
    plain = _decimal(found[2], language)
    if plain is None:
        return None
    return -Fraction(plain) if found[1] == "-" else Fraction(plain)


def values(text: str, language: str = "") -> Counter[Fraction | str]:
    """The numbers in a text by their value; what is no one number (an address) by its digits."""
    found: Counter[Fraction | str] = Counter()
    for said in _PLAIN.findall(ascii_digits(text)):
        value = number(said, language)
        found[said if value is None else value] += 1
    return found


def _decimal(digits: str, language: str) -> str | None:
    """Digits with a full stop for the decimal sign and no other separator."""
    digits = (
        digits.replace("٬", ",").replace("’", "'").replace("`", "'") if "٫" in digits else digits
    )
    if "٫" in digits:
        return _split(digits, "٫", ",")
    marks = [c for c in digits if not c.isdigit()]
    kinds = list(dict.fromkeys(marks))
    if not marks:
        return digits
    if len(kinds) == 2:
        return _split(digits, kinds[1], kinds[0])
    if len(kinds) > 2:
        return None
    [mark] = kinds
    grouped = _GROUPS.fullmatch(digits) is not None and not digits.startswith("0")
    if len(marks) > 1 or mark in _SPACES + "٬":
        return digits.replace(mark, "") if grouped else None
    if grouped and decimal_mark(language) != mark:
        return digits.replace(mark, "")
    return digits.replace(mark, ".")


def _split(digits: str, point: str, group: str) -> str | None:
    """Groups before the point, none after it."""
    whole, _, rest = digits.partition(point)
    if point in rest or group in rest or (point in _SPACES):
        return None
    if group in whole and not _GROUPS.fullmatch(whole):
        return None
    return f"{whole.replace(group, '')}.{rest}"


@lru_cache(maxsize=1024)
def decimal_mark(language: str) -> str:
    """The decimal sign that CLDR gives for a tag: a full stop or a comma."""
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse((language or "en").replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return "."
    symbols = locale.number_symbols.get("latn", {})
    return "," if symbols.get("decimal") == "," else "."


def written(value: Fraction) -> str:
    """One way to write a number: without separators, as a decimal where it ends, else ``p/q``."""
    if value.denominator == 1:
        return str(value.numerator)
    rest, places = value.denominator, 0
    for prime in (2, 5):
        times = 0
        while rest % prime == 0:
            rest, times = rest // prime, times + 1
        places = max(places, times)
    if rest != 1 or places > 40:
        return f"{value.numerator}/{value.denominator}"
    whole = abs(value.numerator) * 10**places // value.denominator
    digits = str(whole).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
