"""Which seeds a round takes, by language where a job wants so many records of each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from engine.core import Record
from engine.plan import Feed
from engine.seeding import MORE, OTHERS, Kept, bounds, by_language, taken_before, units

LANGUAGES = ("de", "de", "en", "eu", "de", "eu", "en", "eu", "de", "eu")


def read(round: int, start: int, kept: Kept) -> Iterator[Record]:
    return (Record(str(n), tag, ()) for n, tag in enumerate(LANGUAGES))


SOURCE = Feed("texts", read)


def nothing(step: str) -> Iterator[Record]:
    return iter(())


def wanted(count: int, most: dict[str, int], **before: int) -> dict[str, Any]:
    return {"start": 0, "count": count, "before": before, "most": {OTHERS: 9, **most}}


def taken(want: dict[str, Any], most: int | None = None) -> list[str]:
    there = units([SOURCE], 0, {"texts": want}, nothing)
    return [unit.record.id for unit in islice(there, most)]


def test_a_round_takes_so_many_of_each_language() -> None:
    want = wanted(9, {"de": 1, "eu": 2})
    assert taken(want) == ["0", "2", "3", "5", "6"]
    assert want["languages"] == {"de": 1, "eu": 2, "en": 2}
    assert want["count"] == 5 and not want["spent"], "German and Basque are left for later"


def test_the_next_round_takes_the_next_of_each_language() -> None:
    assert taken(wanted(3, {"de": 1, "eu": 9}, de=1, eu=2, en=2)) == ["1", "7", "9"]


def test_a_round_that_has_its_seeds_reads_no_further_and_is_the_same_at_every_start() -> None:
    want = wanted(3, {"de": 1})
    for _ in range(2):
        assert taken(want) == ["0", "2", "3"] and "spent" not in want
        assert want["languages"] == {"de": 1, "en": 1, "eu": 1}


def test_a_source_whose_rest_nobody_wants_is_spent() -> None:
    want = wanted(9, {"de": 0, "en": 0, "eu": 8})
    assert taken(want) == ["3", "5", "7", "9"] and want["spent"]
    want = wanted(9, {"de": 0, "en": 0, "eu": 0})
    assert taken(want) == [] and want["spent"] and want["count"] == 0


def test_a_round_that_closes_early_has_taken_what_it_has() -> None:
    want = wanted(9, {"de": 0})
    assert taken(want, 2) == ["2", "3"] and want["languages"] == {"en": 1, "eu": 1}
    assert taken({**want, "count": 0}) == [], "or nothing"


def test_a_source_that_a_round_closed_before_has_given_nothing() -> None:
    """Its seeds were read ahead, noted, and not taken: the next round has to find them."""
    feeds = {"texts": wanted(5, {}), "more": wanted(5, {})}
    plan = (SOURCE, Feed("more", read))
    assert len(list(units(plan, 0, feeds, nothing))) == 10
    assert sum(feeds["more"]["languages"].values()) == 5
    asked = {name: {**taken, "spent": False} for name, taken in feeds.items()}
    assert [unit.entry for unit in islice(units(plan, 0, asked, nothing), 1)] == ["texts"]
    assert taken_before([(asked, True)], "more") == {}


def test_what_was_taken_is_counted_by_source() -> None:
    past = [
        ({"texts": {"languages": {"de": 2}}, "topics": {"count": 3}}, True),
        ({"texts": {"languages": {"de": 1, "eu": 1}}, "more": {"languages": {"eu": 5}}}, True),
    ]
    assert taken_before(past, "texts") == {"de": 3, "eu": 1}
    assert taken_before(past) == {"de": 3, "eu": 6}
    asked = {"texts": {"count": 30}, "topics": {"count": 10}}
    plan = (SOURCE, Feed("topics", read, endless=True))
    found = by_language(plan, asked, past, {"de": 3})
    assert found["texts"] == {"count": 30, "before": {"de": 3, "eu": 1}, "most": {"de": 3}}
    assert found["topics"] == {"count": 10}, "a source that never ends is not searched"


def test_sources_share_a_bound_by_what_they_are_asked_for() -> None:
    plan = (SOURCE, Feed("more", read))
    found = by_language(plan, {"texts": {"count": 3}, "more": {"count": 1}}, [], {"eu": 8, "de": 0})
    assert [found[name]["most"] for name in found] == [{"eu": 6, "de": 0}, {"eu": 2, "de": 0}]


QUOTAS = {"eu": 60, "sw": 20}


def test_the_first_round_is_shared_by_the_quotas() -> None:
    assert bounds(QUOTAS, {}, [], {}, 20) == {"eu": 15, "sw": 5, OTHERS: 7}


def test_later_ones_go_by_what_is_lacking_and_how_many_seeds_a_record_took() -> None:
    ways = [("eu", "eu"), ("sw", "sw"), ("en", "en")]
    have, seeds = {"eu": 10, "sw": 20}, {"eu": 20, "sw": 20, "en": 3}
    most = bounds(QUOTAS, have, ways, seeds, 90)
    assert most == {"en": 0, "eu": 110 + MORE, "sw": 0, OTHERS: 30}


def test_a_language_counts_for_all_that_it_leads_to_at_first_or_later() -> None:
    ways = [("de", "en"), ("en", "eu"), ("eu", "en"), ("sw", "sw")]
    most = bounds(QUOTAS, {"eu": 30, "sw": 20}, ways, {"de": 10}, 90)
    assert most == {"de": 11 + MORE, "en": MORE, "eu": MORE, "sw": 0, OTHERS: 30}
    assert bounds(QUOTAS, {"eu": 60, "sw": 19}, ways, {"de": 10}, 90)["de"] == 0


def test_languages_that_nobody_wants_are_tried_until_something_has_come_of_them() -> None:
    assert "de" not in bounds(QUOTAS, {}, [("eu", "eu")], {"de": 5}, 20)
    assert bounds(QUOTAS, {}, [("de", "de")], {"de": 5}, 20)["de"] == 0
    want = wanted(9, {OTHERS: 1, "eu": 2})
    assert taken(want) == ["0", "2", "3", "5"] and not want["spent"]
