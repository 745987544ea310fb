"""Seeds from a taxonomy: its leaves in the order of coverage, evenly or by weight.

Methods that start from no data start from coverage: what should the corpus be about? A seed
has no messages, only a topic: its path, and its names in the seed's language. The branches
alternate, and no leaf comes a second time before every other has come once, so that a run that
stops early has seen a little of everything; the job's seed decides which leaf of a branch is
first. A leaf with a larger weight comes more often only where ``draws`` are asked for.

Source: Li et al., "Synthetic Data (Almost) from Scratch: Generalized Instruction Tuning for
Language Models" (GLAN), 2024, arXiv:2402.13064, section 2.1 (a taxonomy as the only input).
Differs: the tree is the user's own file, with weights and with names in several languages; the
order is by quota (``engine.taxonomy.covering``), not by luck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from engine.core import Record
from engine.fields import Provenance, Tag
from engine.kit import Source, Well
from engine.taxonomy import covering, leaves, load, names, shipped


def _tree(path: Path, info: ValidationInfo) -> Path:
    base: Path = (info.context or {}).get("base", Path())
    found = (base / path.expanduser()).resolve()
    if not found.is_file():
        own = shipped(str(path)) if path.parent == Path() else None
        if own is None:
            raise ValueError(f"there is no taxonomy {path} (looked for {found})")
        return own
    return found


class Params(Provenance):
    """Which tree, and how many seeds."""

    path: Annotated[Path, AfterValidator(_tree)]
    """A file relative to the job file, or the name of one that comes with the engine."""
    language: Annotated[Tag, Field(min_length=1)]
    """BCP-47 tag of the seeds; topics carry their names in it."""
    per_leaf: int = Field(default=1, ge=1)
    """Seeds for each leaf."""
    draws: int = Field(default=0, ge=0)
    """Instead: that many seeds in all, shared out among the leaves by weight; 0: every leaf."""

    @field_validator("draws")
    @classmethod
    def _one_way(cls, draws: int, info: ValidationInfo) -> int:
        if draws and info.data.get("per_leaf", 1) > 1:
            raise ValueError("give per_leaf or draws, not both")
        return draws


def read(well: Well[Params]) -> Iterator[Record]:
    """One seed per leaf and take, or one per draw, in the order of coverage."""
    params, tree, takes = well.params, load(well.params.path), Counter[str]()
    order = covering(tree, well.random("order"), weighted=bool(params.draws))
    for topic in islice(order, params.draws or params.per_leaf * len(list(leaves(tree)))):
        take, named = takes[topic], names(tree, topic, params.language)
        takes[topic] += 1
        facts = {"topic": topic, "names": named, "take": take}
        yield Record(well.id(topic, take), params.language, (), facts | params.facts(well.name))


SOURCE = Source(read, Params)
