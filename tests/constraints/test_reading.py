"""The border cases of ``cases/*.yaml``, and what holds for every constraint."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.constraints.kinds import Context
from engine.constraints.reading import (
    KINDS,
    ConstraintError,
    language_of,
    listed,
    loose,
    passes,
    read,
    read_published,
    results,
    strict,
    variants,
)

FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
CASES: list[dict[str, Any]] = [
    {"type": type_, **case}
    for file in FILES
    for type_, cases in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    for case in cases
]
EXAMPLES: dict[str, dict[str, Any]] = {case["type"]: case["params"] for case in CASES}
LANGUAGES = ("en", "de", "tr", "zh", "ja", "ar", "hi", "th", "sw", "xx")
HARD = {
    "empty": "",
    "spaces": " \n\t\u3000\u00a0",
    "nul": "\0" * 50,
    "surrogates": "\ud800 a \udfff" * 20,
    "marks of direction": "\u200f\u200e\u202b\u2066\u061c",
    "text among marks": "\u200fنعم\u200e, yes\u202c",
    "bom": "\ufeff{}",
    "joined emoji": "👩\u200d👩\u200d👧 ❤\ufe0f" * 9,
}
LONG = {
    "words": "word " * 20_000,
    "Chinese": "茶，水。" * 10_000,
    "Thai": "ฝนตกหนัก" * 10_000,
    "Arabic": "كِتَابٌ، " * 10_000,
    "marks": "e" + "\u0301" * 50_000,
    "dots": "." * 1_000_000 + "x",
    "brackets": "[" * 1_000_000,
    "angles": "<" * 999_998 + ">>",
    "asterisks": "*" * 1_000_000,
    "line breaks": "\n" * 1_000_000,
    "nested JSON": "[" * 500_000 + "]" * 500_000,
    "digits": "1" * 1_000_000,
    "surrogates": "\ud800" * 1_000_000,
}
"""What a careless pattern takes hours for; ``tests/benchmarks/constraints.py`` times them all."""


@pytest.mark.parametrize(
    "case", CASES, ids=lambda c: f"{c['type']} {c['language']} {c['why'][:40]}".replace("\0", "")
)
def test_a_border_case_is_decided_as_written(case: dict[str, Any]) -> None:
    constraint = read({"type": case["type"], "params": case["params"]})
    identify = (lambda text: case["told"]) if "told" in case else None
    context = Context(language_of([constraint], case["language"]), identify)
    found = strict(case["text"], constraint, context)
    assert found.verdict == case["strict"], f"{case['why']}: {found.why}"
    other = loose(case["text"], constraint, context)
    assert other.verdict == case.get("loose", case["strict"]), f"loosely: {case['why']}: {other}"


def test_the_border_cases_speak_many_languages_and_of_every_type() -> None:
    languages, types = (Counter(case[key] for case in CASES) for key in ("language", "type"))
    assert len(CASES) >= 200
    assert len([tag for tag, times in languages.items() if times >= 5]) >= 6, languages
    assert types.keys() == KINDS.keys() and len(KINDS) == 25
    for type_ in types:
        verdicts = {case["strict"] for case in CASES if case["type"] == type_}
        assert {"pass", "fail"} <= verdicts, f"{type_} never passes or never fails"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", HARD)
def test_odd_texts_have_a_clear_outcome_for_every_type(name: str, language: str) -> None:
    for type_, params in EXAMPLES.items():
        constraint = read({"type": type_, "params": params})
        for read_as in (strict, loose):
            found = read_as(HARD[name], constraint, Context(language))
            assert found.verdict in ("pass", "fail", "skipped"), (type_, name)
            if name in ("empty", "spaces", "nul", "marks of direction"):
                assert found.verdict == "fail", f"{type_} is met by nothing at all"


@pytest.mark.parametrize("name", LONG)
def test_a_very_long_text_has_an_outcome_for_every_type(name: str) -> None:
    language = {"Chinese": "zh", "Thai": "th", "Arabic": "ar"}.get(name, "en")
    for type_, params in EXAMPLES.items():
        found = strict(LONG[name], read({"type": type_, "params": params}), Context(language))
        assert found.verdict in ("pass", "fail", "skipped") and len(found.why) < 1000


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(codec=None), max_size=60)
    | st.text("ab *[]<>\n\"',.。，।Section1{}", max_size=40),
    language=st.sampled_from(LANGUAGES),
)
def test_what_passes_strictly_passes_loosely_and_nothing_is_changed_by_reading_twice(
    text: str, language: str
) -> None:
    for type_, params in EXAMPLES.items():
        constraint = read({"type": type_, "params": params})
        first = strict(text, constraint, Context(language))
        assert strict(text, constraint, Context(language)) == first
        if first.verdict == "pass":
            assert loose(text, constraint, Context(language)).verdict == "pass"
        assert read(constraint.dump()) == constraint


@given(text=st.text("a \n*"))
def test_the_variants_are_eight_at_most_and_begin_with_the_text_itself(text: str) -> None:
    found = variants(text)
    assert found[0] == text and len(found) <= 8 and len(set(found)) == len(found)


def test_the_variants_are_with_and_without_first_and_last_line_and_asterisks() -> None:
    assert variants("a\n*b*\nc") == [
        "a\n*b*\nc", "*b*\nc", "a\n*b*", "*b*", "a\nb\nc", "b\nc", "a\nb", "b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "entry, said",
    [
        ({"type": "keywords:rhyme", "params": {}}, "no constraint is of type"),
        ({"type": "punctuation:no_comma", "params": {"strict": True}}, "strict"),
        ({"type": "keywords:existence", "params": {}}, "keywords"),
        ({"type": "keywords:existence", "params": {"keywords": []}}, "keywords"),
        ({"type": "keywords:existence", "params": {"keywords": [" "]}}, "keywords.0"),
        ({"type": "keywords:existence", "params": {"keywords": ["\u0640"]}}, "keywords.0"),
        ({"type": "keywords:existence", "params": {"keywords": ["\ud800"]}}, "keywords.0"),
        ({"type": "keywords:letter_frequency",
          "params": {"letter": "ab", "relation": "at least", "count": 1}}, "one letter"),
        ({"type": "length_constraints:number_words",
          "params": {"relation": "at most", "count": 1}}, "relation"),
        ({"type": "length_constraints:number_words",
          "params": {"relation": "at least", "count": 0}}, "count"),
        ({"type": "length_constraints:nth_paragraph_first_word",
          "params": {"count": 1, "nth": 2, "word": "a"}}, "no paragraph 2"),
        ({"type": "language:response_language", "params": {"language": "German!"}}, "language tag"),
        ({"type": "punctuation:no_comma", "params": None}, "punctuation:no_comma"),
        ({"type": "punctuation:no_comma", "params": {}, "more": 1}, "type, params"),
        ({"type": 3}, "type, params"),
        ("punctuation:no_comma", "type, params"),
        (None, "type, params"),
    ],
)  # fmt: skip
def test_what_is_no_constraint_is_told_and_never_passes(entry: Any, said: str) -> None:
    with pytest.raises(ConstraintError, match=said):
        read(entry)


def test_rows_of_the_published_set_are_read_by_their_own_names() -> None:
    nothing = dict.fromkeys(["keyword", "letter", "num_words", "end_phrase"])
    fewer = {**nothing, "num_words": 9, "relation": "less than"}
    words = read_published("length_constraints:number_words", fewer)
    assert words.dump()["params"] == {"relation": "less than", "count": 9}
    letter = {"letter": "q", "let_frequency": 3, "let_relation": "at least"}
    assert read_published("keywords:letter_frequency", letter).dump()["params"]["count"] == 3
    sections = {"section_spliter": "Part", "num_sections": 2}
    assert read_published("detectable_format:multiple_sections", sections)
    first = {"num_paragraphs": 3, "nth_paragraph": 2, "first_word": "rain"}
    assert read_published("length_constraints:nth_paragraph_first_word", first)
    capital = read_published("change_case:english_capital", {})
    assert strict("IT RAINED.", capital, Context("en")).verdict == "skipped"
    with pytest.raises(ConstraintError):
        read_published("length_constraints:number_words", {"number": 9})


def test_the_language_that_a_constraint_asks_for_is_the_one_that_counts() -> None:
    german = read({"type": "language:response_language", "params": {"language": "de"}})
    short = read({"type": "length_constraints:number_words",
                  "params": {"relation": "less than", "count": 3}})  # fmt: skip
    assert language_of([short, german], "zh") == "de" and language_of([short], "zh") == "zh"
    found = results("Guten Tag", [short, german], "zh", lambda text: "de")
    assert passes(found)
    assert not passes(results("Guten Tag", [short, german], "zh")) and not passes([])


def test_lists_of_constraints_are_read_or_refused() -> None:
    assert listed(None) == [] == listed([])
    assert len(listed([{"type": "punctuation:no_comma"}])) == 1
    for broken in ("punctuation:no_comma", {"type": "punctuation:no_comma"}, [{}], 7):
        with pytest.raises(ConstraintError):
            listed(broken)
