r"""What a translator must not touch, taken out before and put back after, character by character.

Code, formulas, addresses, placeholders, tags, quantities with their units and chosen names are each
replaced by a sentinel, ``⟦3⟧``: two brackets that hardly any text has, around a number. Models and
translation systems carry it along, as they carry a footnote mark. A sentinel that came back with a
space or in the digits of another script (``⟦٣⟧``) is still read; one that is missing, doubled, made
up or in a wrong place is an error that says which, so that a translation can be asked for again.

``restore(mask(x).text, mask(x).kept) == x`` for every text: brackets of this kind that stand in the
text itself are taken out like anything else, so every sentinel in a masked text is ours.

Where order matters: blocks stay in their order, placeholders that are filled by position (``%s``,
``{}``) stay in theirs, and tags that belong together open before they close, without crossing.
Everything else may move, as words do between languages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import regex

from engine.text.tokens import UNSPACED

Fault = Literal["lost", "doubled", "invented", "reordered"]
OPENED, CLOSED = "⟦", "⟧"
SENTINEL = regex.compile(r"⟦\s*+(\p{Nd}{1,9})\s*+⟧")
"""A sentinel as it may come back: with spaces, in digits of any script."""

UNITS = (
    "km/h|m/s|kWh|mAh|kHz|MHz|GHz|Hz|hPa|kPa|Pa|GB|MB|KB|kB|TB|GiB|MiB|KiB|Mbit/s|kbit/s|kJ|kcal|"
    "km²|m²|cm²|mm²|km³|m³|cm³|km|dm|cm|mm|µm|nm|kg|mg|µg|ml|cl|dl|kW|MW|mV|kV|ms|µs|px|pt|dpi|"
    "°C|°F|°|%|‰|٪|％|[mgl]"
)
"""Signs that are the same in every language: SI, information, percent."""

_BLANK = r"[ \u00a0\u2009\u202f]"
_NUMBER = (
    rf"(?<!\p{{Nd}})\p{{Nd}}++(?:[.,:٫٬/'’]\p{{Nd}}++|{_BLANK}\p{{Nd}}{{3}}(?!\p{{Nd}})){{0,12}}+"
)
PATTERNS: tuple[tuple[str, str], ...] = (
    ("own", r"⟦\s*+\p{Nd}++\s*+⟧|[⟦⟧]"),
    (
        "block",
        r"^[ \t]{0,3}(?P<fence>`{3,}|~{3,})[^`\n]*+(?=\n|\Z)(?:\n(?![ \t]{0,3}(?P=fence))[^\n]*+)*+"
        r"(?:\n[ \t]{0,3}(?P=fence)[`~]*+[^\n]*+)?+",
    ),
    ("block", r"\$\$[^$]{1,2000}\$\$|\\\[(?:[^\\]|\\[^\]\[]){1,2000}+\\\]"),
    ("block", r"\\begin\{(?P<env>[A-Za-z]{1,30}\*?)\}.{0,4000}?\\end\{(?P=env)\}"),
    ("code", r"(?P<ticks>`{1,3})(?!`)[^`\n]++(?P=ticks)(?!`)"),
    (
        "formula",
        r"\\\([^\n]{1,1000}?\\\)"
        r"|(?<![\\$\p{L}\p{Nd}])\$(?![\s$])[^$\n]{1,300}(?<![\s\\])\$(?![\p{Nd}$])",
    ),
    ("formula", r"\\[A-Za-z]{2,}+(?:\{[^{}\n]{0,200}\})*+"),
    (
        "address",
        r"(?:https?|ftp|file|mailto|www)(?:://|:|\.)(?=\S)"
        r"[^\s<>\"'`⟦⟧\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}，。、！？；：）】」』]*"
        r"(?<![.,;:!?)\]}'*_])",
    ),
    ("address", r"[A-Za-z0-9._%+\-]{1,64}+@[A-Za-z0-9\-]++(?:\.[A-Za-z0-9\-]++)++"),
    (
        "tag",
        r"<!--.{0,2000}?-->|</?[A-Za-z_][\w:.\-]{0,40}(?:\s[^<>]{0,500})?/?>"
        r"|&(?:#\d{1,7}|#x[\dA-Fa-f]{1,6}|[A-Za-z]{2,10});",
    ),
    ("key", r'"[\w\-.]{1,60}"(?=[ \t]*:)'),
    (
        "slot",
        r"\$\{[^{}\n]{1,80}\}|\{\{[^{}\n]{0,80}\}\}|\{%[^{}\n]{1,200}%\}|\{[\p{L}_][^{}\n]{0,60}\}"
        r"|\{\p{Nd}{1,3}(?::[^{}\n]{0,20})?\}|%\([\w.]{1,40}\)[a-zA-Z]|%\p{Nd}{1,2}\$[sdif]",
    ),
    (
        "position",
        r"\{\}|(?<![%\p{Nd}\p{L}])%[-+#0]?\d{0,3}(?:\.\d{1,2})?[sdifgxu](?![\p{L}\p{Nd}])",
    ),
    ("bracket", r"\[[^\[\]\n⟦⟧]{1,40}\](?![(\[])"),
    (
        "quantity",
        rf"\p{{Sc}}{_BLANK}?{_NUMBER}|{_NUMBER}{_BLANK}?"
        rf"(?:\p{{Sc}}(?![\p{{L}}\p{{Nd}}\\])|(?:{UNITS})(?![A-Za-z\d²³/]))",
    ),
)  # fmt: skip
"""Kind and pattern, in the order in which they are tried at each place."""

_FLAGS = regex.MULTILINE | regex.V1


@dataclass(frozen=True, slots=True)
class Kept:
    """One piece that was taken out."""

    kind: str
    text: str
    partner: int = -1
    """The number of the tag that closes this one, or that this one closes; -1 for none."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with sentinels, and what they stand for: ``⟦n⟧`` is ``kept[n]``."""

    text: str
    kept: tuple[Kept, ...] = ()

    @property
    def entities(self) -> tuple[str, ...]:
        """What was taken out because somebody asked for it, each once."""
        return tuple(dict.fromkeys(piece.text for piece in self.kept if piece.kind == "entity"))


