"""Text that UTF-8 has no form for is repaired; all other text is left alone."""

import pytest

from engine.text.clean import clean


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("", ""),
        ("Größe\x00\n", "Größe\x00\n"),
        ("大小 😀", "大小 😀"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00\ud83d大", "\ufffd\ufffd大"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_only_half_surrogate_pairs_are_replaced(text, repaired):
    assert clean(text) == repaired


def test_a_very_long_text_is_repaired_in_one_place_only():
    assert clean("长" * 500_000 + "\ud800") == "长" * 500_000 + "\ufffd"
