"""Decontaminate: drop records that hold a benchmark's items.

A record that shares word n-grams with an item of a benchmark is measured by how much of the item
they cover, over all its turns together. With the defaults that is Tülu 3's rule: 8-grams, half
of an item. ``ngram: 13, coverage: 0`` is GPT-3's: a single 13-gram. N-grams are words where the
script has spaces and as many characters as carry as much where it has none. A translation hides
a leak; where a method keeps the English original in a fact, that fact is searched as well.

It decides on each record by itself, so it can stand where it saves most: before calls that cost.
Each process reads the benchmarks once, when the first record comes (some 15 s for 100,000 items).
Rephrased items are not found: of 164 that a model rephrased, 2 share a 13-gram with the original.

Source: Lambert et al., "Tülu 3: Pushing Frontiers in Open Language Model Post-Training", 2024,
arXiv:2411.15124, section 3.2; Brown et al., "Language Models are Few-Shot Learners", 2020,
arXiv:2005.14165, appendix C.
Differs: scripts without spaces; fields shorter than an n-gram are looked for as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, Field, field_validator

from engine.benchmarks import SUFFIXES, benchmark_files, items, texts_in
from engine.core import Finding, JobError, Record
from engine.kit import Filter, InputPath, Kit
from engine.text.leaks import Leaks
from engine.text.packed import Packed


class Loaded(NamedTuple):
    """The benchmarks, and the place of each item in them."""

    leaks: Leaks
    places: Packed


class Params(BaseModel, extra="forbid"):
    """Which benchmarks, and how much of one is too much."""

    against: InputPath
    """A benchmark file (``.jsonl``, ``.parquet``; ``.txt``: an item a line), or a folder."""
    fields: list[str] = Field(default_factory=list)
    """The fields that hold an item's text, each for itself, e.g. ``[question, answer]``; dotted
    where nested. Not for ``.txt``."""
    fields_of: dict[str, list[str]] = Field(default_factory=dict)
    """Fields of single files of the folder, by pattern, e.g. ``{"mmlu*": [question, choices]}``."""
    ngram: int = Field(default=8, ge=2, le=100)
    """Words in an n-gram: 8 for Tülu 3's rule, 13 for GPT-3's."""
    coverage: float = Field(default=0.5, ge=0, le=1)
    """Share (0..1) of an item from which a record is contaminated; 0: a single n-gram is enough."""
    shortest: int = Field(default=5, ge=2)
    """Fields of fewer words are not looked for: ``42`` stands in many records."""
    facts: list[str] = Field(default_factory=lambda: ["pivot"])
    """Facts whose text is searched as well as the turns, such as the English original."""

    @field_validator("against")
    @classmethod
    def _has_files(cls, path: Path) -> Path:
        if not benchmark_files(path):
            raise ValueError(f"{path} holds no benchmark: want {', '.join(SUFFIXES)}")
        return path

    @cached_property
    def loaded(self) -> Loaded:
        """The benchmarks, read when first asked for.

        Raises:
            JobError: a file cannot be read, or lacks the fields.
        """
        places = Packed()
        leaks = Leaks(self._read(places), self.ngram, self.shortest)
        if not leaks.known:
            raise JobError(f"{self.against}: no item is {self.shortest} words long")
        return Loaded(leaks, places)

    def _read(self, places: Packed) -> Iterator[str]:
        for file in benchmark_files(self.against):
            own = [self.fields_of[like] for like in self.fields_of if fnmatchcase(file.name, like)]
            fields = own[0] if own else self.fields
            if not fields and file.suffix.lower() != ".txt":
                raise JobError(f"{file}: which fields hold its text? say so in `fields`")
            for place, text in items(file, fields):
                places.append(place)
                yield text


def check(record: Record, kit: Kit[Params]) -> Finding:
    """Fail the record if enough of a benchmark's item is in it; say of which."""
    benchmarks = kit.params.loaded
    facts = [text for name in kit.params.facts for text in texts_in(record.facts.get(name))]
    leak = benchmarks.leaks.most([*(turn.content for turn in record.messages), *facts])
    if leak is None:
        return Finding(record, "pass")
    evidence = f"{leak.share:.0%} of {benchmarks.places[leak.item]}"
    if leak.share < kit.params.coverage:
        return Finding(record, "pass", evidence)
    return Finding(record, "fail", evidence, "contaminated")


FILTER = Filter(check, Params)
