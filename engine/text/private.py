"""Finding what belongs to one person: addresses, numbers, documents; in any script.

Everything is proven before it counts: an IP must be a public one, a card must fit its brand and
Luhn's digit, an IBAN its country and remainder, a telephone number its numbering plan, an
identity number its check. What is kept free for examples (example.org, 192.0.2.0/24, 555-01xx,
test cards) is nobody's. A number that proves little by itself counts only behind a word that says
what it is ("Tel.", "电话", "هاتف"). UUIDs, ISBNs, dates and links are seen as what they are.

Names and postal addresses are not found: that takes a model of the language.

Source: the kinds and the rule that only public addresses count are those of datatrove's PII
formatter (https://github.com/huggingface/datatrove).
Differs: every kind is validated; all scripts' digits; words of many languages.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import regex

from engine.text.checksums import luhn, mod97
from engine.text.digits import plain_digits
from engine.text.national_ids import SCHEMES, Scheme, compact
from engine.text.numbering import announced, known, telephone
from engine.text.tokens import UNSPACED

Kind = Literal["email", "ip", "iban", "card", "national_id", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they claim a place in a text."""
SMALL = 32
"""An address all of whose four numbers are below this is a version or a section: 1.2.3.4."""

_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}_]--[{UNSPACED}]]"
_LOCAL = regex.compile(rf"[{_WORD}.!#$%&'*+/=?^`{{|}}~-]{{1,64}}\Z", regex.V1)
_ASCII_DOMAIN = regex.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}", regex.I
)
_DOMAIN = regex.compile(
    rf"(?:[\p{{L}}\p{{N}}](?:[\p{{L}}\p{{M}}\p{{N}}-]{{0,62}})\.){{1,8}}"
    rf"(?:xn--[a-z0-9-]{{2,59}}|[[\p{{L}}\p{{M}}]--[{UNSPACED}]]{{2,24}}|中国|中國|公司|网络|台灣|香港|ไทย)",
    regex.V1 | regex.I,
)
_NOBODYS = regex.compile(
    r"(?:.*\.)?(?:example(?:\.(?:com|org|net|edu))?|test|invalid|local(?:host)?)"
)
_NO_COUNTRY = regex.compile("png|jpe?g|gif|svg|webp|py|[jt]s|json|ya?ml|md|txt|html|css|zip")
"""Endings of files: ``logo@2x.png``."""
_USERINFO = regex.compile(r"://[^\s/]*\Z")
_IP4 = regex.compile(r"(?<![\p{Latin}\d_.=@-])(?:\d{1,3}\.){3}\d{1,3}(?![\p{Latin}\d_-]|\.\d)")
_IP6 = regex.compile(r"(?<![\p{Latin}\d_:.])[23][\da-f]{3}:[\da-f:]{2,34}", regex.I)
_IBAN = regex.compile(r"(?<![\p{Latin}\d])[A-Z]{2}\d\d(?:[ -]?[A-Z\d]){11,30}")
_NO_ACCOUNT = regex.compile(r"[A-Z]{2}\d\d[0X]+\d{0,4}")
_CARD = regex.compile(
    r"(?<![\p{Latin}\d_]|\d[-.,/ ])(?:\d{13,16}|\d{19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}"
    r"|\d{4}([ -])\d{6}\2\d{4,5})(?![\p{Latin}\d_]|[-.,/ ]\d)"
)
_BRAND = regex.compile(
    r"(?:(?:4|5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|6011|64[4-9]|65|62|81|508|35(?:2[89]|[3-8])"
    r"|220[0-4]|5[06-8]|6[37]).{12,15}|3[47].{13}|3(?:0[0-59]|[689]).{11,12}|4.{12})"
)
_BRAND_LENGTHS = {16: "", 15: "3", 14: "3", 13: "4", 19: "46"}
"""Digits of a card -> with what it may begin; nothing: with anything that has a brand."""
_TEST_CARD = regex.compile(
    r"400000\d+|(41){8}|4(1){15}|(42){8}|4012888888881881|5(5){14}4|51051051051051\d\d|2223003122003222"
    r"|378282246310005|371449635398431|6011(1){11}7|6011000990139424|35301113{5}0{4}"
    r"|3566002020360505|30569309025904|38520000023237|4(2){12}"
)
_PHONE = regex.compile(
    r"(?<![\p{Latin}\d_+$€£#]|\d[-.,:/])(?:\+ ?|00 ?)?\(?\d(?:[ ().\-/]{0,3}\d){6,14}"
    r"(?![\p{Latin}\d_%°€]|[.,:/]\d)"
)
_ASIDE = regex.compile(
    r"\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b|https?://\S+"
    r"|(?<!\d)97[89](?:[- ]?\d){10}(?!\d)|(?<!\d)[12]\d{3}([-./])\d\d\1\d\d(?![\d-])",
    regex.I,
)
_NUMBERS = regex.compile(r"\d(?:\D{0,3}\d){5}|\d\.\d|[\da-fA-F]:|[A-Z]{4}\d")


@dataclass(frozen=True, slots=True)
class Place:
    """One thing found, and where."""

    kind: Kind
    start: int
    end: int
    key: str
    """What it is however it is written: one number, one key."""


