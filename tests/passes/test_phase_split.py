from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import pytest
from pydantic import ValidationError

from engine.core import Drop, Record
from engine.passes.phase_split import PASS, STRETCH
from tests.conftest import settle

OKAPI = {"supervised": 52, "reward": 42, "reinforcement": 64}
LANGUAGES = ("en", "de", "zh", "ar", "hi", "th", "sw")


def rows(names: Iterable[object], languages: Sequence[str] = LANGUAGES) -> list[Record]:
    return [
        Record(f"{name}-{tag}", tag, facts={"parallel_id": f"p{name}"})
        for name in names
        for tag in languages
    ]


def phases(records: Iterable[object]) -> dict[str, set[str]]:
    """Instruction -> the phases it is in."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        if isinstance(record, Record):
            found[str(record.facts["parallel_id"])].add(record.facts["phase"])
    return dict(found)


def test_phases_are_disjoint_by_instruction_over_all_languages_in_exact_counts() -> None:
    outcomes = settle(PASS, rows(range(158)), counts=OKAPI)
    found = phases(outcomes)
    assert all(len(several) == 1 for several in found.values())
    assert Counter(min(several) for several in found.values()) == OKAPI
    for tag in LANGUAGES:
        mine = [each for each in outcomes if isinstance(each, Record) and each.language == tag]
        assert Counter(each.facts["phase"] for each in mine) == OKAPI, "in each language, too"


def test_what_comes_beyond_the_counts_is_dropped_in_every_language() -> None:
    outcomes = settle(PASS, rows(range(160)), counts=OKAPI)
    drops = [each for each in outcomes if isinstance(each, Drop)]
    assert {each.reason for each in drops} == {"over_quota"} and len(drops) == 2 * len(LANGUAGES)
    assert {each.record.facts["parallel_id"] for each in drops} == {"p158", "p159"}


@pytest.mark.parametrize("size", [1, 7, 50, 158])
def test_rounds_of_any_size_come_to_the_same_phases(size: int) -> None:
    given = rows(range(158), ["sw", "de"])
    whole = phases(settle(PASS, given, counts=OKAPI))
    kept: list[Record] = []
    for begin in range(0, len(given), size):
        fresh = given[begin : begin + size]
        kept += [
            each for each in settle(PASS, fresh, kept, counts=OKAPI) if isinstance(each, Record)
        ]
    assert phases(kept) == whole


def test_a_translation_that_comes_later_joins_its_instruction() -> None:
    kept = settle(PASS, rows(range(30), ["en"]), counts=OKAPI)
    late = settle(PASS, rows(range(30), ["th"]), kept, counts=OKAPI)  # type: ignore[arg-type]
    assert phases(late) == phases(kept)


def test_the_seed_decides_and_the_same_seed_decides_the_same() -> None:
    first = phases(settle(PASS, rows(range(158)), counts=OKAPI))
    assert phases(settle(PASS, rows(range(158)), counts=OKAPI)) == first
    other = list(PASS.settle(rows(range(158)), (), _desk("2")))
    assert phases(other) != first


def _desk(seed: str):  # type: ignore[no-untyped-def]
    from engine.kit import Desk

    return Desk(PASS.params(counts=OKAPI), "pass", seed)


@pytest.mark.parametrize("counts", [OKAPI, {"a": 1, "b": 999}, {"a": 333, "b": 333, "c": 334}])
def test_at_the_end_of_every_stretch_each_phase_has_its_share(counts: dict[str, int]) -> None:
    total = sum(counts.values())
    many = {name: 10 * count for name, count in counts.items()}
    outcomes = settle(PASS, rows(range(10 * total), ["hi"]), counts=many)
    named = [each.facts["phase"] for each in outcomes if isinstance(each, Record)]
    assert Counter(named) == many
    for end in range(STRETCH, len(named), STRETCH):
        so_far = Counter(named[:end])
        for name, count in counts.items():
            assert abs(so_far[name] - end * count / total) < 1, (end, name)


def test_a_periodic_order_does_not_decide_who_goes_where() -> None:
    """Languages by turns: each gets its share of every phase, about."""
    given = [Record(f"r{n}", LANGUAGES[n % 7]) for n in range(3500)]
    outcomes = settle(PASS, given, counts={"a": 500, "b": 500, "c": 2500})
    for tag in LANGUAGES:
        mine = [each for each in outcomes if isinstance(each, Record) and each.language == tag]
        share = Counter(each.facts["phase"] for each in mine)["a"] / len(mine)
        assert 0.08 < share < 0.21, (tag, share)


def test_a_record_without_the_fact_goes_by_its_own_id() -> None:
    outcomes = settle(PASS, [Record("a", "sw"), Record("b", "sw")], counts={"one": 1, "two": 1})
    assert {each.facts["phase"] for each in outcomes if isinstance(each, Record)} == {"one", "two"}
    assert settle(PASS, [], counts={"one": 1}) == []


@pytest.mark.parametrize("counts", [{}, {"reward": 0}, {"reward": -1}])
def test_counts_that_cannot_be_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        PASS.params(counts=counts)


def test_the_instruction_with_the_number_0_is_one_in_all_languages_like_any() -> None:
    tags = [f"{n:02}" for n in range(20)]
    records = [Record(f"r{tag}", tag, facts={"number": 0}) for tag in tags]
    outcomes = settle(PASS, records, counts={"one": 10, "two": 10}, by="number")
    assert len({each.facts["phase"] for each in outcomes if isinstance(each, Record)}) == 1
