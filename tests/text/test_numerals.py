"""Numbers in the digits and with the separators of any script."""

from __future__ import annotations

from fractions import Fraction

import pytest

from engine.text.numerals import ascii_digits, decimal_mark, number, spelt_out, written


@pytest.mark.parametrize(
    ("text", "language", "due"),
    [
        ("1,234", "en", 1234),
        ("1,234", "de", Fraction(1234, 1000)),
        ("1.234", "de", 1234),
        ("١٬٢٣٤٫٥", "ar", Fraction(2469, 2)),
        ("१२,३४,५६७", "hi", 1234567),
        ("๑,๒๓๔", "th", 1234),
        ("-７", "zh", -7),
        ("12,3456", "en", Fraction(123456, 10000)),
        ("0.125", "de", Fraction(1, 8)),
    ],
)
def test_the_digits_decide_and_what_they_leave_open_the_language_does(text, language, due):
    assert number(text, language) == due


@pytest.mark.parametrize(
    "text", ["", "x", "1,2,3", "1.2.3", "1,23,4", "12 34", "1.234.5,6,7", "--1", "٫"]
)
def test_what_is_no_number_is_none(text):
    assert number(text, "en") is None


def test_a_very_long_number_is_none():
    assert number("1" * 1_000_000, "en") is None


@pytest.mark.parametrize(
    ("tag", "mark"),
    [("en", "."), ("de", ","), ("es-MX", "."), ("xx-bad", "."), ("", "."), ("sw", ".")],
)
def test_the_decimal_mark_is_that_of_cldr(tag, mark):
    assert decimal_mark(tag) == mark


@pytest.mark.parametrize(
    ("value", "due"),
    [
        (Fraction(5), "5"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 3), "1/3"),
        (Fraction(1, 40), "0.025"),
        (Fraction(10**30), "1" + "0" * 30),
    ],
)
def test_a_number_is_written_in_one_way(value, due):
    assert written(value) == due


def test_digits_of_every_script_become_ascii_and_nothing_else_does():
    assert ascii_digits("٤२๔४−7 é") == "42" + "44-7 é"
    assert ascii_digits("") == ""


def test_raised_digits_are_powers_and_vulgar_fractions_mixed_numbers():
    assert spelt_out("10² und 2½") == "10^{2} und 2 1/2"
