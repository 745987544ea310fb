from __future__ import annotations

import random

import numpy as np
import pytest

from engine.text.minhash import RECALL, Index, banding
from engine.text.shingles import jaccard, normalise, shingles

LETTERS = {
    "en": "abcdefghijklmnopqrstuvwxyz",
    "ar": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "hi": "कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
    "th": "กขคฆงจฉชซญฐณดตถทธนบปผฝพฟภมยรลวศษสหอฮ",
    "zh": "".join(map(chr, range(0x4E00, 0x5600))),
}


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
    pairs = [[f"{rng.getrandbits(60):x}" for _ in "ab"] for _ in range(2000)]
    texts = [f"write a short and friendly letter about {a} to somebody in {b}" for a, b in pairs]
    assert index.admit_all(texts[:500]) == [None] * 500
    assert index.admit_all(texts[500:]) == [None] * 1500
    assert index.admit(texts[-1] + "!").position == 1999


@pytest.mark.slow
def test_a_megabyte_is_found_again():
    rng = random.Random(5)
    long = "".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(330_000))
    index = Index(0.7, 5, 128, None, seed=3)
    assert index.admit(long) is None
    assert index.admit(long[:-20_000]).position == 0


def families(count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Pairs of a random text and a version of it with a few characters typed anew."""
    pairs = []
    for number in range(count):
        letters = list(LETTERS.values())[number % len(LETTERS)]
        one = rng.choices(letters + " " * (len(letters) // 5), k=rng.randint(60, 110))
        two = list(one)
        for at in rng.sample(range(len(two)), rng.randint(1, 7)):
            two[at] = rng.choice(letters)
        pairs.append((normalise("".join(one)), normalise("".join(two))))
    return pairs


def proposed_by_the_book(
    pairs: list[tuple[str, str]], bands: int, rows: int, rng: np.random.Generator
) -> list[bool]:
    """Whether any band of true random permutations agrees: the method, without a hash function."""
    found = []
    for one, two in pairs:
        left, right = shingles(one), shingles(two)
        union = sorted(left | right)
        in_left = np.array([piece in left for piece in union])
        in_right = np.array([piece in right for piece in union])
        places = rng.random((bands * rows, len(union)), np.float32)
        equal = np.where(in_left, places, 2).argmin(1) == np.where(in_right, places, 2).argmin(1)
        found.append(bool(equal.reshape(bands, rows).all(1).any()))
    return found


def quality(said: list[bool], true: list[bool]) -> tuple[float, float]:
    both = sum(s and t for s, t in zip(said, true, strict=True))
    return both / sum(said), both / sum(true)


@pytest.mark.slow
@pytest.mark.parametrize("threshold, bands, rows", [(0.7, 14, 8), (0.8, 9, 13)])
def test_precision_and_recall_are_within_a_point_of_true_minhash_at_the_same_bands(
    threshold, bands, rows
):
    pairs = families(4000, random.Random(11))
    true = [jaccard(shingles(one), shingles(two)) >= threshold for one, two in pairs]
    assert 900 < sum(true) < 3000
    assert banding(threshold, bands * rows, bands) == (bands, rows)
    ours, book = [], []
    for seed in (1, 2, 3):  # one draw of functions is good for a point and more
        index = Index(threshold, 5, bands * rows, bands, seed)
        twins = index.admit_all([text for pair in pairs for text in pair])
        assert not any(twins[::2])
        ours.append(quality([twin is not None for twin in twins[1::2]], true))
        rng = np.random.default_rng(seed)
        book.append(quality(proposed_by_the_book(pairs, bands, rows, rng), true))
    (precision, recall), (book_precision, book_recall) = np.mean(ours, 0), np.mean(book, 0)
    assert precision == 1 >= book_precision
    assert recall > book_recall - 0.01


def test_blocks_of_any_size_decide_alike():
    texts = [text for pair in families(300, random.Random(12)) for text in (*pair, pair[0], "")]
    random.Random(1).shuffle(texts)
    whole = Index(0.7, 5, 128, None, seed=3).admit_all(texts)
    index = Index(0.7, 5, 128, None, seed=3)
    assert [twin for n in range(0, 1200, 7) for twin in index.admit_all(texts[n : n + 7])] == whole
    index = Index(0.7, 5, 128, None, seed=3)
    assert [index.admit(text) for text in texts] == whole
    assert sum(twin is not None for twin in whole) > 400


def test_nothing_to_admit_is_no_decision():
    index = Index(0.7, 5, 128, None, seed=3)
    assert index.admit_all([]) == []
    assert index.admit_all(["", ""]) == [None, None]
