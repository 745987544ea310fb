from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.core import Record
from engine.passes.other_rows import PASS
from tests.conftest import settle


def rows(count: int, language: str = "eu", **facts: Any) -> list[Record]:
    return [
        Record(f"{language}{n}", language, (), {"word": f"{language} {n // 2}", "n": n, **facts})
        for n in range(count)
    ]


def dealt(*given: Record, kept: tuple[Record, ...] = (), **params: Any) -> dict[str, list[Any]]:
    outcomes = settle(PASS, given, kept, **{"facts": ["n"], **params})
    assert [o.id for o in outcomes if isinstance(o, Record)] == [r.id for r in given]
    return {o.id: o.facts["others"] for o in outcomes if isinstance(o, Record)}


def test_no_record_is_dealt_itself_or_one_with_the_same_key() -> None:
    found = dealt(*rows(20), key="word", count=5)
    for id, others in found.items():
        own = int(id.removeprefix("eu"))
        assert len(others) == 5 == len({each["id"] for each in others})
        assert not {2 * (own // 2), 2 * (own // 2) + 1} & {each["n"] for each in others}


def test_without_a_key_only_the_record_itself_is_left_out() -> None:
    found = dealt(*rows(2), count=5)
    assert found == {"eu0": [{"n": 1, "id": "eu1"}], "eu1": [{"n": 0, "id": "eu0"}]}


def test_rows_are_dealt_within_a_language_and_one_alone_gets_none() -> None:
    found = dealt(*rows(3, "th"), *rows(1, "ar"))
    assert found["ar0"] == [] and {each["id"][:2] for each in found["th0"]} == {"th"}


def test_rows_of_another_split_or_licence_are_never_dealt() -> None:
    held, open_ = rows(3, split="validation"), rows(3, split="train", licence="CC0-1.0")
    open_ = [replace(each, id=f"t{n}") for n, each in enumerate(open_)]
    found = dealt(*held, *open_)
    for id, others in found.items():
        assert {each["id"][0] for each in others} == {id[0]} and len(others) == 2


def test_rows_that_have_nothing_to_show_are_never_dealt() -> None:
    news = [Record(f"news{n}", "eu", (), {"headline": "Sagar uzta"}) for n in range(9)]
    found = dealt(*rows(2), *news, pool_limit=2)
    assert {each["id"] for each in found["news0"]} == {"eu0", "eu1"}
    assert dealt(news[0]) == {"news0": []}


def test_a_record_that_comes_on_two_ways_is_no_trouble() -> None:
    [record] = rows(1)
    assert len(settle(PASS, [record, record.with_facts(n=7)], facts=["n"])) == 2


def test_rows_of_earlier_rounds_may_be_dealt() -> None:
    [record] = rows(1, "sw")
    earlier = Record("old", "sw", (), {"n": 7, "word": "x"})
    assert dealt(record, kept=(earlier,)) == {"sw0": [{"n": 7, "id": "old"}]}


def test_facts_that_a_row_lacks_are_left_out() -> None:
    first, second = rows(2)
    assert dealt(first, second, facts=["n", "gloss"])["eu0"] == [{"n": 1, "id": "eu1"}]


def test_the_same_seed_deals_the_same_and_the_pool_is_bounded() -> None:
    found = dealt(*rows(60), pool_limit=10, count=9)
    assert found == dealt(*rows(60), pool_limit=10, count=9)
    assert len({each["id"] for others in found.values() for each in others}) == 10


@pytest.mark.parametrize("facts", [[]])
def test_it_has_to_be_told_which_facts(facts: list[str]) -> None:
    with pytest.raises(ValueError, match="facts"):
        PASS.params(facts=facts)
