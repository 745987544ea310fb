import pytest

from engine.text.wording import capitalised, word_count


def test_words_are_between_spaces_or_worth_some_characters():
    assert word_count("Don't re-sell it") == 3
    assert word_count("写诗") == 2
    assert word_count("写一首关于秋天的诗") == 6
    assert word_count("") == 0
    assert word_count("字" * 100_000) == 65_000


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("erkläre NASA", "de", "Erkläre NASA"),
        ("über uns", "de", "Über uns"),
        ("¿qué es?", "es", "¿Qué es?"),
        ("istanbul'u anlat", "tr", "İstanbul'u anlat"),
        ("iPhone or not", "en", "iPhone or not"),
        ("ßa", "de", "ßa"),
        ("ახსენი", "ka", "ახსენი"),
        ("写诗", "zh", "写诗"),
        ("", "en", ""),
        ("¿", "es", "¿"),
    ],
)
def test_only_the_first_letter_is_capitalised(text: str, language: str, expected: str):
    assert capitalised(text, language) == expected


def test_a_long_text_keeps_its_length():
    assert capitalised("é" * 1_000_000, "fr") == "É" + "é" * 999_999
