"""Signs that nobody sees: which of them do a script or an emoji a service, and which hide.

The same invisible sign is spelling in one place and a smuggler's tool in another. A non-joiner
between Persian letters, a joiner behind a Devanagari virama or between two emoji, a variation
selector behind a pictograph or a Han character, a space without width in Thai, a flag's tags,
marks of direction in a text that has Arabic or Hebrew in it: they stay. What stands elsewhere, in
a row, or unbalanced, is hidden: an attack (orders in tag characters, code that reads backwards),
a watermark, or dirt of a web page.

Source: Boucher and Anderson, "Trojan Source: Invisible Vulnerabilities", 2021, arXiv:2111.00169
(bidi controls); Unicode Standard Annex 31, section 2.3 (where joiners are letters' business),
Technical Standard 51 (emoji sequences).
Differs: UAX 31 asks for identifiers; here a joiner is good behind any letter of a script that
uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import regex

Kind = Literal["bidi", "tag", "zero_width", "variation_selector", "control", "surrogate"]

_JOINING = (
    r"\p{Arabic}\p{Syriac}\p{Mongolian}\p{Nko}\p{Mandaic}\p{Phags_Pa}\p{Adlam}\p{Hanifi_Rohingya}"
    r"\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}"
    r"\p{Malayalam}\p{Sinhala}\p{Tibetan}\p{Myanmar}\p{Khmer}\p{Balinese}\p{Javanese}\p{Sundanese}"
    r"\p{Meetei_Mayek}\p{Chakma}\p{Brahmi}\p{Grantha}\p{Tirhuta}\p{Newa}\p{Limbu}\p{Tai_Tham}"
)
_BREAKING = (
    r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Hiragana}\p{Katakana}\p{Han}\p{Tai_Le}"
)
_PICTURE = r"\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}"
_MARKS = "\u061c\u200e\u200f"
_ISOLATES, _POP_ISOLATE = "\u2066\u2067\u2068", "\u2069"
_EMBEDDINGS, _POP = "\u202a\u202b", "\u202c"

_UNSEEN = regex.compile(
    r"[\p{Cs}\p{Bidi_Control}\p{Variation_Selector}\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-"
    r"\u200d\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffc\U000e0000-\U000e007f"
    r"[\p{Cc}--[\t\n\r]]\ufdd0-\ufdef\ufffe\uffff]",
    regex.V1,
)
_SERVICE = regex.compile(
    rf"(?<=[[{_JOINING}]&&[\p{{L}}\p{{M}}]])[\u200c\u200d\u034f\u180b-\u180f]"  # spelling
    rf"|(?<=[{_PICTURE}]\ufe0f?)\u200d(?=[{_PICTURE}])"  # families, professions
    r"|(?<=[\p{Emoji}\p{Extended_Pictographic}\p{S}\p{P}])[\ufe0e\ufe0f\ufe00]"
    r"|(?<=[\p{Han}\p{Mongolian}\p{Myanmar}\p{Phags_Pa}\p{Manichaean}])[\ufe00-\ufe02\U000e0100-\U000e01ef]"
    rf"|(?<=[{_BREAKING}])\u200b|\u200b(?=[{_BREAKING}])"  # where a line may break
    r"|\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"  # Scotland
    r"|(?<=[\u1100-\u11ff])[\u115f\u1160]|[\u115f\u1160](?=[\u1100-\u11ff])"  # old Korean
    r"|(?<=\p{M})\u034f(?=\p{M})|(?<=\p{Khmer})[\u17b4\u17b5]",
    regex.V1,
)
_RIGHT_TO_LEFT = regex.compile(r"[\p{Bidi_Class=R}\p{Bidi_Class=AL}--[\u200f\u061c]]", regex.V1)
_PLAIN_CONTROL = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Hidden:
    """One hidden sign."""

    kind: Kind
    at: int


def hidden(text: str) -> list[Hidden]:
    """What is hidden in ``text``, in order; without what does a service there."""
    if text.isascii():
        return [Hidden("control", found.start()) for found in _PLAIN_CONTROL.finditer(text)]
    unseen = [found.start() for found in _UNSEEN.finditer(text)]
    if not unseen:
        return []
    serving = {at for found in _SERVICE.finditer(text) for at in range(*found.span())}
    serving |= set(_directions(text, unseen))
    return [Hidden(_kind(text[at]), at) for at in unseen if at not in serving]


def without(text: str, found: list[Hidden]) -> str:
    """``text`` without these signs."""
    pieces, at = [], 0
    for each in found:
        pieces.append(text[at : each.at])
        at = each.at + 1
    return "".join([*pieces, text[at:]])


def _directions(text: str, unseen: list[int]) -> Iterator[int]:
    """Marks and balanced isolates and embeddings, where something is written to the left."""
    if not _RIGHT_TO_LEFT.search(text):
        return
    opened: list[int] = []
    line = 0
    for at in unseen:
        sign = text[at]
        if opened and text.find("\n", line, at) >= 0:  # they end with their line
            opened = []
        line = at
        if sign in _MARKS:
            yield from [at] if text[at - 1 : at] not in _MARKS or at == 0 else []
        elif sign in _ISOLATES or sign in _EMBEDDINGS:
            opened.append(at)
        elif opened and sign == (_POP_ISOLATE if text[opened[-1]] in _ISOLATES else _POP):
            yield from (opened.pop(), at)


def _kind(sign: str) -> Kind:
    if "\ud800" <= sign <= "\udfff":
        return "surrogate"
    if "\U000e0000" <= sign <= "\U000e007f":
        return "tag"
    if sign in _MARKS or "\u202a" <= sign <= "\u202e" or "\u2066" <= sign <= "\u2069":
        return "bidi"
    if "\ufe00" <= sign <= "\ufe0f" or "\u180b" <= sign <= "\u180f" or sign >= "\U000e0100":
        return "variation_selector"
    return (
        "control"
        if sign < "\xa0" or sign in "\ufffe\uffff" or "\ufdd0" <= sign <= "\ufdef"
        else "zero_width"
    )
