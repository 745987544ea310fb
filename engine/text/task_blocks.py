"""Tasks in blocks, each an instruction, an input and an output under labels of their own.

Writing is exact; reading is lenient, because numbers drift: a label may carry any number, in any
digits, before or behind it, or none, and any dress (``**4. Input:**``, ``### Input 4:``). Where
the numbered labels of a kind exist, those without a number are text: an output may well hold a
line ``Input: 3``. A block has each of its three labels once, in their order; all else is
``malformed``. What stands before the first block (a greeting) belongs to nothing. The prompt
leaves the first instruction open, so that the first label of a reply may be an input's.

The words of labels are data, ``taxonomies/alpaca.yaml``; the English ones count everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

import regex

from engine.core import Json
from engine.text.leftovers import unwrapped
from engine.text.phrases import folded, matcher, phrase_lists, phrases_for

Kind = Literal["instruction", "input", "output"]
KINDS: tuple[Kind, ...] = ("instruction", "input", "output")
NO_INPUT = "<noinput>"
"""The literal marker of a task that needs no input."""
MARK = "###"
"""The line between two blocks."""

_LISTS = "alpaca.yaml"
_DRESS = r"[ \t#>*_•-]{0,12}+"
_NUMBER = r"\(?(?P<number>\d{1,3})[ \t]?(?:\\?[.):、．。：])?"
_BARE = regex.compile(r"^[ \t]*#{3,}[ \t]*(?:\d{1,3}[.):]?)?[ \t]*$", regex.M)
_COUNT = regex.compile(rf"^{_DRESS}{_NUMBER}[*_]{{0,3}}[ \t]*")


@dataclass(frozen=True, slots=True)
class Block:
    """A task as a model wrote it; ``input`` is empty where it needs none."""

    instruction: str = ""
    input: str = ""
    output: str = ""
    fault: str = ""
    """Why it cannot be used, as the reason of a drop: malformed_block, truncated, empty_output."""
    text: str = ""
    """The block as it stood in the reply."""


class _Label(NamedTuple):
    start: int
    end: int
    kind: Kind
    numbered: bool


def labels(number: int) -> list[str]:
    """The three labels of a block with this number, as they are shown and asked for."""
    return [f"{number}. {kind.capitalize()}:" for kind in KINDS]


def blocks(tasks: Sequence[Mapping[str, Json]]) -> str:
    """Tasks as numbered blocks; without an input they have the marker in its place."""
    written = []
    for number, task in enumerate(tasks, start=1):
        first, second, third = labels(number)
        asked = " ".join(str(task["instruction"]).split()).rstrip(":：").rstrip()
        given = str(task.get("input") or "").strip() or NO_INPUT
        said = str(task.get("output") or "").strip()
        written.append(f"{MARK}\n{first} {asked}\n{second}\n{given}\n{third}\n{said}")
    return "\n".join(written)


def read_blocks(reply: str, language: str, *, truncated: bool = False) -> list[Block]:
    """The blocks of a reply in order, those that cannot be used with their fault.

    Where the token limit cut the reply, the last block is lost, and no other.
    """
    text = unwrapped(reply)
    found = [_block(piece, inside, language) for piece, inside in _pieces(text, language)]
    if truncated and found:
        found[-1] = replace(found[-1], fault="truncated")
    return found


def is_no_input(text: str, language: str) -> bool:
    """Whether ``text`` is the marker, a variant of it, or says in words that there is no input."""
    lists = phrase_lists(_LISTS)
    words = (*phrases_for(lists, "no_input", language), *phrases_for(lists, "no_input", "en"))
    told = folded(text)
    return not text.strip(" \t\r\n-–—.") or bool(matcher(words).fullmatch(told, 1))


def _pieces(text: str, language: str) -> Iterator[tuple[str, list[_Label]]]:
    """Each block's text with the labels in it, their places counted from its start."""
    found = _labels(text, language)
    numbered = {label.kind for label in found if label.numbered}
    found = [label for label in found if label.numbered or label.kind not in numbered]
    cuts = {0, len(text)} | {match.end() for match in _BARE.finditer(text)}
    cuts |= {label.start for label in found if label.kind == "instruction"}
    for start, end in pairwise(sorted(cuts)):
        inside = [
            label._replace(start=label.start - start, end=label.end - start)
            for label in found
            if start <= label.start < end
        ]
        if inside or (start and _COUNT.match(_BARE.sub("", text[start:end]).strip())):
            yield _BARE.sub("", text[start:end]), inside


def _block(text: str, found: list[_Label], language: str) -> Block:
    if not found:
        return Block(fault="malformed_block", text=text.strip())
    kinds = tuple(label.kind for label in found)
    ends = [*(label.start for label in found[1:]), len(text)]
    parts = [text[label.end : end].strip() for label, end in zip(found, ends, strict=True)]
    if kinds == KINDS[1:] and (asked := _COUNT.sub("", text[: found[0].start].strip())):
        kinds, parts = KINDS, [asked, *parts]
    if kinds != KINDS or not parts[0]:
        return Block(fault="malformed_block", text=text.strip())
    task, given, said = parts
    given = "" if is_no_input(given, language) else given
    fault = "" if said else "empty_output"
    return Block(" ".join(unwrapped(task).split()), given, said, fault, text.strip())


def _labels(text: str, language: str) -> list[_Label]:
    return [
        _Label(match.start(), match.end(), _kind(match), bool(match["number"]))
        for match in _label(language).finditer(text)
    ]


def _kind(match: regex.Match[str]) -> Kind:
    return next(kind for kind in KINDS if match[kind])


@lru_cache(maxsize=256)
def _label(language: str) -> regex.Pattern[str]:
    lists = phrase_lists(_LISTS)
    kinds = "|".join(
        f"(?P<{kind}>{'|'.join(map(regex.escape, _words(lists, kind, language)))})"
        for kind in KINDS
    )
    return regex.compile(
        rf"^{_DRESS}(?:{_NUMBER})?{_DRESS}(?:{kinds})"
        rf"(?:[ \t]?(?P<number>\d{{1,3}}))?[*_]{{0,3}}[ \t]?[:：][*_]{{0,3}}",
        regex.M | regex.I,
    )


def _words(lists: Mapping[str, Mapping[str, tuple[str, ...]]], kind: Kind, tag: str) -> list[str]:
    both = (*phrases_for(lists, kind, tag), *phrases_for(lists, kind, "en"))
    return sorted(dict.fromkeys(both), key=len, reverse=True)
