"""Final answers have one form, in whatever script they are written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from engine.text.answers import answer, lists, same

GOLDEN = yaml.safe_load((Path(__file__).parent / "answers.yaml").read_text(encoding="utf-8"))


def form(text: str, language: str = "en") -> str | None:
    found = answer(text, language)
    return found.text if found else None


@pytest.mark.parametrize(("text", "language", "due"), GOLDEN)
def test_an_answer_has_the_form_that_the_golden_list_says(text, language, due):
    assert form(text, language) == due


def test_the_golden_list_has_two_hundred_answers_in_many_languages():
    assert len(GOLDEN) >= 200
    assert {"en", "de", "zh", "ar", "hi", "th", "sw"} <= {language for _, language, _ in GOLDEN}


@pytest.mark.parametrize("due", sorted({d for _, _, d in GOLDEN if d and d[0] not in "[("}))
def test_a_form_is_its_own_form(due):
    again = form(due)
    assert again == due or same(answer(due), answer(due))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("½", "0.5", True),
        ("1/3", "0.333", False),
        ("5 km", "5", True),
        ("5 km", "5 kg", False),
        ("5 km", "5 kilometres", True),
        ("50%", "0.5", True),
        ("0.5", "50%", True),
        ("50%", "50", True),
        ("50%", "5", False),
        ("B", "(b)", True),
        ("B", "C", False),
        ("B", "5", False),
        ("Paris", "paris.", True),
        ("Paris", "London", False),
        ("Paris", "5", False),
        ("2π", "2\\pi", True),
        ("2π", "6.28", None),
        ("x+1", "1+x", None),
        ("x+1", "Paris", False),
        ("٤٢", "४२", True),
    ],
)
def test_answers_are_compared_where_that_is_certain(one, other, equal):
    assert same(answer(one, "en"), answer(other, "en")) is equal


def test_a_number_is_exact():
    assert answer("0.1", "en").value == Fraction(1, 10)
    assert answer("1/3", "en").value == Fraction(1, 3)


@pytest.mark.parametrize(
    "text", ["1/0", "\\frac{1}{0}", "1e99999", "10^{9999}", "1,2,3,4", "1.2.3"]
)
def test_what_only_looks_like_a_number_is_none(text):
    found = answer(text, "en")
    assert found is None or found.kind == "expression"


@pytest.mark.parametrize(
    "text",
    ["\ud800", "\x00", "\u200f", "‏٤٢‏", "{" * 300, "1" * 400, "\\frac{" * 60, "²" * 300, "$" * 300],
)
def test_no_text_breaks_it(text):
    found = answer(text, "ar")
    assert found is None or found.text


def test_a_long_text_is_no_answer():
    assert answer("42 " * 400_000, "en") is None


def test_every_unit_is_known_by_its_sign():
    assert all(answer(f"7 {sign}", "en").unit == sign for sign in set(lists().units.values()))
