"""Seeds from texts that are translations of each other: one aligned piece in one direction each.

Texts are aligned by line, as bitexts are; by the numbers that their articles or verses have, in any
script, which needs no aligner and finds 30 articles in 316 of 388 declarations of human rights; or
whole. Of n languages every ordered pair is a direction, unless one has to be on a side. Directions
take turns, so wherever a job stops none is ahead of another by more than one piece. A piece that
is blank on a side is skipped but counted: ``number`` is its place in the bitext, which a loader of
the same two files gives it too.

Source: Zhu et al., "Extrapolating Large Language Models to Non-English by Aligning Languages"
(x-LLaMA), 2023, arXiv:2308.04948, section 3 (bitext, blank lines skipped); Ranaldi et al.,
"Empowering Cross-lingual Abilities of Instruction-tuned Large Language Models by
Translation-following demonstrations" (CrossAlpaca), 2023, arXiv:2308.14186 (both directions).
Differs: any number of languages; also texts that are aligned by the numbers of their parts only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Literal

from pydantic import Field, model_validator

from engine.core import JobError, Json, Record
from engine.fields import Tag
from engine.kit import Source, Well
from engine.sources import documents
from engine.text.numbered_parts import numbered_parts

Pieces = Mapping[int, str]
"""Number of a line or part -> its text."""
Direction = tuple[str, str]
"""From which language into which."""


class Params(documents.Params):
    """Where the texts are (as for ``documents``), and what is taken from them.

    With ``language_from: stem`` each file is one language of the same text (``en.txt``,
    ``sw.txt``); with ``folder``, files of the same name below the folders of languages belong
    together.
    """

    language_from: Literal["folder", "stem"] = "stem"
    """Whether the first folder below ``path`` is a text's language, or its file's name."""
    by: Literal["lines", "numbers", "documents"] = "lines"
    """What is aligned: line by line; part by part, by the numbers in their headings; or whole."""
    through: list[Tag] = Field(default_factory=list)
    """BCP-47 tags of languages of which one is on a side of every pair; empty: all pairs."""
    directions: Literal["both", "turns", "from", "to"] = "both"
    """``both``: each piece both ways; ``turns``: one way and the other by turns; ``from`` a
    language of ``through`` only, or ``to`` one."""
    most: int | None = Field(default=None, ge=1)
    """Pieces of each direction, at most."""

    @model_validator(mode="after")
    def _one_sided(self) -> Params:
        if self.directions in ("from", "to") and not self.through:
            raise ValueError(f"directions: {self.directions} needs `through`: which language?")
        if self.split != "none":
            raise ValueError("split does not go with aligned texts: leave it out")
        return self


def read(well: Well[Params]) -> Iterator[Record]:
    """The pieces in the order of their numbers, each in every direction; text by text.

    Raises:
        JobError: no two texts belong together, or their lines are not equally many.
    """
    params, facts = well.params, well.params.facts(well.name)
    for name, versions in _texts(params).items():
        pairs = _pairs(versions, params)
        taken: dict[Direction, int] = defaultdict(int)
        for at, number in enumerate(sorted({n for pieces in versions.values() for n in pieces})):
            for one, other in pairs:
                for source, target in _ways(one, other, taken, params):
                    said = versions[source].get(number, ""), versions[target].get(number, "")
                    full = params.most and taken[source, target] >= params.most
                    if full or not all(said):
                        continue
                    taken[source, target] += 1
                    sides = {"source_language": source, "target_language": target}
                    sides |= {"source_text": said[0], "target_text": said[1]}
                    place: dict[str, Json] = {"number": at, "piece": f"{name}#{number}"}
                    id_ = well.id(name, number, source, target, *said)
                    yield Record(id_, target, (), facts | sides | place)


def _texts(params: Params) -> dict[str, dict[str, Pieces]]:
    """Text -> language -> its pieces; texts in one language only are left out."""
    found = defaultdict[str, dict[str, Pieces]](dict)
    for path, text, language in documents.texts(params):
        name = path.partition("/")[2] if params.language_from == "folder" else ""
        if language in found[name]:
            where = f"{params.path}: {path}: a second text in {language}"
            raise JobError(f"{where}; give each language a folder, or narrow `glob`")
        found[name][language] = _pieces(text, params.by)
    texts = {name: {tag: p for tag, p in v.items() if any(p.values())} for name, v in found.items()}
    texts = {name: versions for name, versions in texts.items() if _pairs(versions, params)}
    if not texts:
        raise JobError(f"{params.path}: no two texts that are versions of each other")
    return texts


def _pieces(text: str, by: str) -> Pieces:
    if by == "numbers":
        return numbered_parts(text)
    lines = text.removesuffix("\n").split("\n") if by == "lines" else [text]
    return {number: line.strip() for number, line in enumerate(lines, 1)}


def _pairs(versions: Mapping[str, Pieces], params: Params) -> list[Direction]:
    """Every two languages, the one of ``through`` first."""
    pairs = []
    for one, other in combinations(sorted(versions), 2):
        if params.through and one not in params.through:
            one, other = other, one
        if not params.through or one in params.through:
            pairs.append((one, other))
    sizes = {tag: len(versions[tag]) for pair in pairs for tag in pair}
    if params.by == "lines" and len(set(sizes.values())) > 1:
        said = ", ".join(f"{tag}: {size}" for tag, size in sizes.items())
        raise JobError(f"{params.path}: lines are not aligned, as there are not as many: {said}")
    return pairs


def _ways(one: str, other: str, taken: Mapping[Direction, int], params: Params) -> list[Direction]:
    """The directions in which this piece of a pair goes; ``one`` is of ``through``."""
    there, back = (one, other), (other, one)
    behind = back if taken.get(back, 0) < taken.get(there, 0) else there
    among = {"both": [there, back], "from": [there], "to": [back], "turns": [behind]}
    ways = among[params.directions]
    within = set(params.through) >= {one, other}  # then either side is one of ``through``
    return [there, back] if within and params.directions in ("from", "to") else ways


SOURCE = Source(read, Params)
