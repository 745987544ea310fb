"""Raw text cut into what reads like a question and what reads like an answer, by rules alone.

Blocks stand between blank lines; a heading is a block of its own. A short block that ends with a
question mark of its script, ends with a question particle or opens as a request is a question; so
is the run of questions that a longer block begins with. What stands between two questions or
headings is answer-like where it is long enough, whole blocks put together. Everything is a span
of the text, no two overlap, and what is neither is left out.

Question marks by script, particles, openings and labels by language are data
(``taxonomies/cycle_instruct.yaml``): a language without lists is cut by its script's marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import regex

from engine.text.lengths import words
from engine.text.phrases import folded, matcher, phrase_lists, phrases_for
from engine.text.scripts import script
from engine.text.sentences import sentences

Side = Literal["question", "answer"]

LISTS = "cycle_instruct.yaml"
REQUEST_SENTENCES = 3
"""Sentences that a block has at most which is a question by its opening."""
LETTERS = 100
"""Characters of a word at most, on average: what is longer is no question and not looked at."""

_LINE = regex.compile(r"^[^\S\n]*+\S[^\n]*+", regex.MULTILINE)
_HEADING = regex.compile(r" {0,3}#{1,6}(?=[ \t])")
_FRONT = regex.compile(r"(?:#{1,6}[ \t]+|[-*+•>–—][ \t]+|\p{N}{1,3}[.)、．][ \t]*|\*\*|__)*")
_BACK = regex.compile(r"(?r)(?:\*\*|__|[ \t]+#+)*\Z")
_CLOSE = r"[\p{Pe}\p{Pf}\"'*_]*"


class Segment(NamedTuple):
    """A span of a text, counted in characters, and which side of a conversation it reads like."""

    start: int
    end: int
    side: Side


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long segments are, in words of any script."""

    question: int = 60
    """A question has at most so many."""
    least: int = 20
    """An answer has at least so many."""
    most: int = 400
    """And at most so many."""


def segments(text: str, language: str, sizes: Sizes = Sizes()) -> Iterator[Segment]:
    """What ``text`` holds of both sides, in order; none of the empty text."""
    run: list[tuple[int, int]] = []
    for start, end, is_heading in _blocks(text):
        asked = list(_questions(text, start, end, language, sizes.question))
        if asked or is_heading:
            yield from _answers(text, run, language, sizes)
            yield from asked
            run = []
        rest = asked[-1].end if asked else start
        if not is_heading and text[rest:end].strip():
            run.append((rest, end))
    yield from _answers(text, run, language, sizes)


def _blocks(text: str) -> Iterator[tuple[int, int, bool]]:
    """Runs of printed lines, and headings; start, end and whether it is a heading."""
    start = end = -1
    for line in _LINE.finditer(text):
        is_heading = bool(_HEADING.match(line[0]))
        if start >= 0 and (is_heading or line.start() > end + 1):  # or a blank line between
            yield start, end, False
            start = -1
        if is_heading:
            yield line.start(), line.end(), True
            continue
        start, end = line.start() if start < 0 else start, line.end()
    if start >= 0:
        yield start, end, False


def _questions(text: str, start: int, end: int, tag: str, most: int) -> Iterator[Segment]:
    """The block as a question, or the questions that it begins with as one."""
    start, end = _trimmed(text, start, end, tag)
    block = text[start:end]
    if not block:
        return
    if len(block) <= LETTERS * most and words(block) <= most and _asks(block, tag):
        yield Segment(start, end, "question")
    elif (led := _leading(block[: LETTERS * most], tag)) and words(block[:led]) <= most:
        yield Segment(start, start + led, "question")


def _asks(block: str, tag: str) -> bool:
    """Whether a short text is a question or a request, as a whole."""
    if any(mark.end() >= len(block) for mark in _mark(script(tag)).finditer(block)):
        return True
    if _inner(script(tag)).search(block) and len(sentences(block)) == 1:
        return True
    plain = folded(block)
    if any(found.end() == len(plain) for found in _phrases("endings", tag).finditer(plain)):
        return True
    if plain.rstrip().endswith(phrases_for(phrase_lists(LISTS), "suffixes", tag)):
        return True
    opened = _phrases("openings", tag).match(plain, 1)
    return bool(opened) and len(sentences(block)) <= REQUEST_SENTENCES


def _leading(block: str, tag: str) -> int:
    """Where the questions end that a text begins with; 0 where it begins with none."""
    at = 0
    for mark in _mark(script(tag)).finditer(block):
        if len(sentences(block[at : mark.end()])) != 1:
            break
        at = mark.end()
    return at


def _answers(text: str, run: list[tuple[int, int]], tag: str, sizes: Sizes) -> Iterator[Segment]:
    """Whole blocks put together until they are long enough; what is too long or short is lost."""
    start = -1
    for begin, end in run:
        start = begin if start < 0 else start
        first, last = _trimmed(text, start, end, tag, labels_only=True)
        size = words(text[first:last])
        if sizes.least <= size <= sizes.most:
            yield Segment(first, last, "answer")
        if size >= sizes.least:
            start = -1


def _trimmed(
    text: str, start: int, end: int, tag: str, *, labels_only: bool = False
) -> tuple[int, int]:
    """The span without blanks, list and heading marks, and labels such as ``Q:`` around it."""
    block = text[start:end]
    start += len(block) - len(block.lstrip())
    end = max(start, end - (len(block) - len(block.rstrip())))
    if not labels_only:
        front = _FRONT.match(text, start, end)
        start = front.end() if front else start
        back = _BACK.search(text, start, end)
        end = back.start() if back else end
    label = _label(tag).match(text, start, end)
    return (label.end() if label else start), end


@lru_cache(maxsize=256)
def _mark(code: str) -> regex.Pattern[str]:
    """A question's last mark in this script, with what closes behind it."""
    lists = phrase_lists(LISTS)
    marks = regex.escape("".join({*lists["Zyyy"]["marks"], *lists.get(code, {}).get("marks", ())}))
    return regex.compile(rf"[{marks}]+[!！.]*{_CLOSE}(?=\s|$|(?<=[？]{_CLOSE}))", regex.V1)


@lru_cache(maxsize=256)
def _inner(code: str) -> regex.Pattern[str]:
    """A mark that stands within the word that is asked about."""
    marks = "".join(phrase_lists(LISTS).get(code, {}).get("inner_marks", ()))
    return regex.compile(rf"[{regex.escape(marks)}]" if marks else r"(?!)")


@lru_cache(maxsize=256)
def _phrases(kind: str, tag: str) -> regex.Pattern[str]:
    return matcher(phrases_for(phrase_lists(LISTS), kind, tag))


@lru_cache(maxsize=256)
def _label(tag: str) -> regex.Pattern[str]:
    lists = phrase_lists(LISTS)
    known = {*phrases_for(lists, "labels", tag), *phrases_for(lists, "labels", "en")}
    words_ = "|".join(map(regex.escape, sorted(known, key=len, reverse=True)))
    return regex.compile(rf"(?:\*\*)?(?:{words_})\s?[:：.)](?:\*\*)?\s*", regex.IGNORECASE)
