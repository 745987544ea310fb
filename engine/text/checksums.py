"""Check digits: whether a run of digits can be the number it looks like.

A number that people carry has a check digit, so that a slip of the pen is noticed. It serves as
well to tell a card from an order number. All functions take digits (and letters where the scheme
has them) without separators, in ASCII; every other text is simply not such a number.

Source: ISO/IEC 7812-1 (Luhn); ISO/IEC 7064 (MOD 97-10, MOD 11-2, MOD 11,10); Verhoeff, "Error
detecting decimal codes", 1969 (the dihedral group of order 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

_TURNS = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
"""Verhoeff's permutation, applied once more at every place."""


def luhn(digits: str) -> bool:
    """Whether the last digit is Luhn's, as on payment cards."""
    doubled = (int(d) * 2 for d in digits[-2::-2])
    return sum(map(int, digits[-1::-2])) % 10 == -sum(d // 10 + d % 10 for d in doubled) % 10


def luhn_digit(digits: str) -> str:
    """The digit that ends ``digits`` as Luhn's scheme asks."""
    return next(last for last in "0123456789" if luhn(digits + last))


def mod97(code: str) -> int:
    """The remainder by 97 where letters count 10 to 35; 1 for a sound IBAN, turned round."""
    return int("".join(str(int(sign, 36)) for sign in code)) % 97


def iban_digits(country: str, account: str) -> str:
    """The two check digits of an IBAN."""
    return f"{98 - mod97(f'{account}{country}00'):02d}"


def mod11_2(code: str) -> bool:
    """ISO 7064 MOD 11-2; the last sign may be X (Chinese identity numbers)."""
    total = 0
    for sign in code[:-1]:
        total = (total + int(sign)) * 2 % 11
    return (total + (10 if code[-1] in "Xx" else int(code[-1]))) % 11 == 1


def mod11_10(digits: str) -> bool:
    """ISO 7064 MOD 11,10 (German tax numbers)."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def verhoeff(digits: str) -> bool:
    """Verhoeff's scheme (Aadhaar)."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit)
        for _ in range(place % 8):
            number = _TURNS[number]
        check = _dihedral(check, number)
    return check == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights; weights are repeated where there are too few."""
    return sum(int(digit) * weight for digit, weight in zip(digits, cycle(weights), strict=False))


def _dihedral(left: int, right: int) -> int:
    """The product of two of the ten symmetries of a pentagon; 5 to 9 are its reflections."""
    turned = (left + right) % 5 if left < 5 else (left - right) % 5
    return turned if (left < 5) == (right < 5) else turned + 5
