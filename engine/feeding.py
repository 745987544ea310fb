"""The sources of a job, bound: where seeds come from, and how many of each language there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.binding import Bound
from engine.core import JobError, Record
from engine.job import LANGUAGES, Job, SourcePart
from engine.kit import Source, Well
from engine.mixtures import exact, open_sizes
from engine.plan import Feed


def feed(job: Job, bound: Bound, part: SourcePart) -> Feed:
    """A source that needs nothing more to be read."""
    source: Source[Any] = bound.kind

    def read(round: int, start: int, kept: Callable[[str], Iterator[Record]]) -> Iterator[Record]:
        return source.read(Well(bound.params, part.name, round, str(job.file.seed), kept, start))

    return Feed(part.name, read, source.endless, part.weight)


def counted(job: Job, sources: Mapping[str, Bound], mix: Bound) -> Bound:
    """The plan of languages, with what the sources hold where the job leaves that open.

    Reads every source through, once at each start.

    Raises:
        JobError: a source never ends, or there is less than the job wants.
    """
    if not open_sizes(mix.params):
        return mix
    if endless := next((name for name, bound in sources.items() if bound.kind.endless), ""):
        why = f"the source {endless!r} never ends: say sizes, tag -> records there are"
        raise job.error((LANGUAGES,), why)
    feeds = (feed(job, sources[part.name], part) for part in job.sources)
    found = Counter(record.language for each in feeds for record in each.read(0, 0, _nothing))
    params = mix.params.model_copy(update={"sizes": dict(sorted(found.items()))})
    try:
        exact(params)
    except (JobError, ValueError) as error:
        raise job.error((LANGUAGES,), f"{error}; the sources hold {_listed(found)}") from error
    return replace(mix, params=params)


def _nothing(step: str) -> Iterator[Record]:
    """What is kept of a step before there is a run."""
    return iter(())


def _listed(found: Counter[str]) -> str:
    return ", ".join(f"{count:,} of {tag}" for tag, count in found.most_common(10)) or "nothing"
