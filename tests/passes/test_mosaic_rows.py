from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Message, Outcome, Record
from engine.passes.mosaic_rows import PASS, Params
from engine.text.sizes import estimated_tokens
from tests.conftest import settle


def row(id_: str, ask: str = "", answer: str = "ja", language: str = "de", **facts: Any) -> Record:
    turns = (Message("user", ask or f"Frage {id_}"), Message("assistant", answer))
    return Record(id_, language, turns, facts)


def rows(count: int, **more: Any) -> list[Record]:
    return [row(f"r{n:03}", **more) for n in range(count)]


def mosaics(outcomes: list[Outcome]) -> list[dict[str, Any]]:
    return [m for each in outcomes if isinstance(each, Record) for m in each.facts["mosaics"]]


def ids(mosaic: dict[str, Any]) -> list[str]:
    return [each["id"] for each in mosaic["rows"]]


def test_every_row_is_used_once_in_each_epoch_unless_it_is_too_long() -> None:
    given = [*rows(60), row("long", "Wort " * 3000), *rows(20, language="sw")[:0]]
    outcomes = settle(PASS, given, epochs=3)
    used: defaultdict[int, list[str]] = defaultdict(list)
    for mosaic in mosaics(outcomes):
        used[mosaic["epoch"]] += ids(mosaic)
    everyone = sorted(record.id for record in given[:60])
    assert sorted(used) == [0, 1, 2] and all(sorted(each) == everyone for each in used.values())
    assert len({tuple(each) for each in used.values()}) == 3, "each epoch has its own order"
    told = {e.record.id: e.reason for e in outcomes if isinstance(e, Drop)}
    assert told["long"] == "over_long" and set(told.values()) == {"over_long", "in_mosaic"}
    assert len(outcomes) == len(given)


def test_a_mosaic_is_carried_by_the_row_it_begins_with() -> None:
    outcomes = settle(PASS, rows(40))
    for record in (each for each in outcomes if isinstance(each, Record)):
        assert all(ids(mosaic)[0] == record.id for mosaic in record.facts["mosaics"])
    leaders = {each.id for each in outcomes if isinstance(each, Record)}
    assert all(e.detail in leaders for e in outcomes if isinstance(e, Drop))


@pytest.mark.parametrize("bound", [100, 200, 400])
def test_no_mosaic_reaches_the_bound_of_tokens_and_they_come_near_it(bound: int) -> None:
    from engine.text.mosaics import Plan, answered, asked, replied

    outcomes = settle(PASS, rows(60), sizes="max_length", max_tokens=bound, epochs=1)
    sizes = []
    for mosaic in mosaics(outcomes):
        chosen = Plan.model_validate(mosaic["plan"])
        asks = [each["instruction"] for each in mosaic["rows"]]
        answers = [each["response"] for each in mosaic["rows"]]
        said = replied(chosen, answers, answered(chosen.rule, asks))
        sizes.append(estimated_tokens(asked(chosen, asks), said))
    assert max(sizes) < bound and max(sizes) > 0.4 * bound


def test_sizes_follow_the_distribution_that_is_set() -> None:
    def drawn(**params: Any) -> list[int]:
        found = mosaics(settle(PASS, rows(120), max_tokens=100_000, epochs=4, **params))
        return [len(mosaic["rows"]) for mosaic in found]

    uniform = drawn()
    assert set(uniform) == set(range(1, 11)) and 4.5 < statistics.mean(uniform) < 6.5
    assert Counter(drawn(sizes="fix", most=5)) == {5: 96}
    assert set(drawn(sizes="max_length")) == {120}
    for sizes, params in {
        "exp": {"scale": 2.0},
        "pareto": {"scale": 1.0, "shape": 2.0},
        "lognormal": {"scale": 2.0, "shape": 0.5},
        "logistic": {"scale": 2.0, "shape": 0.5},
    }.items():
        found = drawn(sizes=sizes, **params)
        assert min(found) >= 1 and max(found) <= 10, sizes
        assert 1.5 < statistics.mean(found) < 3.2, (sizes, statistics.mean(found))


def test_strategies_come_with_equal_odds_and_one_row_says_the_format_only() -> None:
    found = mosaics(settle(PASS, rows(900), sizes="fix", most=3, epochs=1))
    counts = Counter(mosaic["plan"]["strategy"] for mosaic in found)
    assert len(found) == 300 and all(70 < counts[each] < 130 for each in counts)
    assert set(counts) == {"format", "order", "mask"}
    alone = mosaics(settle(PASS, rows(30), sizes="fix", most=1, epochs=1))
    assert {mosaic["plan"]["strategy"] for mosaic in alone} == {"format"}


def test_languages_licences_and_splits_are_not_mixed() -> None:
    given = [
        row(f"{language}{licence}{split}{n}", language=language, licence=licence, split=split)
        for language in ("de", "sw")
        for licence in ("A", "B")
        for split in ("train", "test")
        for n in range(5)
    ]
    for mosaic in mosaics(settle(PASS, given)):
        assert len({each[:-1] for each in ids(mosaic)}) == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record("a", "de", (Message("user", "x"),)), "no_pair"),
        (row("b", answer=" "), "no_pair"),
        (Record("c", "de", (*row("c").messages, *row("c").messages)), "no_pair"),
        (row("d", language="yo"), "unworded_language"),
    ],
)
def test_what_cannot_be_joined_drops_by_name(record: Record, reason: str) -> None:
    [drop] = settle(PASS, [record])
    assert isinstance(drop, Drop) and drop.reason == reason


def test_the_same_rows_give_the_same_mosaics() -> None:
    assert mosaics(settle(PASS, rows(30))) == mosaics(settle(PASS, rows(30)))


def test_a_wrong_distribution_is_refused() -> None:
    with pytest.raises(ValidationError):
        Params(sizes="normal")
