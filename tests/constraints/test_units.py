from __future__ import annotations

import pytest

from engine.constraints.units import (
    blank,
    capital_words,
    cased,
    folded,
    letters,
    marks_sentences,
    sentences,
    unit,
    words,
)


@pytest.mark.parametrize(
    "language, counted, has_case, has_marks",
    [
        ("en", "words", True, True), ("zh", "characters", False, True),
        ("zh-Hant", "characters", False, True), ("ja", "characters", False, True),
        ("th", "characters", False, False), ("km", "characters", False, True),
        ("bo", "characters", False, False), ("hi", "words", False, True),
        ("ar", "words", False, True), ("ko", "words", False, True), ("ru", "words", True, True),
        ("sr-Latn", "words", True, True), ("ka", "words", False, True),
        ("xx", "words", False, True),
    ],
)  # fmt: skip
def test_the_language_says_what_there_is_to_count(
    language: str, counted: str, has_case: bool, has_marks: bool
) -> None:
    assert (unit(language), cased(language), marks_sentences(language)) == (
        counted, has_case, has_marks,
    )  # fmt: skip


def test_the_unit_is_that_of_the_language_and_not_of_the_text() -> None:
    assert words("我爱 tea", "zh") == 3
    assert words("我爱 tea", "en") == 2
    assert words("tea time", "zh") == 2


def test_words_hold_together_what_belongs_together() -> None:
    assert words("می‌خواهم", "fa") == words("हिन्दी", "hi") == words("e\u0301te\u0301", "fr") == 1
    assert words("❤\ufe0f 1\ufe0f\u20e3 \u0301", "en") == 1, (
        "a keycap is a number, a mark is nothing"
    )
    assert words("", "en") == words("", "th") == words("。，！", "zh") == 0


def test_texts_are_alike_without_case_points_and_marks_of_direction() -> None:
    assert folded("Straße", "de") == folded("STRASSE", "de")
    assert folded("ISI", "tr") == folded("ısı", "tr") != folded("isi", "tr")
    assert folded("ISI", "en") == folded("isi", "en")
    assert folded("\u200fمُدُن", "ar") == folded("مدن", "ar")
    assert folded("ﬁne ＡＢ", "en") == "fine ab"
    assert folded("\ud800a", "en") == "\ud800a"


def test_letters_are_counted_by_what_makes_a_letter_in_the_script() -> None:
    assert letters("e\u0301 é e E", "e", "fr") == 2
    assert letters("é e\u0301 E\u0301", "é", "fr") == 3
    assert letters("ใคร ก็ ก่อน", "ก", "th") == 2
    assert letters("बिल बुक", "ब", "hi") == 2
    assert letters("", "a", "en") == letters("abc", "z", "en") == 0
    assert letters("a" * 1_000_000, "a", "en") == 1_000_000


def test_sentences_and_capitals_of_long_and_odd_texts_are_counted() -> None:
    assert sentences("Ja! " * 3) == sentences("好！" * 3) == 3
    assert sentences("!" * 100_000) <= 1
    assert sentences("it rained. we stayed. dr. who came.") == 3, "all in small letters"
    assert sentences("It rained. we stayed.") == 1
    assert capital_words("NASA AND/OR U.S.A. don't Ü ß") == 4
    assert blank("\u200f \0\ud800\u3000") and not blank("।")
