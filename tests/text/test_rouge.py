from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.scoring import fmeasure

from engine.text.rouge import Match, Pool, f_measure, rouge_l
from engine.text.tokens import tokens

LIBRARY = RougeScorer(["rougeL"])
WORDS = st.sampled_from(["a", "b", "c", "d", "你", "好", "нет", "दो"])
TEXTS = st.lists(WORDS, max_size=14)


def brute_force(pool: list[list[str]], asked: list[str], floor: float) -> Match | None:
    scored = [Match(at, rouge_l(member, asked)) for at, member in enumerate(pool)]
    best = max(scored, key=lambda match: match.similarity, default=Match(0, 0.0))
    return best if best.similarity and best.similarity >= floor else None


def test_the_f_measure_is_that_of_rouge_score_to_the_last_bit_in_either_order():
    for left in range(1, 31):
        for right in range(1, 31):
            for lcs in range(1, min(left, right) + 1):
                expected = fmeasure(lcs / right, lcs / left)
                assert f_measure(lcs, left, right) == f_measure(lcs, right, left) == expected


def test_pairs_that_are_seven_tenths_on_paper_fall_on_the_side_where_rouge_score_puts_them():
    assert f_measure(7, 10, 10) == 0.7
    assert f_measure(7, 7, 13) > 0.7
    for left, right in [(10, 10), (7, 13), (8, 12), (9, 11)]:
        shared = [f"w{n}" for n in range(7)]
        one = " ".join([*shared, *(f"x{n}" for n in range(left - 7))])
        two = " ".join([*shared, *(f"y{n}" for n in range(right - 7))])
        expected = LIBRARY.score(one, two)["rougeL"].fmeasure
        assert rouge_l(tokens(one), tokens(two)) == expected
        pool = Pool(0.7)
        pool.add(tokens(one))
        assert pool.nearest(tokens(two)) == Match(0, expected)


@given(st.text("ab cdA-'.\n", max_size=40), st.text("ab cdA-'.\n", max_size=40))
def test_english_scores_are_those_of_rouge_score(left, right):
    assert rouge_l(tokens(left), tokens(right)) == LIBRARY.score(left, right)["rougeL"].fmeasure


def test_equal_chinese_texts_are_equal_though_rouge_score_sees_nothing_in_them():
    text = "请写一首关于春天的短诗。"
    assert LIBRARY.score(text, text)["rougeL"].fmeasure == 0
    assert rouge_l(tokens(text), tokens(text)) == 1


@settings(max_examples=300)
@given(st.lists(TEXTS, max_size=12), TEXTS, st.sampled_from([0, 0.2, 0.5, 0.6, 0.7, 2 / 3, 1.0]))
def test_the_nearest_is_the_one_brute_force_finds(members, asked, floor):
    pool = Pool(floor)
    for member in members:
        pool.add(member)
    assert pool.nearest(asked) == brute_force(members, asked, floor)


def test_the_nearest_is_exact_among_hundreds_with_common_and_rare_words():
    rng = random.Random(5)
    words = [f"w{n}" for n in range(300)]
    weights = [1 / rank for rank in range(1, 301)]
    members = [rng.choices(words, weights, k=rng.randint(1, 25)) for _ in range(400)]
    for floor in (0.3, 0.7):
        pool = Pool(floor)
        for at, member in enumerate(members):
            assert pool.nearest(member) == brute_force(members[:at], member, floor)
            pool.add(member)


def test_nothing_is_near_to_an_empty_text_nor_an_empty_text_to_anything():
    pool = Pool(0.0)
    assert pool.nearest([]) is None
    assert pool.nearest(["a"]) is None
    pool.add([])
    assert pool.nearest([]) is None
    pool.add(["a"])
    assert pool.nearest([]) is None
    assert pool.nearest(["a"]) == Match(1, 1.0)
    assert rouge_l([], []) == rouge_l(["a"], []) == 0


@pytest.mark.parametrize("piece", ["lorem ipsum dolor ", "长文字"])
@pytest.mark.slow
def test_a_text_of_a_megabyte_is_found_again(piece):
    words = tokens(piece * (1_000_000 // len(piece.encode())))[:60_000]
    pool = Pool(0.7)
    pool.add(words)
    assert pool.nearest(words[:-1000]) == Match(0, f_measure(59_000, 59_000, 60_000))
