from __future__ import annotations

import pytest

from engine.text.openings import first_words, search
from engine.text.phrases import folded, matcher, phrase_lists

PHRASES = ("[please | ] stop [now | here]", "请 [立即 | ] 停止", "قف [الآن | فورا]", "หยุด")


@pytest.mark.parametrize(
    "text, said",
    [
        ("I say: please stop here!", "please stop here"),
        ("STOP now", "stop now"),
        ("nonstop now", ""),
        ("请停止", "请 停 止"),
        ("إذن قِف الآن", "قف الان"),
        ("กรุณาหยุด", "ห ยุ ด"),
        ("", ""),
        ("word " * 200_000 + "stop now", "stop now"),
    ],
)
def test_a_phrase_is_found_where_it_begins(text, said):
    assert search(folded(text), PHRASES) == said


def test_a_phrase_may_begin_with_what_can_be_left_out():
    assert first_words(PHRASES) == {"please", "stop", "请", "قف", "ห"}
    assert search(folded("anything"), ()) == ""


@pytest.mark.parametrize("file", ["refusals.yaml", "injections.yaml"])
def test_no_phrase_of_the_lists_can_begin_with_another_word(file):
    """The shortcut finds what trying every word finds: first alternatives of each phrase."""
    for kinds in phrase_lists(file).values():
        for phrase in (p for phrases in kinds.values() for p in phrases):
            said = folded(phrase.replace("[", " ").replace("]", " ").replace("...", " "))
            for word in first_words((phrase,)):
                assert f" {word} " in said
            assert first_words((phrase,)), phrase
            assert matcher((phrase,))
