from __future__ import annotations

from collections import Counter

import pytest

from engine import charts
from engine.text.rouge import rouge_l
from engine.text.tokens import tokens
from engine.text.verbs import Opening


def test_a_histogram_holds_every_length_once_in_bars_that_touch():
    bars = charts.histogram([Counter({0: 1, 5: 2}), Counter({5: 1, 7: 4})])
    assert bars == [(0, 1), (1, 0), (2, 0), (3, 0), (4, 3), (6, 4)]


def test_a_wide_histogram_has_one_bar_for_every_doubling():
    bars = charts.histogram([Counter({1: 1, 100_000: 2})])
    assert bars[0] == (1, 1)
    assert bars[-1] == (65_536, 2)
    assert [begin for begin, _ in bars] == [2**n for n in range(17)]


def test_no_lengths_make_no_bars():
    assert charts.histogram([]) == []


@pytest.mark.parametrize(
    ("values", "middle"), [([], 0), ([7], 7), ([1, 2], 1.5), ([1, 1, 9], 1), ([3, 3, 4, 9], 3.5)]
)
def test_the_median_of_counted_values(values, middle):
    assert charts.median(Counter(values)) == middle


def test_the_nearest_other_is_the_one_that_comparing_all_pairs_finds():
    lines = ["a b c d", "a b c e", "x y", "erkläre die flut", "die flut", "a b c d", "解释潮汐"]
    texts = [tokens(line) for line in lines]
    pairs = [
        max(rouge_l(text, other) for j, other in enumerate(texts) if i != j)
        for i, text in enumerate(texts)
    ]
    assert charts.nearest(texts) == pairs
    assert pairs[0] == 1.0
    assert pairs[2] == 0.0


def test_languages_are_compared_apart_and_who_is_alone_is_counted():
    found = charts.nearness({"en": [["a", "b"], ["a", "b"]], "de": [["a", "b"]]})
    assert (found["compared"], found["alone"], found["close"]) == (2, 1, 2)
    assert found["bars"][19] == 2


def test_words_are_those_most_frequent_with_their_followers():
    openings = Counter({Opening("write", "poem"): 3, Opening("write", ""): 2})
    openings += Counter({Opening("list", "rivers"): 1})
    assert charts.words_of(openings, 2, 4) == [
        ("write", 5, [("poem", 3)]),
        ("list", 1, [("rivers", 1)]),
    ]


def test_slices_fill_the_inner_ring_and_stay_over_their_first_word():
    parts = list(charts.slices([("a", 3, [("x", 2)]), ("b", 1, [("y", 1)])]))
    assert [(p.begin, p.end) for p in parts if not p.outer] == [(0, 0.75), (0.75, 1)]
    assert [(p.begin, p.end) for p in parts if p.outer] == [(0, 0.5), (0.75, 1)]


def test_a_slice_of_the_whole_ring_is_drawn():
    (part,) = charts.slices([("a", 3, [])])
    path = charts.arc(part, 10, 20)
    begin, end = path[1:].split("A")[0], path.split("L")[0].rsplit(" ", 2)[-2:]
    assert begin.split() != end


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 5, "0.0 %"),
        (1, 3, "33.3 %"),
        (5, 5, "100.0 %"),
        (1, 10**6, "<0.1 %"),
        (10**6 - 1, 10**6, ">99.9 %"),
        (0, 0, "–"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(part, whole, told):
    assert charts.share(part, whole) == told


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "0"),
        (35.5, "35.5"),
        (999, "999"),
        (1000, "1k"),
        (1234, "1.2k"),
        (123_456, "123k"),
        (999_999, "1M"),
        (5_600_000, "5.6M"),
    ],
)
def test_large_numbers_are_told_in_few_characters(number, told):
    assert charts.compact(number) == told


def test_a_long_word_is_cut_and_a_wide_one_sooner():
    assert charts.fit("short", 8) == "short"
    assert charts.fit("extraordinarily", 5) == "extraor…"
    assert len(charts.fit("解释潮汐解释潮汐", 5)) < len(charts.fit("extraordinarily", 5))
