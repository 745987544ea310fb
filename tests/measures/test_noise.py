from __future__ import annotations

import random
import unicodedata

import pytest
import regex

from engine.measures.noise import mistyped

TEXTS = [
    "Explain why the tides turn.",
    "Erkläre, warum sich die Gezeiten ändern.",
    "请解释潮汐为什么会变化。",
    "اشرح لماذا يتغير المد والجزر.",
    "ज्वार-भाटा क्यों बदलता है, समझाइए।",
    "อธิบายว่าทำไมน้ำขึ้นน้ำลงจึงเปลี่ยน",
    "Eleza kwa nini maji kupwa na kujaa hubadilika.",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_few_characters_differ_and_none_is_torn(text: str) -> None:
    for n in range(20):
        noisy = mistyped(text, 0.05, random.Random(n))
        whole = set(regex.findall(r"\X", text))
        assert all(unicodedata.category(each[0])[0] != "M" for each in regex.findall(r"\X", noisy))
        assert set(noisy) <= set(text) and set(regex.findall(r"\X", noisy)) & whole
        assert abs(len(noisy) - len(text)) <= 8
    assert len({mistyped(text, 0.05, random.Random(n)) for n in range(20)}) > 10


def test_the_same_draw_gives_the_same_text() -> None:
    assert mistyped(TEXTS[0], 0.2, random.Random(1)) == mistyped(TEXTS[0], 0.2, random.Random(1))


@pytest.mark.parametrize("text", ["", " ", "a", "\n\n", "é"])
def test_a_text_without_two_characters_stays(text: str) -> None:
    assert mistyped(text, 0.5, random.Random(1)) == text


@pytest.mark.slow
def test_a_megabyte_and_odd_characters_are_taken() -> None:
    text = "語 word \ud800\x00" * 100_000
    assert 0 < abs(len(mistyped(text, 0.01, random.Random(1))) - len(text)) < 10_000
