"""Constraints on what an answer holds and how it is laid out: Markdown, brackets, sections, JSON.

On ASCII text these decide as the published definition does. Every scan is linear: a megabyte of
opening brackets is read once, not once for each bracket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import regex
from pydantic import BaseModel, Field

from engine.constraints.keywords import Word
from engine.constraints.kinds import (
    AnyKind,
    Context,
    Found,
    Ground,
    Kind,
    counted,
    decided,
    exactly,
)
from engine.constraints.units import bare, folded, folded_word

YES_NO = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
"""The set phrases of the published definition, which stores none with its rows."""
BRACKETS = ("[]", "［］", "【】")
_LIGHT = regex.compile(r"\*([^\n*]*+)\*")
_STRONG = regex.compile(r"\*\*([^\n*]*+)\*\*")
_NUMBER = r"(?:\p{Nd}++|[〇零一二三四五六七八九十百两兩]++)"
_FENCES = ("```json", "```Json", "```JSON", "```")


class Placeholders(BaseModel, extra="forbid", frozen=True):
    """At least so many placeholders in square brackets."""

    count: int = Field(ge=1)
    """Placeholders, 1 and up."""


class Postscript(BaseModel, extra="forbid", frozen=True):
    """A postscript."""

    marker: Word
    """What opens it, such as ``P.S.``."""


class Bullets(BaseModel, extra="forbid", frozen=True):
    """Exactly so many bullet points."""

    count: int = Field(ge=1)
    """Lines that begin with ``*`` or ``-``, 1 and up."""


class Title(BaseModel, extra="forbid", frozen=True):
    """A title between ``<<`` and ``>>``."""


class Options(BaseModel, extra="forbid", frozen=True):
    """One of some set phrases."""

    options: tuple[Word, ...] = Field(default=YES_NO, min_length=2)
    """The phrases, letter by letter."""


class Highlights(BaseModel, extra="forbid", frozen=True):
    """At least so many highlighted passages."""

    count: int = Field(ge=1)
    """Passages between asterisks, 1 and up."""


class Sections(BaseModel, extra="forbid", frozen=True):
    """At least so many numbered sections."""

    splitter: Word
    """What stands before a section's number, in exactly this case."""
    count: int = Field(ge=1)
    """Sections, 1 and up."""


class Json(BaseModel, extra="forbid", frozen=True):
    """JSON, and nothing else but a code fence around it."""


def placeholders(text: str, params: Placeholders, context: Context) -> Found:
    """Enough pairs of square brackets, each on one line."""
    found = sum(_pairs(line, pair) for pair in BRACKETS for line in text.split("\n"))
    return counted(found, "at least", params.count, "placeholders")


def postscript(text: str, params: Postscript, context: Context) -> Found:
    """The marker is there; within ``P.S.`` spaces do not matter."""
    wanted = folded_word(params.marker, context.language)
    within = folded(text, context.language)
    if wanted.replace(" ", "").rstrip(".") in ("p.s", "p.p.s"):
        initials = wanted.replace(" ", "").rstrip(".").split(".")
        end = "" if len(initials) == 3 else r"\."
        holds = regex.search(r"\.\s?".join(initials) + end, within) is not None
    else:
        holds = wanted in within
    return decided(holds, f"no {params.marker!r}")


def number_bullet_lists(text: str, params: Bullets, context: Context) -> Found:
    """As many lines that begin like a bullet point as asked for; bold type is none."""
    return exactly(sum(map(_is_bullet, text.split("\n"))), params.count, "bullet points")


def title(text: str, params: Title, context: Context) -> Found:
    """A line has something between double angle brackets."""
    return decided(any(map(_has_title, bare(text).split("\n"))), "no <<title>>")


def constrained_response(text: str, params: Options, context: Context) -> Found:
    """One of the phrases is there."""
    within = bare(text)
    return decided(any(bare(o) in within for o in params.options), "none of the options")


def number_highlighted_sections(text: str, params: Highlights, context: Context) -> Found:
    """Enough passages between asterisks, or pairs of them; empty ones do not count."""
    found = [m[1].strip() for pattern in (_LIGHT, _STRONG) for m in pattern.finditer(text)]
    return counted(sum(map(bool, found)), "at least", params.count, "highlights")


def multiple_sections(text: str, params: Sections, context: Context) -> Found:
    """The splitter with a number behind it, often enough; digits of any script."""
    pattern = rf"{regex.escape(bare(params.splitter))}\s?{_NUMBER}"
    found = sum(1 for _ in regex.finditer(pattern, bare(text)))
    return counted(found, "at least", params.count, "sections")


def json_format(text: str, params: Json, context: Context) -> Found:
    """The text, without a fence around it, can be read as JSON."""
    plain = text.strip().lstrip("\ufeff")
    for fence in _FENCES:
        plain = plain.removeprefix(fence)
    try:
        json.loads(plain.removesuffix("```").strip())
    except (ValueError, RecursionError) as error:
        return Found("fail", f"no JSON: {error}"[:200])
    return Found("pass")


def _pairs(line: str, pair: str) -> int:
    """How many closed pairs of brackets are in a line, one after another."""
    found, at = 0, line.find(pair[0])
    while at >= 0 and (end := line.find(pair[1], at + 1)) >= 0:
        found, at = found + 1, line.find(pair[0], end + 1)
    return found


def _is_bullet(line: str) -> bool:
    start = line.lstrip().lstrip("\u200e\u200f\u061c\ufeff")[:2]
    return start[:1] == "-" or (start[:1] == "*" and start[1:] not in ("", "*"))


def _has_title(line: str) -> bool:
    start, end = line.find("<<"), line.rfind(">>")
    return end >= start + 3 > 2 and bool(line[start:end].lstrip("<").rstrip(">").strip())


def _draw_placeholders(ground: Ground) -> Placeholders:
    return Placeholders(count=ground.rng.randint(2, 5))


def _draw_postscript(ground: Ground) -> Postscript:
    return Postscript(marker=ground.rng.choice(ground.stock.postscripts or ("P.S.",)))


def _draw_bullets(ground: Ground) -> Bullets:
    return Bullets(count=ground.rng.randint(2, 8))


def _draw_options(ground: Ground) -> Options | None:
    sets = ground.stock.options
    return Options(options=ground.rng.choice(sets)) if sets else None


def _draw_highlights(ground: Ground) -> Highlights:
    return Highlights(count=ground.rng.randint(2, 5))


def _draw_sections(ground: Ground) -> Sections | None:
    names = ground.stock.sections
    if not names:
        return None
    return Sections(splitter=ground.rng.choice(names), count=ground.rng.randint(2, 5))


def _kinds() -> Iterator[tuple[str, AnyKind]]:
    layout = "detectable_format"
    yield (
        "detectable_content:number_placeholders",
        Kind(Placeholders, placeholders, _draw_placeholders),
    )
    yield "detectable_content:postscript", Kind(Postscript, postscript, _draw_postscript)
    yield f"{layout}:number_bullet_lists", Kind(Bullets, number_bullet_lists, _draw_bullets)
    yield f"{layout}:title", Kind(Title, title, lambda ground: Title())
    yield f"{layout}:constrained_response", Kind(Options, constrained_response, _draw_options)
    yield (
        f"{layout}:number_highlighted_sections",
        Kind(Highlights, number_highlighted_sections, _draw_highlights),
    )
    yield f"{layout}:multiple_sections", Kind(Sections, multiple_sections, _draw_sections)
    yield f"{layout}:json_format", Kind(Json, json_format, lambda ground: Json())


KINDS: Mapping[str, AnyKind] = MappingProxyType(dict(_kinds()))
