"""Merge the spellings of a tag, so that a long tail is one of meanings and not of endings.

Tags that models make up differ in nothing but an ending: ``algorithm`` and ``algorithms``,
``analysis`` and ``analyses``. Two tags are one where they have equally many words, and each word
is the same or differs in its last ``ending`` letters behind a common beginning of four or more
(so that with digits, and in scripts of single characters, only equal tags are one). The spelling
that most records have stands for all, of equals the first in order; what earlier rounds kept has
decided already.
Nothing is dropped. It knows no meanings: ``car`` and ``automobile`` stay two.

Source: Lu et al., "#InsTag: Instruction Tagging for Analyzing Supervised Fine-tuning of Large
Language Models", 2023, arXiv:2308.07074, section 3 (normalising open-ended tags); Du et al.,
"Scaling Towards the Information Boundary of Instruction Set", 2025, arXiv:2507.06968.
Differs: by letters alone, without embeddings and association rules; rare tags are not thrown
away, since they are what is looked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from pydantic import BaseModel, Field

from engine.core import Outcome, Record
from engine.kit import Desk, Pass
from engine.selecting import value_at
from engine.spool import Spool
from engine.text.tokens import tokens

STEM = 4
"""Letters that two spellings of a word begin with, at least."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    ending: int = Field(default=2, ge=0, le=4)
    """Letters at the end of a word, of either spelling, that may differ; 0: none."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Give every record the commonest spelling of its tags; see the module."""
    before, now = Counter[str](), Counter[str]()
    for record in kept:
        before.update(_tags(record))
    with Spool[Record]() as spool:
        for record in fresh:
            now.update(_tags(record))
            spool.put(record)
        said = _spellings([*_ranked(before), *_ranked(now)], desk.params.ending)
        for record in spool:
            tags = list(dict.fromkeys(said[tag] for tag in _tags(record)))
            label = {**(record.facts.get("label") or {}), "tags": tags}
            yield record.with_facts(label=label) if tags else record


def _tags(record: Record) -> list[str]:
    found = value_at(record.facts, "label.tags")
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def _ranked(counts: Counter[str]) -> list[str]:
    """From the commonest to the rarest; equals by their letters, whatever the order they came."""
    return sorted(counts, key=lambda tag: (-counts[tag], tag))


def _spellings(ranked: Iterable[str], ending: int) -> dict[str, str]:
    """For each tag the first in the order that is the same."""
    shelves: defaultdict[tuple[str, ...], list[tuple[list[str], str]]] = defaultdict(list)
    said: dict[str, str] = {}
    for tag in dict.fromkeys(ranked):
        found = tokens(tag)
        shelf = shelves[tuple(word[:STEM] for word in found)]
        same = (other for words, other in shelf if _alike(found, words, ending))
        said[tag] = next(same, tag)
        if said[tag] == tag:
            shelf.append((found, tag))
    return said


def _alike(one: Sequence[str], other: Sequence[str], ending: int) -> bool:
    return bool(one) and all(map(lambda a, b: _same(a, b, ending), one, other))


def _same(one: str, other: str, ending: int) -> bool:
    decides = max(STEM, max(len(one), len(other)) - ending)
    inflected = one[:decides] == other[:decides] and (one + other).isalpha()
    return one == other or inflected


PASS = Pass(settle, Params)
