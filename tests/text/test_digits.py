from __future__ import annotations

import pytest

from engine.text.digits import like, plain_digits


@pytest.mark.parametrize(
    "digits",
    ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡"],
)
def test_digits_of_every_script_are_read_and_written_back(digits):
    assert plain_digits(digits) == "0123456789"
    assert like(digits, "0123456789") == digits


@pytest.mark.parametrize(
    "text",
    ["", "plain", "a\u200fb", "＋٩٦٦–٥٠", "٣ مايو", "\ud800\x00", "é" * 1_000_000, "์ก" * 1000],
)
def test_nothing_moves(text):
    assert len(plain_digits(text)) == len(text)


def test_signs_around_numbers_are_plain_too():
    assert plain_digits("（０２）—１２３　４\u200f＠．") == "(02)-123 4 @."


def test_words_stay_as_they_are():
    for text in ("Überweisung über 12 €", "电话是", "आधार", "ကျွန်တော်"):
        assert plain_digits(text) == text


def test_ascii_stays_where_the_text_has_ascii_digits():
    assert like("+49", "12") == "12" and like("none", "12") == "12"
