from __future__ import annotations

from engine.symbolic.rewriting import Rule
from engine.symbolic.worded import alphabet_for, given, instructions, listed, words_for

RULES = [Rule("{right}", "b"), Rule("ab", "{left}")]


def test_every_language_says_both_sides_of_every_rule_and_shows_no_slot() -> None:
    assert {"en", "de", "es", "zh", "ar", "hi", "th", "sw"} <= set(listed())
    for tag in listed():
        words = words_for(tag)
        assert words and alphabet_for(tag)
        for mode in ("one", "step", "repeat"):
            for told in instructions([Rule("qx", "zv"), Rule("kk", "jj")], mode, words):  # type: ignore[arg-type]
                assert "qx" in told and "zv" in told and "{" not in told and words.form in told
                assert ("kk" in told) == (mode != "one")
        assert given("qqq", words).endswith("qqq")


def test_sides_that_look_like_slots_are_text() -> None:
    words = words_for("en")
    assert words
    [told] = instructions(RULES, "step", words)
    assert "1. “{right}” becomes “b”\n2. “ab” becomes “{left}”" in told


def test_letters_are_those_of_the_script_each_once() -> None:
    assert alphabet_for("de").startswith("abc") and alphabet_for("th").startswith("ก")
    assert alphabet_for("sr-Latn").startswith("abc") and alphabet_for("sr").startswith("аб")
    assert alphabet_for("xx") == ""
    for tag in (*listed(), "ko", "ja", "he", "ta", "bn", "ru", "el", "zh-Hant"):
        letters = alphabet_for(tag)
        assert len(set(letters)) == len(letters) >= 18 and letters.isalpha()
