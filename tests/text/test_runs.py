from __future__ import annotations

from random import Random

from engine.text.runs import SharedRun, shared_run
from engine.text.tokens import tokens


def test_a_shared_run_is_found_and_followed_to_its_end():
    a, b = tokens("well the old mill by the lake burned"), tokens("at the old mill by the sea")
    assert shared_run(a, b, 3) == SharedRun(1, 1, 5)
    assert shared_run(a, b, 6) is None
    assert shared_run(tokens("我们走出去看河水"), tokens("他走出去看河"), 3) == SharedRun(2, 1, 5)


def test_nothing_is_shared_with_nothing():
    assert shared_run([], ["a"], 1) is None
    assert shared_run(["a"], [], 1) is None
    assert shared_run(["a"], ["a"], 0) is None


def test_it_agrees_with_looking_everywhere():
    draw = Random(7)
    for _ in range(300):
        a, b = ([draw.choice("xyz") for _ in range(draw.randrange(12))] for _ in range(2))
        least = draw.randrange(1, 6)
        there = any(
            a[i : i + least] == b[j : j + least]
            for i in range(len(a) - least + 1)
            for j in range(len(b) - least + 1)
        )
        run = shared_run(a, b, least)
        assert (run is not None) == there
        if run:
            end_a, end_b = run.begin_a + run.length, run.begin_b + run.length
            assert run.length >= least and a[run.begin_a : end_a] == b[run.begin_b : end_b]


def test_a_very_long_text_is_no_problem():
    text = ["a", "b"] * 150_000
    assert shared_run(text, text[1:], 200_000) == SharedRun(0, 1, 299_998)
