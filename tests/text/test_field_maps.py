from __future__ import annotations

from typing import Any

import pytest

from engine.text.field_maps import (
    PLAIN,
    Map,
    choices,
    fault,
    instructed,
    labels,
    said,
    shown,
    told,
    usable,
    wording,
)

ONE = Map(("text",), ("label",))


def rows(*counts: int, width: int = 0) -> list[dict[str, Any]]:
    """So many rows of each label."""
    names = [chr(ord("甲") + n).ljust(width, "x") for n in range(len(counts))]
    found = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    return [{"text": f"t{n}", "label": name} for n, name in enumerate(found)]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((70, 30), ""),
        ((71, 29), "unbalanced_answers"),
        ((7, 3), ""),
        ((8, 2), "unbalanced_answers"),
        ((50, 25, 25), ""),
        ((51, 25, 24), "unbalanced_answers"),
        ((100,), "one_answer_only"),
        ((2,), "one_answer_only"),
        ((55, *[5] * 9), "unbalanced_answers"),
        ((50, *[5] * 10), ""),
        ((1, 1), ""),
        ((1,), ""),
    ],
)
def test_labels_are_spread_or_the_task_goes(counts: tuple[int, ...], expected: str) -> None:
    assert labels(rows(*counts), ONE).fault == expected


def test_only_the_first_hundred_rows_decide() -> None:
    assert not labels([*rows(70, 30), *rows(500)], ONE).fault
    assert labels([*rows(500), *rows(70, 30)], ONE).fault == "one_answer_only"


@pytest.mark.parametrize(("count", "named"), [(10, 10), (11, 0)])
def test_ten_answers_are_labels_and_eleven_are_not(count: int, named: int) -> None:
    assert len(labels(rows(*[9] * count), ONE).named) == named


def test_answers_that_are_seen_once_are_no_labels() -> None:
    assert labels(rows(*[2] * 5), ONE).named and not labels(rows(*[2] * 4, 1), ONE).named


@pytest.mark.parametrize(("width", "named"), [(15, True), (16, False)])
def test_labels_are_named_in_order_where_all_are_short(width: int, named: bool) -> None:
    found = labels(list(reversed(rows(5, 5, width=width))), ONE).named
    assert bool(found) == named and list(found) == sorted(found)


def test_numbers_and_truth_values_are_answers_lists_and_mappings_are_not() -> None:
    for value, other in ((1, 2), (True, False), (0.5, 1)):
        found = labels([{"text": "a", "label": each} for each in [value, other] * 4], ONE)
        assert found.named == tuple(sorted([said(value), said(other)]))
    for bad in (["a"], {"a": 1}):
        assert labels([{"text": "a", "label": bad}], ONE).fault == "answer_is_no_text"


def test_rows_without_an_answer_do_not_count() -> None:
    empty = [{"text": "a", "label": None}, {"text": "a", "label": " "}]
    assert labels([*empty * 50, *rows(3, 3)], ONE).named
    assert labels(empty, ONE).fault == "one_answer_only"


def test_several_outputs_have_no_labels() -> None:
    found = labels([{"a": 1, "b": 2, "c": 3}] * 9, Map(("a",), ("b", "c")))
    assert (found.named, found.fault) == ((), "")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Sag es. Antworte mit einem davon: ja, nein."),
        ("zh-Hans", "Sag es. 请从以下选项中选一个作答：ja、nein。"),
        ("zh-Hant", "Sag es. 請從以下選項中選一個作答：ja、nein。"),
        ("sr-Latn", "Sag es. [ja | nein]"),
        ("ar", "Sag es. أجب بواحد مما يلي: ja، nein."),
        ("wo", "Sag es. [ja | nein]"),
    ],
)
def test_labels_are_named_in_the_language_or_without_words(language: str, sentence: str) -> None:
    assert instructed("Sag es.", ["ja", "nein"], language) == sentence
    assert instructed("Sag es.", [], language) == "Sag es."
    assert (wording(language) == PLAIN) == (language in ("wo", "sr-Latn"))


def test_one_field_is_raw_and_several_have_names() -> None:
    row = {"text": " Der Nebel. ", "n": 3, "leer": ""}
    assert told(row, ["text"], "de") == " Der Nebel. "
    assert told(row, ["text", "n", "leer"], "de") == "text ist „ Der Nebel. “.\nn ist „3“."
    assert told(row, ["text", "n"], "en") == "text is “ Der Nebel. ”.\nn is “3”."
    assert told(row, ["text", "n"], "wo") == "text:  Der Nebel. \nn: 3"


def test_a_value_that_looks_like_a_slot_is_text() -> None:
    assert told({"a": "{value}{name}", "b": "\\1"}, ["a", "b"], "wo") == "a: {value}{name}\nb: \\1"


def test_choices_get_letters_and_other_lists_quotes() -> None:
    given = [{"q": "?", "c": ["甲", "乙"], "tags": ["x", "y"], "a": "乙"}] * 2
    task = Map(("q", "c", "tags"), ("a",))
    assert choices(given, task) == ["c"]
    text = told(given[0], task.inputs, "wo", choices(given, task))
    assert text == "q: ?\nc: \nA. 甲\nB. 乙\n\ntags: “x”, “y”"
    assert choices([*given, {**given[0], "a": "丙"}], task) == []
    many = {"c": [str(n) for n in range(30)]}
    assert told(many, ["c"], "de", ["c"]).startswith("1. 0\n2. 1\n")


def test_fields_are_those_that_a_task_may_name() -> None:
    given = {"id": 1, "userId": 2, "doc_id": 3, "ID": 4, "uuid": "x", "video": "v", "width": 5}
    given |= {"nested": {"a": 1}, "turns": [{"a": 1}], "tags": ["a"], "none": None, "句子": "好"}
    assert usable([given, given]) == ["video", "width", "tags", "句子"]
    assert usable([given, {"video": "x"}]) == ["video"]
    assert usable([]) == []


def test_samples_are_cut() -> None:
    given = [{"text": "雾" * 2000, "tags": ["x" * 2000] * 50, "n": 5}]
    [row] = shown(given, ["text", "tags", "n"], 1000)
    assert len(row["text"]) == 1000 and len(row["tags"]) == 20 and len(row["tags"][0]) == 1000


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        (["a"], ["b"], ""),
        (["a", "b"], ["c"], ""),
        (["a"], ["b", "c"], ""),
        (["x"], ["b"], "unknown_field"),
        (["a"], ["B"], "unknown_field"),
        (["a"], [], "no_output_field"),
        ([], ["a"], "no_input_field"),
        (["a", "b"], ["b"], "input_in_output"),
    ],
)
def test_tasks_are_held_to_the_fields(inputs: list[str], outputs: list[str], expected: str) -> None:
    assert fault(Map(tuple(inputs), tuple(outputs)), ["a", "b", "c"]) == expected
