from __future__ import annotations

import random

import pytest

from engine.text.private import find
from engine.text.surrogates import Surrogates
from tests.filters.personal import cases


def draws(kind: str, nth: int) -> random.Random:
    return random.Random(f"{kind} {nth}")


def masked(text: str, language: str, surrogates: Surrogates | None = None) -> str:
    given = surrogates or Surrogates(draws)
    for place in reversed(find(text, language)):
        stands_in = given.for_place(place, text[place.start : place.end])
        text = text[: place.start] + stands_in + text[place.end :]
    return text


def test_a_surrogate_is_private_to_nobody():
    """What the finder does not find again is kept free; a second masking changes nothing."""
    for case in cases(random.Random(4), 27):
        once = masked(case.text, case.language)
        assert case.written not in once
        assert find(once, case.language) == [], f"{case.text} -> {once}"


@pytest.mark.parametrize(
    "written, language, starts",
    [
        ("jo@corp.io", "en", ""),
        ("93.184.216.34", "en", ("192.0.2.", "198.51.100.", "203.0.113.")),
        ("2606:4700:4700::1111", "en", "2001:db8::"),
        ("4539 1488 0343 6467", "en", "4000 00"),
        ("DE89 3704 0044 0532 0130 00", "de", "DE"),
        ("GB82WEST12345698765432", "en", "GB"),
        ("123-45-6789", "en", "987-65-432"),
        ("+44 20 7946 1958", "en", "+44 "),
        ("+4930123456", "de", "+49"),
        ("+91 98765 43210", "hi", "+1 "),
        ("11010519491231002X", "zh", "0000"),
    ],
)
def test_it_has_the_kind_and_shape_of_what_it_stands_for(written, language, starts):
    new = masked(f"id {written}", language).removeprefix("id ")
    assert new != written and new.startswith(starts)
    if "@" in written:
        assert new.partition("@")[2] in ("example.org", "example.com", "example.net")
    elif starts not in ("2001:db8::", "+1 ") and "." not in written:
        assert new.count(" ") == written.count(" ") or written.startswith("+")


def test_the_digits_of_the_script_stay():
    assert masked("هاتف ٠٥٠١٢٣٤٥٦٧", "ar-SA").startswith("هاتف +١")
    assert "４０００" in masked("卡号４５３９１４８８０３４３６４６７", "zh")


def test_a_number_of_another_country_is_not_written_as_one_at_home():
    assert masked("फ़ोन 9876543210", "hi").startswith("फ़ोन +1")


def test_one_thing_has_one_surrogate_and_two_have_two():
    surrogates = Surrogates(draws)
    first = masked("Jo@Corp.io Tel. 030 1234567", "de", surrogates)
    again = masked("jo@corp.io +49 30 1234567", "de", surrogates)
    assert first.split()[0] == again.split()[0]
    digits = ["".join(filter(str.isdigit, t.partition(" ")[2])) for t in (first, again)]
    assert digits[1].removeprefix("49") == digits[0].removeprefix("0")
    other = masked("al@corp.io", "de", surrogates)
    assert other != first.split()[0]


def test_many_of_a_kind_differ_as_long_as_there_are_some():
    surrogates = Surrogates(draws)
    text = " ".join(f"u{n}@corp.io 93.184.{n % 250}.{n % 100 + 40}" for n in range(300))
    words = masked(text, "en", surrogates).split()
    assert len(set(words[::2])) == 300 and len(set(words[1::2])) > 250


def test_the_same_draws_give_the_same_surrogates():
    text = "jo@corp.io, 93.184.216.34, call 415-555-2671"
    assert masked(text, "en") == masked(text, "en")
