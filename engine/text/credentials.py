"""Finding keys, tokens and passwords that may be live.

Three signs: what issuers put at the start of their keys (data, ``taxonomies/secrets.yaml``), the
form of private keys, web tokens and logins in addresses, and a text of high entropy behind a word
that announces a secret, in many languages. What documentation writes for a key
(``YOUR_API_KEY``, AKIAIOSFODNN7EXAMPLE) is none, nor are hashes and UUIDs that nothing announces.

Source: the idea of prefix and entropy is that of detect-secrets
(https://github.com/Yelp/detect-secrets).
Differs: the list and the thresholds are ours; entropy counts behind a word only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import log2
from typing import Any

import regex

from engine import shipped

ENTROPY = 3.5
"""Bits a sign in a secret whose form says nothing; random letters and digits have 4 and more."""
HEX_ENTROPY = 3.0
"""The same where all signs are hexadecimal: four bits are the most there are."""
WINDOW = 60
"""Characters before a value in which a word must announce it."""
KEY_ENTROPY = 2.5
"""The same behind a known start: enough to tell a key from a row of one letter."""

_SIGNS = {
    "alnum": "A-Za-z0-9",
    "upper": "A-Z0-9",
    "hex": "a-fA-F0-9",
    "url": "A-Za-z0-9_-",
    "base64": "A-Za-z0-9+/=",
    "dotted": "A-Za-z0-9_.-",
}
_PRIVATE_KEY = regex.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?P<value>(?:[^-]|-(?!----)){60,20000}+)(?:-----END[^-\n]{0,60}-----)?"
)
_WEB_TOKEN = regex.compile(
    r"(?<![\w-])(?P<value>eyJ[\w-]{8,2000}+\.eyJ[\w-]{8,4000}+\.[\w-]{16,2000}+)"
)
_LOGIN = regex.compile(r"://[^\s/:@'\"]{0,64}:(?P<value>[^\s/@'\"]{4,128})@(?P<host>[\w.-]{1,200})")
_USUAL = regex.compile(r"(?i)pass(?:word)?|pwd|secret|postgres|root|admin|user(?:name)?|guest|test")
_HERE = regex.compile(r"(?i)localhost|127\.|0\.0\.0\.0|(?:.*\.)?example\.")
_UUID = regex.compile(r"(?i)[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}")
_VALUE = regex.compile(r"(?<![A-Za-z0-9+/_.~-])[A-Za-z0-9+/_.~!@#$%^&-]{16,200}+={0,2}")
_HEX = regex.compile(r"[\da-fA-F]+")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret stands, and of which kind; never what it is."""

    kind: str
    start: int
    end: int


def find(text: str) -> list[Secret]:
    """The secrets in ``text``, in order; none overlaps another."""
    found = [*_blocks(text), *_keys(text), *_announced(text)]
    chosen: list[Secret] = []
    for secret in sorted(found, key=lambda each: (each.start, -each.end)):
        if not chosen or secret.start >= chosen[-1].end:
            chosen.append(secret)
    return chosen


def entropy(text: str) -> float:
    """Shannon's entropy in bits a sign; 0 for nothing."""
    return sum(-n / len(text) * log2(n / len(text)) for n in Counter(text).values())


def _blocks(text: str) -> Iterator[Secret]:
    if "-----BEGIN " in text:
        for block in _PRIVATE_KEY.finditer(text):
            if entropy(block["value"]) > KEY_ENTROPY and not _stands_for_one(block["value"]):
                yield Secret("private_key", block.start(), block.end())
    if "eyJ" in text:
        for token in _WEB_TOKEN.finditer(text):
            if not _stands_for_one(token["value"]):
                yield Secret("web_token", *token.span("value"))
    if "://" in text:
        for login in _LOGIN.finditer(text):
            usual = _USUAL.fullmatch(login["value"]) or _HERE.match(login["host"])
            if not usual and not _stands_for_one(login["value"]):
                yield Secret("password_in_url", *login.span("value"))


def _keys(text: str) -> Iterator[Secret]:
    for kind, starts, pattern in _patterns():
        if any(start in text for start in starts):
            for key in pattern.finditer(text):
                random_enough = entropy(key["value"]) > KEY_ENTROPY
                if random_enough and not _stands_for_one(key[0]):
                    yield Secret(kind, key.start(), key.end())


def _announced(text: str) -> Iterator[Secret]:
    for given in _VALUE.finditer(text):
        value = given[0]
        mixed = 2 <= sum(map(str.isdigit, value)) < len(value) and not _UUID.search(value)
        if not mixed or entropy(value) < (HEX_ENTROPY if _HEX.fullmatch(value) else ENTROPY):
            continue
        before = text[max(0, given.start() - WINDOW) : given.start()]
        if _word().search(before) and not _stands_for_one(value):
            yield Secret("announced_secret", *given.span())


def _stands_for_one(value: str) -> bool:
    lowered = value.lower()
    return any(word in lowered for word in _placeholders())


@lru_cache(maxsize=1)
def _known() -> Mapping[str, Any]:
    file = shipped.folder("taxonomies") / "secrets.yaml"
    return dict(shipped.read(file))


@lru_cache(maxsize=1)
def _placeholders() -> tuple[str, ...]:
    return tuple(word.lower() for word in _known()["placeholders"])


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, tuple[str, ...], regex.Pattern[str]], ...]:
    """Kind, starts, and what finds a whole key of it."""
    made = []
    for kind, form in _known()["keys"].items():
        signs, (least, most) = _SIGNS[form["signs"]], form["length"]
        either = "|".join(map(regex.escape, form["starts"]))
        pattern = (
            rf"(?<![A-Za-z0-9_])(?:{either})(?P<value>[{signs}]{{{least},{most}}}+)(?![{signs}])"
        )
        made.append((kind, tuple(form["starts"]), regex.compile(pattern)))
    return tuple(made)


@lru_cache(maxsize=1)
def _word() -> regex.Pattern[str]:
    """A word that announces a secret, and a sign that says "is", at the end of a text."""
    words = {word for several in _known()["named"].values() for word in several}
    either = "|".join(regex.escape(word) for word in sorted(words, key=len, reverse=True))
    means = r"(?:[:=：＝]|=>|:=|\bis:?|是|为)"
    return regex.compile(
        rf"(?:{either})[\"'`»”]?\s{{0,3}}{means}\s{{0,3}}[\"'`«“]?(?:Bearer )?\Z", regex.I
    )
