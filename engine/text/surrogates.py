"""What stands in for a private thing: of the same kind and shape, and nobody's.

The same thing has the same surrogate throughout a record, however it was written; two things have
two. Surrogates are drawn, not counted, so that a model does not learn one address by heart. They
come from what is kept free for the purpose: example.org and its sisters (RFC 2606), documentation
addresses (RFC 5737, RFC 3849), telephone numbers for films, the range of test cards. No such
range exists for IBANs and most identity numbers: there it is an account or a person of zeros,
which no bank and no office gives out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random

import regex

from engine.text.checksums import iban_digits, luhn_digit
from engine.text.digits import like, plain_digits
from engine.text.national_ids import SCHEMES, compact
from engine.text.numbering import known
from engine.text.private import Kind, Place

_NETS = ("192.0.2", "198.51.100", "203.0.113")
_SYLLABLES = tuple(a + b for a in "bdfgklmnprstvz" for b in "aeiou")
TRIES = 200
"""Draws before a surrogate may be given twice: the numbers kept free for films are few."""


@dataclass(frozen=True, slots=True)
class Line:
    """A telephone number that nobody has."""

    region: str
    """Of the number; ISO 3166."""
    digits: str
    """What follows the country's code."""
    own: bool
    """Whether it is of the country of the number it stands for."""

    def written_as(self, written: str) -> str:
        """With the country's code where the other has it or is of another country."""
        import phonenumbers as plan  # its tables take a while to load, and few jobs mask

        code = plan.country_code_for_region(self.region)
        number = plan.PhoneNumber(country_code=code, national_number=int(self.digits))
        abroad = not self.own or written.lstrip("( ").startswith(("+", "00"))
        if written.lstrip("+").isdigit():
            national = plan.format_number(number, plan.PhoneNumberFormat.NATIONAL)
            return f"+{code}{self.digits}" if abroad else "".join(filter(str.isdigit, national))
        style = plan.PhoneNumberFormat.INTERNATIONAL if abroad else plan.PhoneNumberFormat.NATIONAL
        return plan.format_number(number, style)


Drawn = str | Line


class Surrogates:
    """The surrogates of one record; knows which it has given for what."""

    def __init__(self, draws: Callable[[str, int], Random]) -> None:
        """``draws`` gives the random numbers for the n-th thing of a kind."""
        self._draws = draws
        self._given: dict[tuple[Kind, str], Drawn] = {}
        self._out: dict[Kind, set[Drawn]] = {}

    def for_place(self, place: Place, written: str) -> str:
        """What to write where ``written`` stands, in digits of its script."""
        key = (place.kind, place.key)
        if key not in self._given:
            self._given[key] = self._new(place)
        drawn = self._given[key]
        if isinstance(drawn, Line):
            return like(written, drawn.written_as(plain_digits(written)))
        if place.kind in ("email", "ip"):
            return drawn
        return like(written, _shaped(drawn, plain_digits(written)))

    def _new(self, place: Place) -> Drawn:
        out = self._out.setdefault(place.kind, set())
        draw = self._draws(place.kind, len(out))
        for _ in range(TRIES):
            drawn = _DRAWN[place.kind](draw, place.key, len(out))
            if drawn not in out:
                break
        out.add(drawn)
        return drawn


def _email(draw: Random, key: str, nth: int) -> str:
    name = ".".join("".join(draw.choices(_SYLLABLES, k=draw.randint(2, 3))) for _ in "ab")
    return f"{name}@example.{draw.choice(('org', 'com', 'net'))}"


def _ip(draw: Random, key: str, nth: int) -> str:
    if ":" in key:
        return str(ipaddress.IPv6Address(f"2001:db8::{draw.randint(1, 0xFFFF):x}"))
    return f"{draw.choice(_NETS)}.{draw.randint(1, 254)}"


def _card(draw: Random, key: str, nth: int) -> str:
    digits = f"400000{draw.randrange(10**9):09d}"
    return digits + luhn_digit(digits)


def _iban(draw: Random, key: str, nth: int) -> str:
    zeros = "".join("0" if sign.isdigit() else "X" for sign in key[4:-4])
    account = f"{zeros}{draw.randint(1, 9999):04d}"
    return key[:2] + iban_digits(key[:2], account) + account


def _national_id(draw: Random, key: str, nth: int) -> str:
    """Zeros, X and a count; of the United States, those kept free for advertisements."""
    country, _, signs = key.partition(" ")
    if country == "US" and nth < 10:
        return f"98765432{nth}"
    blank = "".join("0" if sign.isdigit() else "X" for sign in signs)
    ends = [at for at, sign in enumerate(blank) if sign == "0"][-3:]
    for number in count(nth + 1):
        made = list(blank)
        for at, digit in zip(ends, f"{number % 1000:03d}", strict=True):
            made[at] = digit
        made_up = "".join(made)
        if not any(s.pattern.fullmatch(made_up) and s.sound(made_up) for s in SCHEMES):
            return made_up
    raise AssertionError("count ends never")


def _phone(draw: Random, key: str, nth: int) -> Line:
    """Of the number's own country where films have numbers there, else of the first in the list."""
    import phonenumbers as plan

    free = known()["phones"]
    own = plan.region_code_for_number(plan.parse(key, None)) or ""
    region = own if own in free else next(iter(free))
    digits = regex.sub("n", lambda _: str(draw.randrange(10)), draw.choice(free[region]))
    return Line(region, digits, own == region)


def _shaped(signs: str, written: str) -> str:
    """``signs`` with the separators of what was written; plain groups if the lengths differ."""
    if len(signs) != len(compact(written)):
        return " ".join(signs[at : at + 4] for at in range(0, len(signs), 4))
    rest = iter(signs)
    return "".join(next(rest) if sign.isalnum() else sign for sign in written)


_DRAWN: dict[Kind, Callable[[Random, str, int], Drawn]] = {
    "email": _email,
    "ip": _ip,
    "iban": _iban,
    "card": _card,
    "national_id": _national_id,
    "phone": _phone,
}
