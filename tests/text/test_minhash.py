from __future__ import annotations

import random

import pytest

from engine.text.minhash import RECALL, Index, banding


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_find_a_pair_at_the_threshold_and_use_the_most_rows_that_do(threshold):
    def proposed(bands: int, rows: int) -> float:
        return 1 - (1 - threshold**rows) ** bands

    bands, rows = banding(threshold, 128)
    assert bands * rows <= 128
    assert proposed(bands, rows) >= RECALL
    assert rows == 128 or proposed(128 // (rows + 1), rows + 1) < RECALL


def test_bands_may_be_given():
    assert banding(0.7, 128) == (25, 5)
    assert banding(0.7, 128, bands=9) == (9, 14)
    assert banding(0.01, 16) == (16, 1)


@pytest.mark.parametrize("text", ["twelve little owls", "十二只小猫头鹰", "بوم صغير", "x"])
@pytest.mark.parametrize("threshold", [0.05, 0.7, 1.0])
def test_an_equal_text_is_found_at_every_threshold_and_nothing_foreign_is(text, threshold):
    index = Index(threshold, 5, 64, None, seed=3)
    assert index.admit(text) is None
    assert index.admit("") is None
    assert index.admit("") is None
    assert index.admit("7777777777 8888888888") is None
    assert index.admit(text) == (0, 1.0)


def test_thousands_of_texts_from_one_template_are_told_apart():
    rng = random.Random(4)
    index = Index(0.7, 5, 128, None, seed=3)
    for _ in range(2000):
        about, place = (f"{rng.getrandbits(60):x}" for _ in "ab")
        text = f"write a short and friendly letter about {about} to somebody in {place}"
        assert index.admit(text) is None
    assert index.admit(text + "!").position == 1999


def test_a_megabyte_is_found_again():
    rng = random.Random(5)
    long = "".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(330_000))
    index = Index(0.7, 5, 128, None, seed=3)
    assert index.admit(long) is None
    assert index.admit(long[:-20_000]).position == 0
