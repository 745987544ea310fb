"""Digits and signs of other scripts, read as ASCII and written back.

``plain_digits`` gives a text of the same length, in which a pattern for ``0`` to ``9`` finds
Arabic-Indic, Devanagari, Thai and full-width digits as well, and a hyphen is a hyphen: every
place found in it is a place in the text.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import regex

_FOREIGN = regex.compile(
    r"[[\p{Nd}--[0-9]][\p{Zs}--[ ]][\p{Pd}--[-]]\p{Bidi_Control}−＠．＋（）／：，＿]", regex.V1
)
_SIGNS = str.maketrans("−＠．＋（）／：，＿", "-@.+()/:,_")


def plain_digits(text: str) -> str:
    """``text`` with ASCII digits, spaces and hyphens, at the same places.

    Marks of direction count as spaces: numbers are wrapped in them where Arabic is written.
    """
    return text if text.isascii() else _FOREIGN.sub(lambda found: _plain(found[0]), text)


def like(written: str, digits: str) -> str:
    """``digits`` with the digits of the script that ``written`` has its first digit in."""
    first = next((sign for sign in written if sign.isdecimal()), "0")
    zero = ord(first) - unicodedata.decimal(first)
    return digits.translate({ord("0") + n: zero + n for n in range(10)}) if zero != 48 else digits


@lru_cache(maxsize=1024)
def _plain(sign: str) -> str:
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    if unicodedata.category(sign) == "Pd":
        return "-"
    known = sign.translate(_SIGNS)
    return known if known != sign else " "
