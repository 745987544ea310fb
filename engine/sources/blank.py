"""Seeds with nothing in them but a language: for methods that make everything themselves.

There is no end to them; a job's target says how many are taken. Languages come in turn, each as
often as its weight says, so that no language waits for luck.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from engine.core import Record
from engine.fields import Provenance, tag
from engine.kit import Source, Well

Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _alike(given: object) -> object:
    """A list of tags, each with the same weight."""
    listed = isinstance(given, list) and all(isinstance(name, str) for name in given)
    return dict.fromkeys(given, 1.0) if listed else given  # type: ignore[call-overload]


class Params(Provenance):
    """Which languages, and how often each."""

    languages: Annotated[dict[str, Weight], BeforeValidator(_alike)] = Field(min_length=1)
    """BCP-47 tags of the seeds: a list, or a mapping ``tag: weight``; weights are relative."""

    @field_validator("languages")
    @classmethod
    def _tags(cls, given: dict[str, float]) -> dict[str, float]:
        return {tag(name): weight for name, weight in given.items()}


def read(well: Well[Params]) -> Iterator[Record]:
    """Seed ``n`` is the same at every start, in whatever round it is taken."""
    weights, facts = well.params.languages, well.params.facts(well.name)
    for number, language in islice(enumerate(_turns(weights)), well.start, None):
        yield Record(well.id(number), language, (), facts)


def _turns(weights: dict[str, float]) -> Iterator[str]:
    """The language that is furthest behind its share comes next."""
    behind, total = dict.fromkeys(weights, 0.0), sum(weights.values())
    while True:
        for language, weight in weights.items():
            behind[language] += weight / total
        turn = max(behind, key=behind.__getitem__)
        behind[turn] -= 1
        yield turn


SOURCE = Source(read, Params, endless=True)
