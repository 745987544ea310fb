from __future__ import annotations

import random

import pytest

from engine.text.quoting import located

TEXTS = {
    "en": "The well is deep.\n  Its water\tis cold, even in summer.",
    "ar": "البئر عميقة.\n  وماؤها\tبارد حتى في الصيف.",
    "zh": "井很深。\n  即使在夏天，水也是\t凉的。",
    "th": "บ่อน้ำลึกมาก\n  น้ำเย็น\tแม้ในฤดูร้อน",
    "hi": "कुआँ गहरा है।\n  उसका पानी\tगर्मियों में भी ठंडा रहता है।",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_quotation_is_found_whatever_its_white_space(text: str) -> None:
    quote = " ".join(text.split())
    assert located(quote, text) == (0, len(text))
    assert located(f"\n {quote}\n", f"  {text} ") == (2, 2 + len(text))


def test_what_is_found_is_a_place_in_the_text_as_it_is() -> None:
    text = TEXTS["en"]
    start, end = located("deep. Its water is", text) or (0, 0)
    assert text[start:end] == "deep.\n  Its water\tis"


@pytest.mark.parametrize("quote", ["", "  \n", "The well is deep, and", "the well is deep."])
def test_what_is_not_said_is_nowhere(quote: str) -> None:
    assert located(quote, TEXTS["en"]) is None and located(quote, "") is None


def test_a_quotation_does_not_begin_or_end_inside_a_word() -> None:
    assert located("ell is deep", "The well is deep") is None
    assert located("well is dee", "The well is deep") is None
    assert located("is", "This is it") == (5, 7), "the first one that cuts no word"
    assert located("即使在夏天", TEXTS["zh"]) is not None, "Han has no spaces to cut at"
    assert located("น", "น้ำ") is None, "a vowel sign stays with its letter"


def test_every_run_of_whole_words_is_found_at_its_place() -> None:
    draw = random.Random(3)
    words = [draw.choice(["ab", "ba", "a", "b,", "c"]) for _ in range(300)]
    text = "".join(word + draw.choice([" ", "\n", "  \t"]) for word in words)
    for _ in range(200):
        start = draw.randrange(290)
        quote = " ".join(words[start : start + draw.randint(1, 10)])
        begin, end = located(quote, text) or (0, 0)
        assert " ".join(text[begin:end].split()) == quote


def test_a_very_long_text_is_searched_at_once() -> None:
    text = "word " * 200_000 + "the end."
    assert located("word the end.", text) == (999_995, 1_000_008)
