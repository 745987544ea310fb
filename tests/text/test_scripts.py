import pytest

from engine.text.scripts import script, share_in_script


def test_the_script_is_named_by_the_tag_or_else_likely():
    tags = {"de": "Latn", "hi": "Deva", "ar": "Arab", "zh": "Hans", "zh-TW": "Hant", "sr": "Cyrl"}
    assert {tag: script(tag) for tag in tags} == tags
    assert script("sr-Latn") == script("sr_latn") == "Latn"
    assert script("qqq") == ""


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Straße", "de"),
        ("写一首诗", "zh-Hant"),
        ("カタカナとかな、漢字ー", "ja"),
        ("한국어 漢字", "ko"),
        ("لخّص الفقرة", "ar"),
        ("लिखें", "hi"),
        ("เขียน", "th"),
        ("Andika", "sw"),
    ],
)
def test_a_text_in_its_language_is_wholly_in_its_script(text: str, tag: str):
    assert share_in_script(text, tag) == 1
    assert share_in_script(text, "am") == 0


def test_words_count_not_letters():
    assert share_in_script("翻译 freedom of speech", "zh") == 2 / 5
    assert share_in_script("अर्थ meaning", "hi") == 1 / 2


def test_nothing_and_unknown_scripts_are_not_held_against_a_text():
    assert share_in_script("", "hi") == share_in_script("1 + 1 = 2", "hi") == 1
    assert share_in_script("anything", "qqq") == 1
    assert share_in_script("क ख " * 100_000, "hi") == 1
