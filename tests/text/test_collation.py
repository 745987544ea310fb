from __future__ import annotations

import pytest

from engine.text.collation import alphabetical


@pytest.mark.parametrize(
    "words",
    [
        ["apple", "Éclair", "eclairs", "Öl", "zebra"],
        ["еда", "ёж", "жук", "ящик"],
        ["กา", "เก", "ขา", "ไข"],
        ["أرنب", "بقرة", "تين"],
        ["αγάπη", "Βήμα", "γάτα"],
    ],
)
def test_words_stand_in_the_order_of_their_alphabet(words: list[str]) -> None:
    assert sorted(reversed(words), key=alphabetical) == words


def test_signs_do_not_decide_and_case_decides_last() -> None:
    assert alphabetical("«Éclair!»") == alphabetical("Éclair")
    assert alphabetical("ab") < alphabetical("Ab") < alphabetical("ac")


def test_nothing_comes_first_and_a_long_text_is_cut() -> None:
    assert alphabetical("") == alphabetical("...") < alphabetical("a")
    assert alphabetical("слово " * 100_000) == alphabetical("слово " * 50_000)
