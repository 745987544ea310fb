from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.checksums import (
    iban_digits,
    luhn,
    luhn_digit,
    mod11_2,
    mod11_10,
    mod97,
    verhoeff,
    weighted,
)

DIGITS = st.text("0123456789", min_size=4, max_size=24)


@pytest.mark.parametrize(
    "check, sound",
    [
        (luhn, "4111111111111111"),
        (luhn, "378282246310005"),
        (mod11_2, "11010519491231002X"),
        (mod11_10, "86095742719"),
        (verhoeff, "2363"),
        (verhoeff, "123451"),
    ],
)
def test_published_examples_are_sound_and_no_other_last_digit_is(check, sound):
    others = [sound[:-1] + last for last in "0123456789" if last != sound[-1]]
    assert check(sound) and not any(map(check, others))


def test_published_ibans_leave_one():
    for iban in ("DE89370400440532013000", "GB82WEST12345698765432", "SA0380000000608010167519"):
        assert mod97(iban[4:] + iban[:4]) == 1
        assert iban_digits(iban[:2], iban[4:]) == iban[2:4]


@given(DIGITS)
def test_luhns_digit_makes_any_row_sound(digits):
    assert luhn(digits + luhn_digit(digits))


@given(DIGITS, st.integers(0, 23))
def test_luhn_and_verhoeff_see_every_wrong_digit(digits, at):
    luhns = digits + luhn_digit(digits)
    verhoeffs = next(digits + last for last in "0123456789" if verhoeff(digits + last))
    for check, row in ((luhn, luhns), (verhoeff, verhoeffs)):
        place = at % len(row)
        wrong = row[:place] + str((int(row[place]) + 1) % 10) + row[place + 1 :]
        assert check(row) and not check(wrong)


def test_weights_are_repeated():
    assert weighted("1111", (1, 3)) == 8
