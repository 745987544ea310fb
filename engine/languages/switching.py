"""Code-switching: pieces of a text swapped for their translations, and swapped back.

A chance is a place in the text with what may stand there instead. Each is taken with the same
probability, independently, so that over many texts the share of swaps is that probability. Every
swap is written down with its place in the new text and what stood there: ``restored`` gives the
text back letter by letter.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import regex

from engine.languages.masking import SENTINEL, mask
from engine.text.tokens import UNSPACED
from engine.text.wording import capitalised

LONGEST = 6
"""Tokens of an entry of a lexicon, at most; longer ones are never found."""
NOUNS_CAPITALISED = frozenset({"de", "lb", "bar", "gsw", "nds"})
"""Languages in which a capital within a sentence does not make a name."""

_TOKEN = regex.compile(
    rf"[{UNSPACED}&&\p{{L}}]\p{{M}}*|[\p{{L}}\p{{M}}\p{{N}}--[{UNSPACED}]]+(?:['’ʼ-][\p{{L}}\p{{M}}]+)*",
    regex.V1,
)
_BEGINS = regex.compile(r"(?:^|[.!?:;…।。！？\n]['\"”’»)\]]*\s*|^[\s\p{P}]+)\Z", regex.M)


@dataclass(frozen=True, slots=True)
class Chance:
    """A place in a text, and what may stand there instead."""

    start: int
    end: int
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Swap:
    """A place in the new text, and what stood there in the old one."""

    start: int
    end: int
    original: str


def switched(
    text: str, chances: Sequence[Chance], rate: float, draw: random.Random
) -> tuple[str, list[Swap]]:
    """The text with each chance taken with probability ``rate``, and what was swapped.

    Chances are in order and do not overlap; of several options one is drawn, all alike likely.
    """
    pieces: list[str] = []
    swaps, done, length = [], 0, 0
    for chance in chances:
        if draw.random() >= rate:
            continue
        before, said = text[done : chance.start], draw.choice(chance.options)
        pieces += [before, said]
        start = length + len(before)
        length = start + len(said)
        swaps.append(Swap(start, length, text[chance.start : chance.end]))
        done = chance.end
    return "".join([*pieces, text[done:]]), swaps


def restored(text: str, swaps: Iterable[Swap]) -> str:
    """What the text was before."""
    pieces, done = [], 0
    for swap in swaps:
        pieces += [text[done : swap.start], swap.original]
        done = swap.end
    return "".join([*pieces, text[done:]])


def in_lexicon(
    text: str,
    lexicon: Mapping[str, tuple[str, ...]],
    pair: tuple[str, str],
    kept: Iterable[str] = (),
) -> list[Chance]:
    """The words and phrases of a text that a lexicon knows, longest first, left to right.

    Never one that translation masks (code, formulas, addresses, tags, ``kept``), one with a digit,
    nor a name: a word with a capital within a sentence, or capitals only. ``pair`` are the tags of
    the text's language and of the lexicon's other one.
    """
    found: list[Chance] = []
    for begin, end in _open(text, kept):
        tokens = [match.span() for match in _TOKEN.finditer(text, begin, end)]
        at = 0
        while at < len(tokens):
            size = _longest(text, tokens, at, lexicon)
            place = tokens[at][0], tokens[at + max(size, 1) - 1][1]
            if size and not _is_kept(text, *place, pair[0]):
                options, capital = lexicon[folded(text[slice(*place)])], text[place[0]].isupper()
                said = (capitalised(each, pair[1]) if capital else each for each in options)
                found.append(Chance(*place, tuple(said)))
            at += size or 1
    return found


def in_segments(text: str, segments: Iterable[tuple[str, str]]) -> list[Chance] | None:
    """Aligned segments at their places, in order; ``None`` where one is not in the text."""
    found, at = [], 0
    for said, translated in segments:
        start = text.find(said, at) if said.strip() else -1
        if start < 0:
            return None
        at = start + len(said)
        found.append(Chance(start, at, (translated,)))
    return found


def folded(text: str) -> str:
    """A word or phrase as a lexicon lists it: one case, one space, one apostrophe."""
    return " ".join(text.casefold().replace("’", "'").replace("ʼ", "'").split())


def _open(text: str, kept: Iterable[str]) -> list[tuple[int, int]]:
    """The stretches of a text between the pieces that are masked."""
    masked = mask(text, tuple(kept))
    stretches, at, done = [], 0, 0
    for number, sentinel in enumerate(SENTINEL.finditer(masked.text)):
        plain = sentinel.start() - done
        stretches.append((at, at + plain))
        at += plain + len(masked.kept[number].text)
        done = sentinel.end()
    return [*stretches, (at, len(text))]


def _longest(
    text: str, tokens: Sequence[tuple[int, int]], at: int, lexicon: Mapping[str, tuple[str, ...]]
) -> int:
    """How many tokens the longest entry at this place has; 0: there is none."""
    for size in range(min(LONGEST, len(tokens) - at), 0, -1):
        if folded(text[tokens[at][0] : tokens[at + size - 1][1]]) in lexicon:
            return size
    return 0


def _is_kept(text: str, start: int, end: int, language: str) -> bool:
    """Whether this is a number or a name."""
    written = text[start:end]
    if any(sign.isnumeric() and not sign.isalpha() for sign in written):
        return True
    if len(written) > 1 and written.isupper():
        return True
    capital = written[:1].isupper() and language.split("-")[0] not in NOUNS_CAPITALISED
    return capital and not _BEGINS.search(text[max(0, start - 40) : start])
