"""Fixed sets of demonstrations, shown in turn: for methods whose seeds never grow.

Each seed of this source is one draw with one set, in the set's own order. Languages come in turn,
and within a language its sets do, so that every set is shown as often as the others of its
language. What the job makes never joins a set: the variety has to come from sampling.

Source: Honovich, Scialom, Levy, Schick, "Unnatural Instructions: Tuning Language Models with
(Almost) No Human Labor", 2022, arXiv:2212.09689, section 2.1 (five sets of three).
Differs: sets in several languages; they take turns, where the paper does not say how they are
picked.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from pydantic import BaseModel, Field

from engine.core import JobError, Record
from engine.fields import Provenance, Tag
from engine.kit import InputPath, Source, Well
from engine.sources.pool import rows


class Params(Provenance):
    """Where the demonstrations are."""

    path: InputPath
    """JSON Lines, one demonstration a line: ``language``, ``set`` (its name or number),
    ``instruction``, ``input``, ``constraints`` and ``output``."""
    languages: list[Tag] = Field(default_factory=list)
    """BCP-47 tags of the languages to show; all of the file where empty."""
    demonstrations: int = Field(default=3, ge=1, le=20)
    """Demonstrations that a set must have."""


class Line(BaseModel):
    """A line of the file; fields it does not know are passed over."""

    language: str = Field(min_length=1)
    set: int | str
    instruction: str = Field(min_length=1)
    input: str = ""
    constraints: str = ""
    """What restricts the output; empty where nothing does."""
    output: str = ""


Sets = dict[str, dict[str, list[Line]]]
"""Language -> name of a set -> its demonstrations."""


def read(well: Well[Params]) -> Iterator[Record]:
    """Draws without end; draw ``n`` is the same at every start, in whatever round it is taken.

    Raises:
        JobError: a line is no demonstration, a set has too few or too many, or a language none.
    """
    params = well.params
    sets = _sets(params)
    languages = params.languages or list(sets)
    if not sets or (missing := sorted(set(languages) - set(sets))):
        lacking = f"in {', '.join(missing)}; it has {', '.join(sets)}" if sets else "at all"
        raise JobError(f"{params.path}: no demonstration {lacking}")
    origin = params.facts(well.name)
    for number in count(well.start):
        language = languages[number % len(languages)]
        turns = sorted(sets[language])
        name = turns[number // len(languages) % len(turns)]
        shown = [line.model_dump(exclude={"language", "set"}) for line in sets[language][name]]
        facts = {**origin, "demonstrations": shown, "set": name}
        yield Record(well.id(number), language, facts=facts)


def _sets(params: Params) -> Sets:
    sets: Sets = {}
    for _, line in rows(params.path, Line):
        sets.setdefault(line.language, {}).setdefault(str(line.set), []).append(line)
    wanted = params.demonstrations
    for language, named in sets.items():
        for name, lines in named.items():
            if len(lines) != wanted:
                said = f"set {name} in {language} has {len(lines)} demonstrations, not {wanted}"
                raise JobError(f"{params.path}: {said}")
    return sets


SOURCE = Source(read, Params, endless=True)
