from __future__ import annotations

import zipfile

import pytest

from engine.text.lengths import tokens_per_word, words
from engine.text.tokens import tokens
from tests.conftest import SHARED, needs_shared


@pytest.mark.parametrize(
    "text, length",
    [
        ("", 0),
        (" \n", 0),
        ("It's 3 o'clock", 5),
        ("字" * 20, 13),
        ("ひらがな", 2),
        ("กขคง", 1),
        ("नमस्ते दुनिया", 2),
        ("用 Python 写", 3),
        (">", 1),
        ("🌊", 1),
        ("word " * 200_000, 200_000),
    ],
)
def test_words_are_counted_in_every_script(text, length):
    assert words(text) == length


def test_tokens_per_word_tells_scripts_apart():
    assert tokens_per_word([]) == 1
    assert tokens_per_word(tokens("one two")) == 1
    assert tokens_per_word(tokens("ภาษาไทย")) == 4


@needs_shared
@pytest.mark.parametrize(
    "language", ["cmn_hans", "cmn_hant", "jpn", "khm", "lao", "mya", "tha", "bod", "iii", "arb"]
)
def test_the_same_text_is_about_as_long_in_every_language(language):
    with zipfile.ZipFile(SHARED / "udhr2.zip") as archive:
        english, other = (
            words(archive.read(f"udhr2/{name}.txt").decode()) for name in ("eng", language)
        )
    assert 0.75 < other / english < 1.25
