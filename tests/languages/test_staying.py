from __future__ import annotations

import pytest

from engine.core import Message, Record
from engine.languages.staying import Kind, Row, amiss, emptied, ruled, stays

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


def test_a_span_as_long_as_a_field_is_none() -> None:
    row = Row("Say it.", "", "9" * 9000)
    assert stays(row, [], [row.response])[1] == "span_too_long"


def test_many_spans_are_found_in_no_time() -> None:
    text = " ".join(f"word{n} is here." for n in range(250))
    spans = [f"word{n} is" for n in range(200)]
    assert stays(Row(f"Mend this. {text}", text, text), [], spans)[0] == spans


@pytest.mark.parametrize(
    ("row", "spans", "names"),
    [
        (Row("Say why.", "", "They look for leaves."), ["They look for leaves."], ["response"]),
        (Row("Say why.", "", "They look. They find it."), ["They look.", "find it"], []),
        (Row("说说为什么。", "山羊爬树。", "它们找叶子。"), ["它们找叶子。"], ["response"]),
        (Row("Which film is it?", "", "Casablanca"), ["Casablanca"], []),
        (Row("Go on.", "1, 2, 3, 4, 5", "6, 7, 8, 9, 10"), [], []),
        (Row("Go on.", "", ""), [], []),
    ],
)
def test_fields_of_which_nothing_is_left_are_named(
    row: Row, spans: list[str], names: list[str]
) -> None:
    assert emptied(row, [], spans) == names


def test_a_row_whose_instruction_is_not_in_its_language_either_is_not_certain() -> None:
    french = "Le bac part à midi, et le prochain ne part que le soir."
    asked = "Répondez à la question suivante en une phrase complète, s'il vous plaît."
    assert ruled(Row(asked, "Quand est-ce que le bac part du port ?", french), "en") is None


@pytest.mark.parametrize(
    ("kind", "fields", "spans", "fault"),
    [
        ("translation", [], [], "nothing_stays"),
        ("translation", ["input"], ["ferry"], "nothing_stays"),
        ("translation", ["response"], [], ""),
        ("translation", [], ["part à midi"], ""),
        ("quotation", [], [], "nothing_stays"),
        ("quotation", [], ["The ferry leaves."], ""),
        ("free", ["response"], [], "free_task_stays"),
        ("free", [], ["ferry"], ""),
        ("linguistic", [], [], ""),
    ],
)
def test_what_stays_has_to_go_with_the_kind_of_task(
    kind: Kind, fields: list[str], spans: list[str], fault: str
) -> None:
    row = Row("Put this into French.", "The ferry leaves.", "Le bac part à midi.")
    assert amiss(kind, row, fields, spans)[0] == fault


def test_a_translation_that_is_code_stays_anyway() -> None:
    assert amiss("translation", Row("Put this into C.", "", "`int x;`"), [], []) == ("", "")
