"""Chains of tasks as text: the joiner between instructions, the labels above outputs.

What is written has one form; what is read may be of several: a label's spaces, case, width and
digits do not matter, so that ``Task2 output:`` is read as ``Task 2 output:``. Words are data, by
language (``taxonomies/chain_of_instructions.yaml``).

Source: Hayati et al., "Chain-of-Instructions: Compositional Instruction Tuning on Large Language
Models", 2024, arXiv:2402.11532 (a joiner between instructions, every stage's output listed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import regex
from pydantic import BaseModel

from engine.text.lengths import words
from engine.text.phrasebooks import entry_for, phrasebook

_SPACE = regex.compile(r"\s+")
_STOP = regex.compile(r"[\p{STerm}.,;，；]+$")
_SPLIT = regex.compile(r"(\{n\}|\{next\}|[\s/:：]+)")


class Words(BaseModel, extra="forbid", frozen=True):
    """One language's entry; the file says what each is."""

    joiner: str
    middle: str
    last: str


@lru_cache(maxsize=1)
def listed() -> Mapping[str, Words]:
    """Every language there is, by its tag."""
    return phrasebook("chain_of_instructions", Words)


def words_for(language: str) -> Words | None:
    """The words of a tag or of its base language; ``None``: not listed."""
    return entry_for(listed(), language)


def joined(tasks: Sequence[str], said: Words) -> str:
    """One instruction of them all; without full stops before, and capitals behind, a joiner."""
    bare = [_STOP.sub("", task.strip()).rstrip() for task in tasks[:-1]]
    whole = [*bare, *(task.strip() for task in tasks[-1:])]
    return said.joiner.join([*whole[:1], *map(_small, whole[1:])])


def joiners(text: str, said: Words) -> int:
    """How often the joiner stands in the text, whatever the case and the spaces."""
    return _plain(text).count(_plain(said.joiner))


def written(outputs: Sequence[str], said: Words) -> str:
    """The outputs below their labels, in the one form."""
    count = len(outputs)
    labels = [said.middle.format(n=n, next=n + 1) for n in range(1, count)]
    labels.append(said.last.format(n=count))
    pairs = zip(labels, outputs, strict=True) if outputs else ()
    return "\n\n".join(f"{label}\n{output.strip()}" for label, output in pairs)


def stages(text: str, said: Words) -> list[str]:
    """The output of each stage, in order; none where the labels do not count up from 1.

    A stage's text may be empty. What stands before the first label belongs to nothing.
    """
    found: list[str] = []
    at = 0
    for label in _labels(said).finditer(text):
        if int(label["number"]) != len(found) + 1:
            continue  # a line of an output that reads like a label
        if found:
            found[-1] = text[at : label.start()].strip()
        found.append("")
        at = label.end()
    if found:
        found[-1] = text[at:].strip()
    return found


def has_label(text: str, said: Words) -> bool:
    """Whether a line of the text reads like a label, so that it cannot stand below one."""
    return _labels(said).search(text) is not None


def label_like(output: str, most_words: int) -> bool:
    """Whether an output is so short (in words) that nothing can be done with it; blank is too."""
    return words(output) <= most_words


def _small(task: str) -> str:
    """The task without a capital at its start; one that has more of them stays (``DNA``)."""
    first, second = task[:1].lower(), task[1:2]
    plain = len(first) == 1 and second.islower() and task[:1] not in "Iİ"  # Turkic i is another
    return first + task[1:] if plain else task


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text.casefold())


@lru_cache(maxsize=64)
def _labels(said: Words) -> regex.Pattern[str]:
    """A label at the start of a line, of a middle stage or of the last; ``number`` is its own."""
    middle, last = (_pattern(form) for form in (said.middle, said.last))
    dress = r"[#*_>\s]*"
    return regex.compile(rf"(?im)^{dress}(?|{middle}|{last}){dress}[ \t]*\n?")


def _pattern(form: str) -> str:
    kinds = {"{n}": r"\s*(?P<number>\d{1,2})\s*", "{next}": r"\s*\d{1,2}\s*"}
    pieces = [piece for piece in _SPLIT.split(form) if piece]
    return "".join(kinds.get(piece) or _piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    bare = piece.strip()
    if bare in (":", "："):
        return r"\s*[:：]"
    return r"\s*/\s*" if bare == "/" else regex.escape(bare) if bare else r"\s*"
