from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.shingles import jaccard, normalise, shingles


@pytest.mark.parametrize(
    "text, expected",
    [
        ("  Two\n\twords ", "two words"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("STRASSE straße", "strasse strasse"),
        ("ＡＢＣ你好　世界", "abc你好 世界"),
        ("half \ud83d of a pair", "half � of a pair"),
        ("", ""),
        (" \u3000\n", ""),
    ],
)
def test_the_same_text_is_written_one_way(text, expected):
    assert normalise(text) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("abcdefg", {"abcde", "bcdef", "cdefg"}),
        ("абвгдеж", {"абвгд", "бвгде", "вгдеж"}),
        ("春天的花", {"春天的", "天的花"}),
        ("用abcdefg", {"用ab", "abcde", "bcdef", "cdefg"}),
        ("abc", {"abc"}),
        ("花", {"花"}),
        ("", set()),
    ],
)
def test_pieces_are_shorter_where_a_character_says_more(text, expected):
    assert shingles(text) == expected


@given(st.text(alphabet=st.sampled_from("ab 花の한ก"), max_size=30), st.integers(1, 8))
def test_every_text_but_the_empty_one_has_pieces_and_all_are_in_it(text, size):
    pieces = shingles(text, size)
    assert bool(pieces) == bool(text)
    assert all(piece and piece in text and len(piece) <= size for piece in pieces)


def test_one_changed_word_weighs_about_the_same_in_english_and_chinese():
    english = [
        f"please write a short friendly letter to an old {x} about the coming spring holiday"
        for x in ("friend", "sister")
    ]
    chinese = [f"请写一封简短而友好的信给一位{x}谈谈即将到来的春节" for x in ("老友", "姐妹")]
    for one, two in (english, chinese):
        assert 0.6 < jaccard(shingles(one), shingles(two)) < 0.85


def test_similarity_is_shared_pieces_over_all_pieces_and_zero_for_nothing():
    assert jaccard({"a", "b", "c"}, {"b", "c", "d"}) == 0.5
    assert jaccard(set(), set()) == jaccard({"a"}, set()) == jaccard({"a"}, {"b"}) == 0


@pytest.mark.slow
def test_a_megabyte_in_either_kind_of_script_is_cut_into_pieces():
    assert len(shingles(normalise("Lorem ipsum dolor " * 55_000))) == 18
    assert len(shingles(normalise("长长的文字" * 70_000))) == 5
