from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from engine.core import Drop, Outcome, Record
from engine.passes.exact_duplicate import PASS
from tests.conftest import seed, settle


def row(id_: str, text: str, response: str = "") -> Record:
    return replace(seed(text, response=response), id=id_)


def kept(outcomes: Iterable[Outcome]) -> list[str]:
    return [outcome.id for outcome in outcomes if isinstance(outcome, Record)]


@pytest.mark.parametrize(
    "text, again",
    [
        ("Write a poem.", " write a POEM.\n"),
        ("Schreib ein Gedicht über Straßen", "SCHREIB EIN GEDICHT ÜBER STRASSEN"),
        ("请写一首诗。", "请写一首诗 。"),
        ("اكتب قصيدة", "\u202bاكتب قصيدة\u202c"),
        ("एक कविता लिखो", "एक  कविता लिखो"),
        ("เขียนบทกวี", "เขียน บทกวี"),
        ("Andika shairi", "ANDIKA shairi"),
    ],
)
def test_the_second_of_two_equal_texts_is_dropped_and_says_whose_copy_it_is(text, again):
    first, other, drop = settle(PASS, [row("a", text), row("b", text + " 7"), row("c", again)])
    assert (first.id, other.id) == ("a", "b")
    assert drop == Drop(row("c", again), "exact_duplicate", "same both as a")


def test_one_side_or_both_may_count():
    rows = [row("a", "Frage", "Ja."), row("b", "Frage", "Nein."), row("c", "Andere", "ja.")]
    assert kept(settle(PASS, rows)) == ["a", "b", "c"]
    assert kept(settle(PASS, rows, field="instruction")) == ["a", "c"]
    assert kept(settle(PASS, rows, field="response")) == ["a", "b"]


def test_what_one_side_lacks_the_other_does_not_make_up_for():
    assert kept(settle(PASS, [row("a", "ab", "c"), row("b", "a", "bc")])) == ["a", "b"]


def test_punctuation_and_digits_may_be_set_aside():
    rows = [row("a", "What is 3 + 4?"), row("b", "What is 5 + 6?"), row("c", "what is 34")]
    assert kept(settle(PASS, rows, digits=False)) == ["a", "c"]
    assert kept(settle(PASS, rows, punctuation=False)) == ["a", "b"]


def test_earlier_rounds_come_first():
    (drop,) = settle(PASS, [row("new", "数到十！")], [row("old", "数到十!")])
    assert isinstance(drop, Drop) and drop.detail.endswith("as old")


def test_records_with_nothing_in_them_are_all_kept():
    rows = [row("a", ""), row("b", " \u200f"), row("c", "\0"), replace(seed(), id="d")]
    assert kept(settle(PASS, rows)) == ["a", "b", "c", "d"]
    assert settle(PASS, []) == []


def test_ten_thousand_equal_rows_leave_one_even_if_they_share_an_id():
    rows = [row(f"r{n}", "Zähle bis zehn! ١٠") for n in range(10_000)]
    assert kept(settle(PASS, rows)) == ["r0"]
    assert len(kept(settle(PASS, [seed("Zähle bis zehn!")] * 10_000))) == 1


@pytest.mark.slow
def test_a_megabyte_and_half_a_surrogate_pair_are_compared_like_anything():
    long = "ฝนตก \ud83d " * 100_000
    assert kept(settle(PASS, [row("a", long), row("b", long + "x"), row("c", long)])) == ["a", "b"]