class Unrestorable(ValueError):
    """A translation whose sentinels are not those of its source."""

    def __init__(self, fault: Fault, told: str) -> None:
        super().__init__(told)
        self.fault = fault


def mask(text: str, entities: Sequence[str] = ()) -> Masked:
    """The text with everything in it that must not be translated replaced by sentinels.

    ``entities`` are names to keep as they are, e.g. products, or whole phrases; the longest that
    fits is taken. Anything else may stand around them but more of the same word. A phrase goes
    before a number or a tag that it begins with.
    """
    kept: list[Kept] = []
    parts: list[str] = []
    end = 0
    for found, kind in _found(text, tuple(entities)):
        parts += [text[end : found.start()], sentinel(len(kept))]
        kept.append(Kept(kind, found[0]))
        end = found.end()
    return Masked("".join([*parts, text[end:]]), tuple(_paired(kept)))


def restore(text: str, kept: Sequence[Kept]) -> str:
    """The text with every sentinel replaced by what it stands for.

    Raises:
        Unrestorable: (a ValueError) a sentinel is lost, doubled, made up or where it cannot be.
    """
    order = numbers(text)
    _check(order, kept)
    return SENTINEL.sub(lambda found: kept[int(found[1])].text, text)


def sentinel(number: int) -> str:
    """What stands for the piece with this number."""
    return f"{OPENED}{number}{CLOSED}"


def numbers(text: str) -> list[int]:
    """The numbers of the sentinels in a text, in their order."""
    return [int(found) for found in SENTINEL.findall(text)]


def _check(order: Sequence[int], kept: Sequence[Kept]) -> None:
    counts = Counter(order)
    if strange := sorted(n for n in counts if n >= len(kept)):
        raise Unrestorable("invented", f"no piece was taken out for {_listed(strange)}")
    if lost := [n for n in range(len(kept)) if not counts[n]]:
        raise Unrestorable("lost", f"{_listed(lost)} missing: {kept[lost[0]].text[:60]!r}")
    if twice := sorted(n for n, times in counts.items() if times > 1):
        raise Unrestorable("doubled", f"{_listed(twice)} more than once")
    if wrong := _out_of_place(order, kept):
        raise Unrestorable("reordered", f"{_listed(wrong)} not where the text had them")