def find(text: str, language: str, kinds: Collection[str] = KINDS) -> list[Place]:
    """What is private in ``text``, in text order; no two places overlap."""
    plain = plain_digits(text)
    with_numbers = _NUMBERS.search(plain) is not None
    if not with_numbers and "@" not in plain:
        return []
    places: list[Place] = []
    taken = bytearray(len(plain))
    for kind in KINDS if with_numbers else KINDS[:1]:
        if kind == "card":  # what follows are bare numbers, and those known otherwise are out
            for aside in _ASIDE.finditer(plain):
                taken[aside.start() : aside.end()] = b"\1" * (aside.end() - aside.start())
        for place in _FINDERS[kind](plain, language) if kind in kinds else ():
            if not any(taken[place.start : place.end]):
                taken[place.start : place.end] = b"\1" * (place.end - place.start)
                places.append(place)
    return sorted(places, key=lambda place: place.start)


def _emails(plain: str, language: str) -> Iterator[Place]:
    at = plain.find("@")
    while at >= 0:
        domain = _ASCII_DOMAIN.match(plain, at + 1) or _DOMAIN.match(plain, at + 1)
        before = plain[max(0, at - 64) : at]
        local = _LOCAL.search(before) if domain else None
        if domain and local and _mailed(plain, domain.end(), domain[0].lower(), before):
            start = at - len(local[0].lstrip(".'*`/=|{"))
            if start < at:
                yield Place("email", start, domain.end(), plain[start : domain.end()].lower())
        at = plain.find("@", at + 1)


def _mailed(plain: str, end: int, domain: str, before: str) -> bool:
    """Whether this is an address, and of somebody: not code, not a login, not an example."""
    after = plain[end : end + 1]
    if (after.isascii() and after.isalnum()) or after in ("(", "_", "-"):
        return False
    if before.endswith("git") and after == ":":  # git@host:path
        return False
    country = domain.rpartition(".")[2]
    nobodys = _NO_COUNTRY.fullmatch(country) or _NOBODYS.fullmatch(domain)
    return not (nobodys or _USERINFO.search(before))


def _ips(plain: str, language: str) -> Iterator[Place]:
    for found in _IP4.finditer(plain):
        largest = max(map(int, found[0].split(".")))
        in_prose = not announced(plain, found.start(), "version", 20)
        if largest >= SMALL and in_prose and _public(found[0]):
            yield Place("ip", found.start(), found.end(), found[0])
    for found in _IP6.finditer(plain):
        written = found[0] if found[0].endswith("::") else found[0].rstrip(":")
        end = found.start() + len(written)
        if not plain[end : end + 1].isalnum() and _public(written):
            key = ipaddress.ip_address(written).exploded
            yield Place("ip", found.start(), end, key)


def _public(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


def _ibans(plain: str, language: str) -> Iterator[Place]:
    lengths = known()["iban"]
    for found in _IBAN.finditer(plain):
        wanted, end = lengths.get(found[0][:2], 0), found.start()
        signs = ""
        while len(signs) < wanted and end < found.end():
            signs += plain[end] if plain[end].isalnum() else ""
            end += 1
        cut = plain[end : end + 1].isalnum() and plain[end : end + 1].isascii()
        if not wanted or len(signs) < wanted or cut or _NO_ACCOUNT.fullmatch(signs):
            continue
        if mod97(signs[4:] + signs[:4]) == 1:
            yield Place("iban", found.start(), end, signs)


def _cards(plain: str, language: str) -> Iterator[Place]:
    for found in _CARD.finditer(plain):
        digits = compact(found[0])
        first = _BRAND_LENGTHS.get(len(digits))
        if first is None or not _BRAND.fullmatch(digits) or _TEST_CARD.fullmatch(digits):
            continue
        sure = len(digits) in (15, 16) or announced(plain, found.start(), "card")
        if (not first or digits[0] in first) and sure and luhn(digits):
            yield Place("card", found.start(), found.end(), digits)


def _identities(plain: str, language: str) -> Iterator[Place]:
    for scheme in SCHEMES:
        for found in scheme.pattern.finditer(plain):
            signs = compact(found[0])
            if scheme.sound(signs) and _meant(scheme, plain, found.start(), language):
                yield Place("national_id", found.start(), found.end(), f"{scheme.country} {signs}")


def _meant(scheme: Scheme, plain: str, start: int, language: str) -> bool:
    if not scheme.announced or language.split("-")[0] in scheme.home:
        return True
    return announced(plain, start, "identity")


def _phones(plain: str, language: str) -> Iterator[Place]:
    for found in _PHONE.finditer(plain):
        with_word = announced(plain, found.start(), "phone")
        number, length = telephone(found[0], language, with_word)
        if number:
            yield Place("phone", found.start(), found.start() + length, number)


_FINDERS: dict[Kind, Callable[[str, str], Iterator[Place]]] = {
    "email": _emails,
    "ip": _ips,
    "iban": _ibans,
    "card": _cards,
    "national_id": _identities,
    "phone": _phones,
}
