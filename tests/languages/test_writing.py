from __future__ import annotations

import unicodedata

import pytest
import regex

from engine.constraints.units import cased
from engine.languages.sheet import sheet
from engine.languages.table import find, known
from engine.languages.tags import normalise
from engine.languages.writing import digits, has_case, quotes, segmentation
from engine.text.scripts import SEVERAL

UNUSED = {"Cher", "Geor"}
"""Scripts that have two cases and hardly use them: the small letters of Cherokee are from 2015, the
capitals of Georgian from its ecclesiastical hand."""


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("de", "space"), ("am", "space"), ("ar", "space"), ("ko", "space"), ("vi", "syllable"),
        ("bo", "syllable"), ("dz", "syllable"), ("th", "none"), ("zh", "none"), ("km", "none"),
        ("my", "none"), ("ja", "none"),
    ],
)  # fmt: skip
def test_what_stands_between_blanks(tag: str, said: str) -> None:
    assert segmentation(find(tag)) == said


@pytest.mark.parametrize("script", sorted(sheet().scripts))
def test_case_is_where_a_letter_begins_a_sentence_in_another_form(script: str) -> None:
    codes = SEVERAL.get(script, (script,))
    try:
        letters = regex.compile("|".join(rf"\p{{Script={code}}}" for code in codes))
    except regex.error:
        pytest.skip("no script of this Unicode")
    several = (chr(point) for point in range(0x20000))
    titled = any(char.title() != char and letters.match(char) for char in several)
    assert cased(f"und-{script}") == (titled and script not in UNUSED)


def test_case_goes_by_the_script_of_the_tag() -> None:
    said = {tag: has_case(find(tag)) for tag in ("sw", "sr", "ka", "hi", "uz", "uz-Arab", "zh")}
    assert said == {
        "sw": True, "sr": True, "ka": False, "hi": False, "uz": True, "uz-Arab": False, "zh": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "usual", "own"),
    [
        ("de", "latn", "latn"), ("hi", "latn", "deva"), ("fa", "arabext", "arabext"),
        ("my", "mymr", "mymr"), ("ar", "arab", "arab"), ("ar-MA", "latn", "arab"),
        ("wo", "latn", "latn"), ("zh-Hant", "latn", "hanidec"),
    ],
)  # fmt: skip
def test_digits_are_those_of_cldr(tag: str, usual: str, own: str) -> None:
    assert digits(tag)[0] == usual
    assert digits(tag)[-1] == own


def test_nobody_knows_the_digits_and_quotation_marks_of_a_language_that_cldr_lacks() -> None:
    assert digits("agr") == () == quotes("agr")


@pytest.mark.parametrize(
    ("tag", "marks"),
    [
        ("de", "„“‚‘"), ("de-AT", "„“‚‘"), ("fr", "«»«»"), ("zh", "“”‘’"), ("zh-TW", "「」『』"),
        ("ja", "「」『』"), ("ru", "«»„“"), ("eu", "«»“”"), ("sv", "””’’"), ("uz-Cyrl", "“”‘’"),
    ],
)  # fmt: skip
def test_quotation_marks_are_those_of_cldr(tag: str, marks: str) -> None:
    assert "".join(quotes(tag)) == marks


def test_quotation_marks_are_two_pairs_for_known_languages() -> None:
    for tag, marks in sheet().quotes.items():
        assert normalise(tag).split("-")[0] in known()
        assert len(marks) == 4
        assert all(unicodedata.category(mark)[0] == "P" for mark in marks)