def _out_of_place(order: Sequence[int], kept: Sequence[Kept]) -> list[int]:
    """Two sentinels that cannot stand in this order; empty where all can."""
    for kind in ("block", "position"):
        of_kind = [n for n in order if kept[n].kind == kind]
        for one, other in pairwise(of_kind):
            if one > other:
                return [one, other]
    opened: list[int] = []
    for n in order:
        partner = kept[n].partner
        if partner > n:
            opened.append(n)
        elif partner >= 0 and (not opened or opened.pop() != partner):
            return [partner, n]
    return []


def _paired(kept: Sequence[Kept]) -> Iterator[Kept]:
    """The pieces, each tag with its partner: as HTML nests, the innermost open one of the name."""
    partners: dict[int, int] = {}
    opened: list[tuple[str, int]] = []
    for n, piece in enumerate(kept):
        name = _tag_name(piece)
        if not name or piece.text.endswith("/>"):
            continue
        if not piece.text.startswith("</"):
            opened.append((name, n))
        elif (at := _last(opened, name)) >= 0:
            partners |= {opened[at][1]: n, n: opened[at][1]}
            del opened[at:]
    for n, piece in enumerate(kept):
        yield Kept(piece.kind, piece.text, partners[n]) if n in partners else piece


def _tag_name(piece: Kept) -> str:
    found = _TAG_NAME.match(piece.text) if piece.kind == "tag" else None
    return found[1].casefold() if found else ""


def _last(opened: Sequence[tuple[str, int]], name: str) -> int:
    return next((at for at in range(len(opened) - 1, -1, -1) if opened[at][0] == name), -1)


def _listed(found: Sequence[int]) -> str:
    return " ".join(map(sentinel, found[:5]))


_TAG_NAME = regex.compile(r"</?([A-Za-z_][\w:.\-]*)")


def _found(text: str, entities: tuple[str, ...]) -> Iterator[tuple[regex.Match[str], str]]:
    """What is taken out, from left to right, and its kind.

    Entities have a pattern of their own, which compiles in no time: they may differ by record.
    """
    usual, wanted = _usual(), _wanted(entities)
    own = usual.search(text)
    asked = wanted.search(text) if wanted else None
    while own or asked:
        if asked and (own is None or _goes_first(asked, own)):
            found, kind = asked, "entity"
        else:
            assert own is not None, "one of the two is there"
            found, kind = own, _kind(own)
        yield found, kind
        if own and own.start() < found.end():
            own = usual.search(text, found.end())
        if wanted and asked and asked.start() < found.end():
            asked = wanted.search(text, found.end())


def _goes_first(asked: regex.Match[str], own: regex.Match[str]) -> bool:
    """At one place a phrase goes before all but our own brackets, a single word behind all."""
    if asked.start() != own.start():
        return bool(asked.start() < own.start())
    return len(asked[0].split()) > 1 and _kind(own) != "own"


def _kind(found: regex.Match[str]) -> str:
    """Which of the patterns it was: the one group of them that is set."""
    return next(kind for n, (kind, _) in enumerate(PATTERNS) if found[f"kind{n}"] is not None)


@lru_cache(maxsize=1)
def _usual() -> regex.Pattern[str]:
    several = (f"(?P<kind{n}>{pattern})" for n, (_, pattern) in enumerate(PATTERNS))
    return regex.compile("|".join(several), _FLAGS | regex.DOTALL)


@lru_cache(maxsize=256)
def _wanted(entities: tuple[str, ...]) -> regex.Pattern[str] | None:
    names = sorted({name for name in entities if name.strip()}, key=lambda name: (-len(name), name))
    return regex.compile("|".join(map(_whole, names)), _FLAGS) if names else None


def _whole(name: str) -> str:
    """A name as a pattern: no part of a longer word, where words have bounds."""
    inner = rf"[[\p{{L}}\p{{M}}\p{{Nd}}]--[{UNSPACED}]]"
    before = rf"(?<!{inner})" if regex.match(inner, name[0], regex.V1) else ""
    after = rf"(?!{inner})" if regex.match(inner, name[-1], regex.V1) else ""
    return f"{before}{regex.escape(name, literal_spaces=True)}{after}"
