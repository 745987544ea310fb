from __future__ import annotations

import pytest

from engine.text.repetition import longest_run, repeated_lines, repeated_ngrams
from engine.text.tokens import tokens


@pytest.mark.parametrize(
    "text, n, share",
    [
        ("", 3, 0.0),
        ("a b c", 3, 0.0),
        ("a b c d e f", 2, 0.0),
        ("a b c a b c", 3, 0.5),
        ("a b c d a b", 2, 2 / 6),
        ("x x x x", 1, 3 / 4),
        ("天地玄黄天地玄黄", 4, 0.5),
        ("ab " * 100_000, 8, 1 - 8 / 100_000 + 7 / 100_000),
    ],
)
def test_tokens_of_later_occurrences_are_counted_once(text, n, share):
    assert repeated_ngrams(tokens(text), n) == pytest.approx(share)


def test_ngrams_agree_with_the_plain_definition():
    found = tokens("a b a c a b b a c a b a b a c " * 3 + "d e f a b")
    for n in range(1, 9):
        seen, covered = set(), set()
        for at in range(len(found) - n + 1):
            gram = tuple(found[at : at + n])
            covered |= set(range(at, at + n)) if gram in seen else set()
            seen.add(gram)
        assert repeated_ngrams(found, n) == pytest.approx(len(covered) / len(found)), n


def test_lines_count_by_their_characters_and_short_ones_do_not():
    assert repeated_lines("") == 0
    assert repeated_lines("yes\nno\nyes\nyes\n---\n---") == 0
    assert repeated_lines("one two three\n  one two three") == 0.5
    assert repeated_lines("一二三四五六\n一二三四五六\n甲乙丙丁戊己") == pytest.approx(1 / 3)
    assert repeated_lines("one two three\n" * 70_000) > 0.99


@pytest.mark.parametrize(
    "text, unit, times",
    [
        ("so " * 9, "so", 9),
        ("嗯" * 12, "嗯", 12),
        ("Ha, ha! HA ha ha ha ha ha ha", None, 0),
        ("नहीं " * 8, "नहीं", 8),
        ("item 1, item 2, item 3, item 4, item 5, item 6, item 7, item 8", None, 0),
        ("----------------------", None, 0),
        ("", None, 0),
        ("a" * 1_000_000, "a", 1_000_000),
    ],
)
def test_a_unit_is_found_with_its_count(text, unit, times):
    run = longest_run(text)
    assert (run and run.unit, run.times if run else 0) == (unit, times)


def test_a_run_knows_its_share_of_the_text():
    assert longest_run("abcdefghij" + "x" * 10).share == 0.5
