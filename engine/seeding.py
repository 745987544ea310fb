"""Which seeds a round takes from its sources, and which it passes over because nobody wants them.

A job that wants so many records of each language has no use for one more seed of a language that
has them all. What a seed's language leads to is not guessed from the names of the parts: the ledger
notes which languages have come of which (a translator makes Basque of German), and a seed is passed
over where everything that its language has led to so far is full. A language that nothing has come
of yet is always tried. Like all that rounds depend on, this looks at past rounds alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from engine.core import Record
from engine.entries import Unit
from engine.plan import Feed

Kept = Callable[[str], Iterator[Record]]
"""What earlier rounds kept at a step."""


def units(plan: Iterable[Feed], round: int, feeds: dict[str, Any], kept: Kept) -> Iterator[Unit]:
    """A round's seeds, the sources taking turns; notes in ``feeds`` what was there."""
    streams = {feed.name: _drawn(feed, round, feeds, kept) for feed in plan if feed.name in feeds}
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
    """As many seeds as are wanted; those of languages in ``over`` are read and passed over."""
    want = feeds[feed.name]
    over, skip = frozenset(want.get("over", ())), 0 if feed.endless else want["start"]
    there = islice(feed.read(round, want["start"], kept), skip, None)
    number, want["passed"] = 0, 0
    while number != want["count"]:
        record = next(there, None)
        if record is None:
            want.update(count=number, spent=True)
            return
        if record.language in over:
            want["passed"] += 1
            continue
        number += 1
        yield record


def unwanted(
    quotas: Mapping[str, int], accepted: Mapping[str, int], ways: Iterable[tuple[str, str]]
) -> list[str]:
    """The languages of seeds of which nothing more is needed, sorted.

    Args:
        quotas: tag -> records that are wanted in all; a tag that is not here is never wanted.
        accepted: tag -> records that have been kept.
        ways: (language of what went in, language of what came of it), at whatever step.
    """
    leads: dict[str, set[str]] = {}
    for before, after in ways:
        leads.setdefault(before, set()).add(after)
    lacking = {tag for tag, wanted in quotas.items() if accepted.get(tag, 0) < wanted}
    return sorted(tag for tag in leads if lacking.isdisjoint(_reached(leads, tag)))


def without(over: list[str], plan: Iterable[Feed], feeds: dict[str, Any]) -> dict[str, Any]:
    """What a round takes, and what it passes over of sources that end.

    One that never ends is not searched for a language that it may not have.
    """
    endless = {feed.name for feed in plan if feed.endless}
    return {
        name: taken if name in endless else {**taken, "over": over} for name, taken in feeds.items()
    }


def _reached(leads: Mapping[str, set[str]], start: str) -> set[str]:
    """Every language that comes of one, at first or later."""
    found, ahead = set[str](), [start]
    while ahead:
        for tag in leads.get(ahead.pop(), ()):
            if tag not in found:
                found.add(tag)
                ahead.append(tag)
    return found
