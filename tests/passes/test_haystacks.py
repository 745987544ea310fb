"""Each document, and those of its language behind it."""

from __future__ import annotations

from typing import Any

from engine.core import Drop, Outcome, Record
from engine.passes.haystacks import PASS
from tests.conftest import settle


def document(id: str, text: str, language: str = "sw", **facts: Any) -> Record:
    return Record(id, language, (), {"document": text, **facts})


def held(outcome: Outcome) -> list[str]:
    assert isinstance(outcome, Record)
    return [each["id"] for each in outcome.facts["haystack"]]


def test_every_document_goes_on_with_those_after_it_round_and_round() -> None:
    fresh = [document(name, "x" * 10) for name in "abcd"]
    found = settle(PASS, fresh, characters=25)
    assert list(map(held, found)) == [list("abc"), list("bcd"), list("cda"), list("dab")]
    assert list(map(held, settle(PASS, fresh, characters=10))) == [[name] for name in "abcd"]
    assert list(map(held, settle(PASS, fresh, characters=999)))[1] == list("bcda"), "each once"


def test_languages_licences_and_splits_stay_apart() -> None:
    fresh = [
        document("a", "α", "el"), document("b", "б", "ru"), document("c", "γ", "el"),
        document("d", "δ", "el", licence="MIT"), document("e", "ε", "el", split="test"),
    ]  # fmt: skip
    found = settle(PASS, fresh, characters=999)
    assert list(map(held, found)) == [["a", "c"], ["b"], ["c", "a"], ["d"], ["e"]]


def test_a_record_keeps_its_text_letter_by_letter_and_one_without_is_dropped() -> None:
    text = " Maji\r\nni uhai \ud800."
    found, drop = settle(PASS, [document("a", text), document("b", " \n")])
    assert isinstance(found, Record) and found.facts["haystack"] == [{"id": "a", "text": text}]
    assert isinstance(drop, Drop) and drop.reason == "no_document"
