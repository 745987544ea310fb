"""Rows of our own with exactly the defects that released files of localised prompts have.

The released files themselves are not at hand; they are read by the same function.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from engine.constraints.auditing import Change, Row, Twins, audit, changed, rows, same_words, twins

CAPITALS = "change_case:english_capital"
EXIST = "keywords:existence"
ANSWER = "language:response_language"
LETTER = "keywords:letter_frequency"


def row(key: int, prompt: str, *constraints: tuple[str, dict[str, Any]]) -> str:
    ids, kwargs = [type_ for type_, _ in constraints], [each for _, each in constraints]
    said = {"key": key, "prompt": prompt, "instruction_id_list": ids, "kwargs": kwargs}
    return json.dumps(said, ensure_ascii=False)


GOOD = row(1, "写一首关于河的诗。", (EXIST, {"keywords": ["河流"]}), ("punctuation:no_comma", {}))
FORCED = row(
    2, "写一首诗。", (CAPITALS, {}), (ANSWER, {"language": "en"}), (EXIST, {"keywords": ["sea"]})
)
COUNTED = row(
    3, "写。", ("length_constraints:number_words", {"num_words": 9, "relation": "at least"})
)


def found(*lines: str, language: str = "zh-Hans") -> list[tuple[int, str, str]]:
    return [(each.line, each.key, each.fault) for each in audit(lines, language)]


def test_good_rows_have_none_nor_has_an_answer_that_is_held_in_english() -> None:
    assert found(GOOD, "", FORCED, COUNTED) == []


@pytest.mark.parametrize(
    "line, fault, said",
    [
        (GOOD[:-3], "invalid_json", "Expecting"),
        ('["no", "object"]', "invalid_json", "no object"),
        ('{"key": 1, "instruction_id_list": ["a"], "kwargs": ["b"]}', "invalid_json", "no object"),
        ("[" * 100_000, "invalid_json", "recursion"),
        (GOOD.replace(", {}]", "]").replace('"key": 1', '"key": 7'),
         "unequal_lists", "2 constraints, 1 of kwargs"),
        (row(7, "写。", ("keywords:rhyme", {})), "bad_constraint", "keywords:rhyme"),
        (row(7, "写。", (EXIST, {"keywords": []})), "bad_constraint", "keywords"),
        (row(7, "写。", (EXIST, {"keywords": ["river", "河流"]})), "foreign_keyword", "'river'"),
        (row(7, "写。", ("keywords:forbidden_words", {"forbidden_words": ["sea"]})),
         "foreign_keyword", "'sea'"),
        (row(7, "写。", ("startend:end_checker", {"end_phrase": "The end."})),
         "foreign_keyword", "The end"),
        (row(7, "写。", (LETTER, {"letter": "q", "let_frequency": 3, "let_relation": "at least"})),
         "foreign_letter", "'q'"),
        (row(7, "写。", (CAPITALS, {}), (ANSWER, {"language": "zh"})), 
         "language_conflict", "en and in zh"),
        (row(7, "写。", ("change_case:capital_word_frequency",
                        {"capital_frequency": 3, "capital_relation": "at least"})),
         "language_conflict", "capitals in an answer in zh-Hans"),
    ],
)  # fmt: skip
def test_a_defect_is_named_with_its_line(line: str, fault: str, said: str) -> None:
    defects = audit([GOOD, line], "zh-Hans")
    assert [(each.line, each.fault) for each in defects] == [(2, fault)]
    assert said in defects[0].detail


def test_a_key_that_comes_again_names_the_line_where_it_came_first() -> None:
    again = row(1, "再写一首。", ("punctuation:no_comma", {}))
    [defect] = audit([GOOD, COUNTED, again], "zh-Hans")
    assert (defect.line, defect.key, defect.fault) == (3, "1", "duplicate_key")
    assert defect.detail == "also on line 1"


def test_all_defects_of_a_file_are_counted_and_none_hides_another() -> None:
    broken = row(5, "写。", (EXIST, {"keywords": ["river"]}), (LETTER, {
        "letter": "a", "let_frequency": 1, "let_relation": "at least"}))  # fmt: skip
    lines = [GOOD, "{", broken, GOOD, FORCED]
    faults = Counter(fault for _, _, fault in found(*lines))
    assert faults == {
        "invalid_json": 1,
        "foreign_keyword": 1,
        "foreign_letter": 1,
        "duplicate_key": 1,
    }


@pytest.mark.parametrize("language", ["de", "sw", "en"])
def test_words_of_its_own_script_are_no_defect(language: str) -> None:
    lines = [row(1, "?", (EXIST, {"keywords": ["bread"]}), (CAPITALS, {"language": None}))]
    assert found(*lines, language=language) == []


def test_twins_join_by_key_whatever_their_order() -> None:
    comma, answer = ("punctuation:no_comma", {}), (ANSWER, {"language": "es"})
    plain = [
        row(1, "Escribe a Tom.", comma),
        row(2, "Escribe.", comma),
        row(3, "Solo aquí.", comma),
    ]
    local = [row(2, "Escribe.", comma, answer), row(1, "Escribe a Paco.", comma, (EXIST, {
        "keywords": ["sol"]})), "{broken"]  # fmt: skip
    assert twins(plain, local) == Twins(joined=2, same_constraints=1, untouched=1)


@pytest.mark.parametrize(
    "before, after, wanted",
    [
        ("Call Tom on Friday.", "Call Juma on Friday.", [Change("Tom", "Juma")]),
        ("Call Tom.", "Call  Tom.\n", []),
        ("", "", []),
        ("给汤姆打电话。", "给小明打电话。", [Change("汤 姆", "小 明")]),
        ("One two three", "One three", [Change("two", "")]),
    ],
)
def test_the_spans_that_differ_are_found(before: str, after: str, wanted: list[Change]) -> None:
    assert changed(before, after) == wanted


def test_a_very_long_prompt_is_compared() -> None:
    long = "word " * 3000
    assert changed(long + "Tom", long + "Juma") == [Change("Tom", "Juma")]


def test_whether_a_very_long_prompt_has_changed_is_told_at_once() -> None:
    long = "".join(f"{n % 977} " for n in range(300_000))
    assert not same_words(long, long[::-1]) and same_words(long, f" {long}")
    assert same_words("给汤姆", "给 汤姆") and not same_words("给汤姆", "给小明")


def test_a_row_without_a_key_has_none_and_a_prompt_is_a_text() -> None:
    bare = {"instruction_id_list": [], "kwargs": []}
    found = list(rows(json.dumps({**bare, "key": None, "prompt": p}) for p in ("A?", None, ["A"])))
    assert [each.key for each in found] == ["", "", ""]
    assert [each.prompt for each in found if isinstance(each, Row)] == ["A?", ""]
    assert "the prompt is no text: ['A']" in [getattr(each, "detail", "") for each in found]


def test_rows_are_read_as_they_are_published() -> None:
    [read] = [each for each in rows(["\n", FORCED]) if isinstance(each, Row)]
    assert (read.line, read.key, read.asked) == (2, "2", frozenset({CAPITALS, EXIST}))
