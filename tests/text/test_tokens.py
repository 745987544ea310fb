from __future__ import annotations

import pytest
from rouge_score.tokenize import tokenize

from engine.text.tokens import is_unspaced, tokens


@pytest.mark.parametrize("text", ["Don't panic: it's 3.14!", "", "  A-B c_d  ", "x" * 100_000])
def test_english_tokens_are_those_of_rouge_score(text):
    assert tokens(text) == [t for t in tokenize(text, None) if t]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Größe, ÉTÉ", ["größe", "été"]),
        ("你好，世界", ["你", "好", "世", "界"]),
        ("ภาษา", ["ภ", "า", "ษ", "า"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("用Python写", ["用", "python", "写"]),
    ],
)
def test_every_script_has_tokens(text, expected):
    assert tokens(text) == expected


def test_unspaced_is_decided_by_the_majority_of_letters():
    assert is_unspaced("用 Python 写一个很长的程序")
    assert not is_unspaced("the character 字 in a sentence")
    assert not is_unspaced("")
