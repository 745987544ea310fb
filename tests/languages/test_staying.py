from __future__ import annotations

import pytest

from engine.core import Message, Record
from engine.languages.staying import Row, ruled, stays

THAI = Row("จงแก้ประโยคนี้: เเมวนอนบนโต๊ะ", "", "แมวนอนบนโต๊ะ")


@pytest.mark.parametrize(
    ("row", "span", "found"),
    [
        (Row("Correct: He go home.", "", "He goes home."), "He go\nhome.", ["He go home."]),
        (THAI, "เเมวนอนบนโต๊ะ", ["เเมวนอนบนโต๊ะ"]),
        (Row("改正这句：他去了学校了。", "", "他去了学校。"), "他去了学校了。", ["他去了学校了。"]),
        (Row("صحح: ذهبو الى المدرسة.", "", "ذهبوا."), "ذهبو الى المدرسة.", ["ذهبو الى المدرسة."]),
    ],
)  # fmt: skip
def test_a_span_is_found_as_the_row_has_it(row: Row, span: str, found: list[str]) -> None:
    assert stays(row, [], [span]) == (found, "", "")


@pytest.mark.parametrize(
    ("row", "fields", "span", "fault"),
    [
        (Row("Correct: He go home.", "", ""), [], "He goes home.", "span_not_in_row"),
        (Row("Correct: He go home.", "", ""), [], "Correct: He go home.", "nothing_to_translate"),
        (Row("Do it: `a b` c d e.", "", ""), [], "b` c d", "span_cannot_stay"),
        (Row("", "", ""), [], "x", "span_not_in_row"),
    ],
)  # fmt: skip
def test_a_span_that_cannot_stay_is_a_fault(
    row: Row, fields: list[str], span: str, fault: str
) -> None:
    assert stays(row, fields, [span])[1] == fault


def test_spans_of_a_field_that_stays_need_nothing() -> None:
    assert stays(Row("Say it.", "", "He goes home."), ["response"], ["He goes"]) == ([], "", "")


def test_nothing_named_is_nothing_found_even_in_a_very_long_row() -> None:
    long = Row("word " * 20_000, "字" * 20_000, "ก" * 20_000)
    assert (
        stays(long, [], []) == ([], "", "") and stays(long, [], ["ab ab"])[1] == "span_not_in_row"
    )


@pytest.mark.parametrize("language", ["en", "de", "zh-Hans", "ar", "hi", "th", "sw"])
def test_a_row_of_blanks_or_in_its_own_language_is_not_certain(language: str) -> None:
    assert ruled(Row("", "", ""), language) is None
    assert ruled(Row("a", " ", "\n"), language) is None


def test_a_row_is_a_records_last_exchange_with_its_input_apart() -> None:
    turns = (Message("user", "A?\n\nB"), Message("assistant", "C."))
    assert Row.of(Record("r", "en", turns)) == Row("A?\n\nB", "", "C.")
    facts = {"instruction": "A?", "input": "B"}
    assert Row.of(Record("r", "en", turns, facts)) == Row("A?", "B", "C.")
    assert Row.of(Record("r", "en")) == Row("", "", "")
