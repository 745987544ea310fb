from __future__ import annotations

import random

import pytest

from engine.text.national_ids import SCHEMES, compact
from tests.filters.personal import SHAPES, identity

PUBLISHED = {
    "CN": "11010519491231002X",
    "IT": "MRTMTT91D08F205J",
    "MX": "HEGG560427MVZRRL04",
    "US": "123-45-6789",
    "BR": "529.982.247-25",
    "FR": "255081416802538",
    "RU": "112-233-445 95",
    "ES": "12345678Z",
    "IN": "2341 2341 2346",
    "ZA": "8001015009087",
    "DE": "86095742719",
    "PL": "44051401359",
    "TR": "10000000146",
    "IR": "0499370899",
    "SE": "811218-9876",
    "NL": "111222333",
}
"""Examples that the authorities, or their documentation, print."""


def countries(written: str) -> set[str]:
    return {
        s.country for s in SCHEMES if s.pattern.fullmatch(written) and s.sound(compact(written))
    }


@pytest.mark.parametrize("country", PUBLISHED)
def test_a_published_example_is_one_of_its_country(country):
    assert country in countries(PUBLISHED[country])


@pytest.mark.parametrize("country", ["CN", "IT", "MX", "BR", "RU", "ES", "IN", "ZA", "DE", "TR"])
def test_a_wrong_digit_makes_it_none(country):
    written = PUBLISHED[country]
    at = next(n for n in range(len(written) - 2, 0, -1) if written[n].isdigit())
    wrong = written[:at] + str((int(written[at]) + 1) % 10) + written[at + 1 :]
    assert country not in countries(wrong)


def test_at_least_twenty_countries_are_known_and_the_fixture_makes_each():
    assert len({scheme.country for scheme in SCHEMES}) >= 20
    assert len(SHAPES) == len(SCHEMES)
    rng = random.Random(1)
    for number, scheme in enumerate(SCHEMES):
        assert scheme.country in countries(identity(number, rng))


@pytest.mark.parametrize("digits", ["00000000000", "1" * 11, "0" * 13, "0" * 10])
def test_rows_of_one_digit_are_no_persons(digits):
    assert not countries(digits) & {"BR", "DE", "PL", "IR", "TH", "TR"}


def test_a_number_within_a_longer_one_is_none():
    for scheme in SCHEMES:
        for text in ("9" * 60, "A1" * 30, "1-2-3-4-" * 9):
            assert not [m[0] for m in scheme.pattern.finditer(text) if scheme.sound(compact(m[0]))]
