r"""Where in a response its final answer is.

The last ``\boxed{}``; else what follows the last announcement ("the answer is" in the record's
language, then in any other; ``####``); else all of a short response that is nothing but an answer;
else the last number; else the last choice letter in brackets. Always the last, because people work
towards an answer; and nothing where nothing is there: no answer is made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal

import regex

from engine.text.answers import LONGEST, Answer, Kind, answer, lists
from engine.text.latex import tidy
from engine.text.numerals import PLAIN
from engine.text.tokens import UNSPACED

Place = Literal["boxed", "cue", "number", "choice", "whole"]
TAIL = 50_000
"""Characters of a response that are searched, from its end."""
SHORT = 80
"""Characters of a response that may be an answer as a whole."""
PIECES = 12
"""Pieces of one place that are looked at, the last ones."""
_BOX = regex.compile(r"\\f?boxed\s*\{")
_BRACE = regex.compile(r"(?<!\\)[{}]")
_EMPHASIS = regex.compile(r"\*\*(.+?)\*\*|\$([^$\n]+)\$|\\\((.+?)\\\)|`([^`\n]+)`")
_SENTENCE = regex.compile(r"[.!?](?=\s|$)|[。।！？]|(?<=\D)[,;](?=\s)")
_NUMBER = regex.compile(rf"(?<![\p{{Latin}}\d_^{{])[-+−]?\s?[\p{{Sc}}]?\s?{PLAIN}")
_WORD = regex.compile(r"\s?[^\s,;]*")
_LETTER = regex.compile(r"\((\p{L})\)|(?<![\p{L}\p{M}'’])([\p{L}--I])(?![\p{L}\p{M}'’])", regex.V1)
_PROSE = regex.compile(r"(?<!\\\p{L}*)\p{L}{3,}|\p{L}{2,}\s+\p{L}{2,}")
_EQUALS = regex.compile(r"(?<![<>!≤≥])=")
_LEADING = regex.compile(r"^(?:[\s:：=–—،,]|-\s|\*(?!\*))+")
_LINK_TRIES = 3


@dataclass(frozen=True, slots=True)
class Final:
    """A final answer, and where it was found."""

    answer: Answer
    place: Place


def final(text: str, language: str = "", kind: Kind | None = None) -> Final | None:
    """The final answer of a response, of this kind if one is given; ``None``: there is none."""
    text = text[-TAIL:]
    for place, pieces in _places(text, language, kind):
        for piece in islice(pieces, PIECES):
            found = (_all if place == "whole" else _in)(piece, language, kind)
            if found:
                return Final(found, place)
    return None


def reference(given: object, language: str = "") -> Answer | None:
    """What a reference says is right; ``None`` where it says nothing.

    A short text is the answer; a longer one, or one with a box or ``####``, holds it.
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        return answer(str(given))  # JSON's own way to write it
    if not isinstance(given, str):
        return None
    if len(given) <= SHORT and "boxed" not in given and "####" not in given:
        return answer(given, language)
    found = final(given, language)
    return found.answer if found else None


def final_like(text: str, language: str, due: Answer) -> Final | None:
    """The final answer of a response, of the reference's kind where there may be several."""
    if due.kind in ("choice", "words"):
        return final(text, language, due.kind)
    found = final(text, language)
    if found and found.answer.kind in ("choice", "words"):
        return final(text, language, "number") or found
    return found


def _places(text: str, language: str, kind: Kind | None) -> Iterator[tuple[Place, Iterator[str]]]:
    """Where to look, the surest place first."""
    yield "boxed", reversed(list(_boxes(text)))
    yield "cue", _announced(text, language)
    if len(text.strip()) <= SHORT:
        yield "whole", iter([text])
    if kind in (None, "number"):
        yield "number", _numbers(text)
    if kind in (None, "choice"):
        yield "choice", (m[0] for m in reversed(list(regex.finditer(r"\(\p{L}\)", text))))


def _in(piece: str, language: str, kind: Kind | None) -> Answer | None:
    """The answer that a piece of text is, or holds; the whole piece first."""
    for part in _parts(piece):
        found = _all(part, language, kind)
        if found and found.kind != "words":
            return found
    if kind == "words":
        return next(filter(None, (answer(part, language) for part in _parts(piece))), None)
    if kind in (None, "number"):
        for number in _numbers(piece, first=True):
            found = answer(number, language)
            if found and found.kind == "number":
                return found
    if kind in (None, "choice"):
        for letter in _LETTER.finditer(tidy(piece)):
            found = answer(f"({letter[1] or letter[2]})", language)
            if found and found.kind == "choice" and not (letter[2] or "").islower():
                return found
    return _worded(piece, language) if kind is None else None


