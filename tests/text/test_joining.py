from __future__ import annotations

import pytest

from engine.text.joining import alternatives, joined
from engine.text.phrases import phrase_lists


@pytest.mark.parametrize(
    ("text", "parts", "language", "fault"),
    [
        ("Name herbs and vegetables.", ["Name herbs.", "Name vegetables."], "en", ""),
        ("Name herbs or vegetables.", ["Name herbs.", "Name vegetables."], "en", "joined_by_or"),
        ("Tea or coffee: which wakes, and why?", ["Tea or coffee?", "Why tea?"], "en", ""),
        ("Name herbs. Then: name vegetables!", ["Name herbs.", "Name vegetables."], "en",
         "both_side_by_side"),
        ("name HERBS", ["Name herbs.", "Name vegetables."], "en", "copied_original"),
        ("写出香草或蔬菜。", ["写出香草。", "写出蔬菜。"], "zh-Hans", "joined_by_or"),
        ("ก หรือ ข", ["ก", "ค"], "th", "joined_by_or"),
        ("Ipsa aut altera", ["Ipsa", "Altera"], "la", "both_side_by_side"),
        ("Ipsa aut ultra", ["Ipsa", "Altera"], "la", ""),  # not listed
        (" ... ", ["a", "b"], "en", "empty_merge"),
        ("", ["a", "b"], "en", "empty_merge"),
        ("or " * 50_000, ["a", "b"], "en", "joined_by_or"),
    ],
)  # fmt: skip
def test_a_join_is_no_merger(text: str, parts: list[str], language: str, fault: str) -> None:
    assert joined(text, parts, language) == fault


def test_a_word_within_a_word_is_none() -> None:
    assert alternatives("The story of a doctor or two", "en") == 1


def test_every_listed_word_is_found_in_its_language() -> None:
    for tag, lists in phrase_lists("merge.yaml").items():
        for word in lists["or"]:
            assert alternatives(f"A {word} B", tag) == 1, (tag, word)
