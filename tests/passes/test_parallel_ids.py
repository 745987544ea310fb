from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.core import Drop, Record
from engine.passes.parallel_ids import PASS
from tests.conftest import settle


def record(name: str, language: str, id: str = "") -> Record:
    facts = {"parallel_id": name} if name else {}
    return Record(id or f"{name}-{language}", language, (), facts)


def told(*given: Record, languages: list[str]) -> dict[str, str]:
    found = settle(PASS, given, languages=languages)
    return {
        each.record.id if isinstance(each, Drop) else each.id: (
            each.reason if isinstance(each, Drop) else "kept"
        )
        for each in found
    }


def test_what_is_missing_in_one_language_goes_in_all():
    found = told(
        record("a", "sw"), record("b", "sw"), record("a", "zh-Hans"), languages=["sw", "zh_hans"]
    )
    assert found == {"a-sw": "kept", "a-zh-Hans": "kept", "b-sw": "not_in_every_language"}


def test_the_second_of_two_in_one_language_goes():
    found = told(record("a", "hi"), record("a", "hi", "again"), languages=["hi"])
    assert found == {"a-hi": "kept", "again": "twice_in_a_language"}


def test_what_has_no_id_goes_and_of_nothing_comes_nothing():
    assert told(record("", "th", "x"), languages=["th"]) == {"x": "no_parallel_id"}
    assert told(languages=["th"]) == {}


def test_a_language_in_which_everything_failed_is_missed():
    [drop] = settle(PASS, [record("a", "ar")], languages=["ar", "eu"])
    assert isinstance(drop, Drop) and drop.detail == "missing in eu"


@pytest.mark.parametrize("languages", [[], ["?"]])
def test_languages_that_cannot_be_are_refused(languages: list[str]):
    with pytest.raises(ValidationError):
        PASS.params(languages=languages)
