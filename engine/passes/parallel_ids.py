"""Keep what every language has: the same set of ids in each, and each id once.

A parallel corpus is one whose languages can be compared line by line, so a record that failed in
one language goes in all. Which languages there have to be is the job's to say: a language in which
everything failed would otherwise not be missed.

All descendants of a seed come in one round, so earlier rounds are not looked at.

Source: Li et al., "Bactrian-X: Multilingual Replicable Instruction-Following Models with Low-Rank
Adaptation", 2023, arXiv:2305.15011 (one id for a prompt in all 52 languages).
Differs: it is enforced, and not only by construction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, Field, field_validator

from engine.core import Drop, Outcome, Record
from engine.fields import tag
from engine.kit import Desk, Pass
from engine.spool import Spool


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    languages: list[str] = Field(min_length=1)
    """BCP-47 tags of the languages that each id must be there in."""
    key: str = "parallel_id"
    """The fact that is the same in all languages."""

    @field_validator("languages")
    @classmethod
    def _tags(cls, languages: list[str]) -> list[str]:
        return [tag(each) for each in languages]


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every record whose id is there in all languages; of two in one language the first."""
    wanted, key = desk.params.languages, desk.params.key
    found: defaultdict[str, set[str]] = defaultdict(set)
    with Spool[Record]() as waiting:
        for record in fresh:
            name = str(record.facts.get(key) or "")
            if not name:
                yield Drop(record, "no_parallel_id", f"it has no fact {key!r}")
            elif record.language in found[name]:
                yield Drop(record, "twice_in_a_language", f"{name} in {record.language}")
            else:
                found[name].add(record.language)
                waiting.put(record)
        for record in waiting:
            missing = [each for each in wanted if each not in found[str(record.facts[key])]]
            told = f"missing in {', '.join(missing)}"
            yield Drop(record, "not_in_every_language", told) if missing else record


PASS = Pass(settle, Params)