def _all(piece: str, language: str, kind: Kind | None) -> Answer | None:
    """The answer that all of a piece is; words only where words are wanted."""
    found = answer(piece, language)
    if found is None or kind not in (None, found.kind) or (found.kind == "words" and not kind):
        return None
    return None if found.kind == "expression" and _PROSE.search(tidy(piece)) else found


def _worded(piece: str, language: str) -> Answer | None:
    """A piece that is nothing but a few words."""
    found = answer(_unlinked(piece), language) if len(piece) <= SHORT else None
    return found if found and found.kind == "words" else None


def _parts(piece: str) -> Iterator[str]:
    """Readings of a piece, the likeliest first: emphasised, one sentence, behind an equals sign."""
    piece = _unlinked(piece)
    for found in _EMPHASIS.finditer(piece):
        yield next(filter(None, found.groups()))
    sentence = _unlinked(_SENTENCE.split(piece, maxsplit=1)[0])
    sides = _EQUALS.split(sentence)
    if len(sides) > 1 and not _PROSE.search(sides[0]):
        yield sides[-1]
    yield sentence
    yield piece


def _unlinked(piece: str) -> str:
    """Without the words that only lead to the answer."""
    for _ in range(_LINK_TRIES):
        piece = _LEADING.sub("", piece).strip()
        lower = piece.casefold()
        for link in lists().links:
            rest = piece[len(link) :]
            if lower.startswith(link) and _apart(link, rest):
                piece = rest
                break
        else:
            break
    return piece


def _apart(link: str, rest: str) -> bool:
    return not rest[:1].isalpha() or _unspaced(link)


def _boxes(text: str) -> Iterator[str]:
    """What stands in boxes, in the order in which they close; one that never does is none."""
    opened = {found.end() - 1 for found in _BOX.finditer(text)}
    inside: list[int] = []
    for brace in _BRACE.finditer(text) if opened else ():
        if brace[0] == "{":
            inside.append(brace.start())
        elif inside:
            start = inside.pop()
            if start in opened and brace.start() - start <= LONGEST:
                yield text[start + 1 : brace.start()]


def _announced(text: str, language: str) -> Iterator[str]:
    """What follows the last announcements on their line, or on the next where nothing does."""
    for pattern in _cues(language.split("-")[0]):
        ends = [found.end() for found in pattern.finditer(text)]
        for end in reversed(ends[-3:]):
            lines = [line for line in text[end : end + 1000].split("\n") if line.strip(" *:：#_")]
            if lines:
                yield lines[0]


@lru_cache(maxsize=256)
def _cues(language: str) -> tuple[regex.Pattern[str], ...]:
    """The announcements of the language, then those of all others."""
    own, every = lists().cues.get(language, ()), sum(lists().cues.values(), ())
    return tuple(_pattern(("####", *cues)) for cues in (own, every) if cues)


def _pattern(cues: tuple[str, ...]) -> regex.Pattern[str]:
    longest = sorted(set(cues), key=len, reverse=True)
    return regex.compile("|".join(map(_whole, longest)), regex.IGNORECASE)


def _whole(cue: str) -> str:
    """A cue as whole words, where its script puts spaces between words."""
    escaped = regex.escape(cue)
    if not cue[0].isalpha() or _unspaced(cue):
        return escaped
    before = "" if regex.match(r"\p{Arabic}|\p{Hebrew}", cue) else r"(?<![\p{L}\p{M}])"
    return rf"{before}{escaped}(?![\p{{L}}\p{{M}}])"


def _unspaced(text: str) -> bool:
    return regex.search(rf"[{UNSPACED}\p{{Hangul}}]", text[:1], regex.V1) is not None


def _numbers(text: str, *, first: bool = False) -> Iterator[str]:
    """Each number with the words behind it, then bare; the last one first, or the first."""
    plain = tidy(text)
    found = list(_NUMBER.finditer(plain))
    for number in found if first else reversed(found):
        word = _WORD.match(plain, number.end())
        more = _WORD.match(plain, word.end()) if word else None
        for end in (more, word):
            if end is not None:
                yield plain[number.start() : end.end()]
        yield number[0]
