"""Which seeds a round takes, and which it passes over."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from engine.core import Record
from engine.plan import Feed, Plan
from engine.rounds import feeds
from engine.seeding import Kept, units, unwanted, without

LANGUAGES = ("de", "de", "en", "eu", "de", "eu", "en", "eu", "de", "eu")


def read(round: int, start: int, kept: Kept) -> Iterator[Record]:
    return (Record(str(n), tag, ()) for n, tag in enumerate(LANGUAGES))


SOURCE = Feed("texts", read)


def nothing(step: str) -> Iterator[Record]:
    return iter(())


def taken(want: dict[str, Any], most: int | None = None) -> list[str]:
    there = units([SOURCE], 0, {"texts": want}, nothing)
    return [unit.record.id for unit in islice(there, most)]


def test_seeds_that_nobody_wants_are_read_and_passed_over() -> None:
    want: dict[str, Any] = {"start": 1, "count": 3, "over": ["de", "en"]}
    assert taken(want) == ["3", "5", "7"]
    assert want["passed"] == 4 and "spent" not in want, "nothing is read beyond the last one taken"
    assert taken(want) == ["3", "5", "7"] and want["passed"] == 4, "the same at every start"


def test_the_next_round_begins_behind_all_that_was_read() -> None:
    past = [({"texts": {"start": 1, "count": 3, "over": ["de", "en"], "passed": 4}}, True)]
    ahead = feeds(Plan((SOURCE,), (), {}), past, 0)["texts"]
    assert ahead["start"] == 7
    assert taken({**ahead, "start": 8, "over": ["de"]}) == ["9"]


def test_a_source_without_what_is_wanted_is_spent() -> None:
    want: dict[str, Any] = {"start": 0, "count": 3, "over": ["de", "en", "eu"]}
    assert taken(want) == [] and want["spent"] and (want["count"], want["passed"]) == (0, 10)


def test_a_round_that_closes_early_has_passed_over_what_lies_before_its_last_seed() -> None:
    want: dict[str, Any] = {"start": 0, "count": 4, "over": ["de", "en"]}
    assert taken(want, 2) == ["3", "5"] and want["passed"] == 4


def test_a_source_that_never_ends_is_not_searched() -> None:
    plan = (SOURCE, Feed("topics", read, endless=True))
    asked = without(["de"], plan, {"texts": {"count": 1}, "topics": {"count": 1}})
    assert asked == {"texts": {"count": 1, "over": ["de"]}, "topics": {"count": 1}}


def test_a_language_is_unwanted_where_all_that_it_leads_to_is_full() -> None:
    quotas, ways = {"eu": 5, "sw": 2}, [("de", "de"), ("de", "eu"), ("en", "en"), ("sw", "sw")]
    assert unwanted(quotas, {"eu": 4, "sw": 2}, ways) == ["en", "sw"]
    assert unwanted(quotas, {"eu": 5, "sw": 1}, ways) == ["de", "en"]


def test_a_language_may_lead_somewhere_by_more_than_one_step() -> None:
    ways = [("de", "en"), ("en", "eu"), ("eu", "en")]
    assert unwanted({"eu": 5}, {"eu": 4}, ways) == []
    assert unwanted({"eu": 5}, {"eu": 5}, ways) == ["de", "en", "eu"]


def test_a_language_that_nothing_came_of_is_not_judged() -> None:
    assert unwanted({"eu": 5}, {"eu": 5}, []) == []
