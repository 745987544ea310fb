"""Which seeds a round takes from its sources, and in a job with quotas of languages, of which.

Sources come in an order of their own: all of German, then all of Basque. A job that wants so many
records of each language takes its seeds by language, as many as what is still lacking is likely to
need, none of a language that has enough; what a round leaves out is still there for a later one.
What a seed's language leads to is not guessed from the names of the parts: the ledger notes which
languages have come of which (a translator makes Basque of German). Of a language that nothing has
come of yet, a round takes its share, named by the job or not. Like all that rounds depend on, this
looks at past rounds alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from engine.core import Record
from engine.entries import Unit
from engine.plan import Feed

SPARE = 10
"""For so many seeds that are likely to be needed, one more is taken."""
OTHERS = ""
"""The bound of each language that the job does not name."""
MORE = 2
"""Seeds on top of that: where one is needed, one is often too few."""

Kept = Callable[[str], Iterator[Record]]
"""What earlier rounds kept at a step."""
Counts = Mapping[str, int]
Past = list[tuple[dict[str, Any], bool]]
"""As in ``engine.rounds``."""


def units(plan: Iterable[Feed], round: int, feeds: dict[str, Any], kept: Kept) -> Iterator[Unit]:
    """A round's seeds, the sources taking turns; notes in ``feeds`` what was there."""
    asked = [feed for feed in plan if feeds.get(feed.name, {}).get("count")]
    for feed in asked:
        feeds[feed.name].pop("languages", None)  # noted anew; of one that is not begun, nothing
    streams = {feed.name: _drawn(feed, round, feeds, kept) for feed in asked}
    pos = 0
    while streams:
        for name in list(streams):
            record = next(streams[name], None)
            if record is None:
                del streams[name]
                continue
            yield Unit(round, 0, pos, record, name)
            pos += 1


def _drawn(feed: Feed, round: int, feeds: dict[str, Any], kept: Kept) -> Iterator[Record]:
    want = feeds[feed.name]
    there = feed.read(round, want["start"], kept)
    if "most" in want:
        yield from _by_language(there, want)
        return
    number, skip = 0, 0 if feed.endless else want["start"]
    stop = None if want["count"] < 0 else skip + want["count"]
    for record in islice(there, skip, stop):
        number += 1
        yield record
    if want["count"] < 0 or number < want["count"]:
        want.update(count=number, spent=True)


def _by_language(there: Iterator[Record], want: dict[str, Any]) -> Iterator[Record]:
    """The next seeds of each language, at most so many; the source is read from its beginning."""
    left, most, took = Counter(want["before"]), want["most"], Counter[str]()
    want["languages"], held, number = took, False, 0
    for record in there:
        tag = record.language
        if left[tag]:
            left[tag] -= 1
        elif took[tag] >= (bound := most.get(tag, most[OTHERS])):
            held |= bound > 0
        else:
            took[tag] += 1
            number += 1
            yield record
            if number == want["count"]:
                return
    want.update(count=number, spent=not held)


def by_language(
    plan: Iterable[Feed], feeds: dict[str, Any], past: Past, most: Counts
) -> dict[str, Any]:
    """What a round takes, with its bounds by language for sources that end.

    One that never ends is not searched for a language that it may not have.
    """
    endless = {feed.name for feed in plan if feed.endless}
    every = sum(taken["count"] for taken in feeds.values())
    asked: dict[str, Any] = {}
    for name, taken in feeds.items():
        part = {tag: math.ceil(count * taken["count"] / every) for tag, count in most.items()}
        bounds = {"before": taken_before(past, name), "most": part}
        asked[name] = taken if name in endless else {**taken, **bounds}
    return asked


def taken_before(past: Past, *names: str) -> Counter[str]:
    """Tag -> seeds that past rounds took, from these sources or from all."""
    found = Counter[str]()
    for feeds, _ in past:
        for name in names or feeds:
            found.update(feeds.get(name, {}).get("languages", {}))
    return found


def bounds(
    quotas: Counts, accepted: Counts, ways: Iterable[tuple[str, str]], taken: Counts, size: int
) -> dict[str, int]:
    """Tag -> seeds of that language that a round takes at most; ``OTHERS`` for each not here.

    Args:
        quotas: tag -> records that are wanted in all; a tag that is not here is never wanted.
        accepted: tag -> records that have been kept.
        ways: (language of what went in, language of what came of it), at whatever step.
        taken: tag -> seeds so far.
        size: seeds of the round.
    """
    leads: dict[str, set[str]] = {}
    for before, after in ways:
        leads.setdefault(before, set()).add(after)
    lacking = {tag: max(0, wanted - accepted.get(tag, 0)) for tag, wanted in quotas.items()}
    every = max(1, sum(lacking.values()))
    found = {tag: math.ceil(size * need / every) for tag, need in lacking.items()}
    found[OTHERS] = math.ceil(size / (len(quotas) + 1))
    for tag in leads:
        ends = _reached(leads, tag)
        need, made = (sum(each.get(end, 0) for end in ends) for each in (lacking, accepted))
        likely = -(-need * taken.get(tag, 0) // max(1, made))
        found[tag] = likely + -(-likely // SPARE) + MORE if need else 0
    return dict(sorted(found.items()))


def _reached(leads: Mapping[str, set[str]], start: str) -> set[str]:
    """Every language that comes of one, at first or later."""
    found, ahead = set[str](), [start]
    while ahead:
        for tag in leads.get(ahead.pop(), ()):
            if tag not in found:
                found.add(tag)
                ahead.append(tag)
    return found
