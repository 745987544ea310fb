"""The semantic oracle: the response follows from the sentences, read by a reader of their own."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from engine.text.mosaic_words import Words, listed, words_for
from engine.text.mosaics import (
    LAYOUTS,
    NUMBERS,
    STOPS,
    WRAPPERS,
    Rule,
    answered,
    asked,
    plan,
    replied,
)

LANGUAGES = sorted(listed())
STOCK = {
    "zh": [
        "写信",
        "算一算账",
        "说出三种颜色",
        "解释为什么下雨",
        "把句子翻译成英语吧",
        "列出八种水果的名字",
    ],
    "ar": [
        "اكتب رسالة",
        "احسب ثمن الخبز هنا",
        "لماذا ينزل المطر",
        "عدد",
        "اذكر خمسة ألوان في جملة واحدة",
    ],
    "": [
        "Zeta",
        "alpha two",
        "Éclair number three",
        "beta is four words",
        "one two three four five",
    ],
}


def stock(language: str) -> list[str]:
    return STOCK.get(language, STOCK[""])


def pattern(sentence: str) -> str:
    """The sentence as a pattern, its slots as groups."""
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(sentence))


def read(meta: str, kinds: dict[str, tuple[str, ...]]) -> tuple[str, dict[str, str]]:
    """Which kind a sentence at the end of ``meta`` asks for, and with what in its slots."""
    found = [
        (len(sentence), kind, match.groupdict())
        for kind, sentences in kinds.items()
        for sentence in sentences
        if (match := re.search(pattern(sentence) + r"$", meta))
    ]
    assert found, meta
    return max(found)[1:]


def expected(kind: str, slots: dict[str, str], asks: list[str], words: Words) -> list[int]:
    """Worked out by hand, as a reader would; nothing of the engine's own is used."""
    n = len(asks)
    named = [int(each) for each in slots.get("numbers", "").split(words.comma) if each]
    many = int(slots.get("amount", 0))
    wordy = sorted(range(1, n + 1), key=lambda i: len(asks[i - 1].split()))
    long = sorted(range(1, n + 1), key=lambda i: len(asks[i - 1]))
    plain = [text.lower().replace("é", "e") for text in asks]
    by_letter = [plain.index(text) + 1 for text in sorted(plain)]
    odd, even = [i for i in range(1, n + 1) if i % 2], [i for i in range(1, n + 1) if not i % 2]
    hidden = {
        "listed": named,
        "longest_words": wordy[n - many :],
        "shortest_words": wordy[:many],
        "longest_characters": long[n - many :],
        "shortest_characters": long[:many],
        "odd": odd,
        "even": even,
    }
    if kind in hidden:
        return [i for i in range(1, n + 1) if i not in hidden[kind]]
    return {
        "fixed": named,
        "reverse": list(range(n, 0, -1)),
        "alphabetical": by_letter,
        "reverse_alphabetical": by_letter[::-1],
        "words": wordy,
        "reverse_words": wordy[::-1],
        "characters": long,
        "reverse_characters": long[::-1],
        "odd_even": odd + even,
        "even_odd": even + odd,
    }[kind]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("strategy", ["order", "mask"])
def test_whoever_reads_the_sentences_can_work_the_response_out(
    language: str, strategy: str
) -> None:
    words, seen = listed()[language], Counter[str]()
    kinds = dict(words.orders if strategy == "order" else words.masks)
    for draw in range(150):
        rng = random.Random(draw)
        asks = rng.sample(stock(language), rng.randint(2, len(stock(language))))
        chosen = plan(asks, words, [strategy], rng)
        kind, slots = read(chosen.meta, kinds)
        seen[kind] += 1
        order = answered(chosen.rule, asks)
        assert order == expected(kind, slots, asks, words), (chosen.meta, asks)
        assert order, "a mask that takes everything"
        answers = [f"answer{n}." for n in range(1, len(asks) + 1)]
        said = re.findall(r"answer(\d+)\.", replied(chosen, answers, order))
        assert [int(n) for n in said] == order
    assert seen.keys() == kinds.keys(), "every kind is drawn"


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_and_tags_are_written_as_the_sentences_say(language: str) -> None:
    words, numbered, tagged = listed()[language], 0, 0
    for draw in range(80):
        chosen = plan(stock(language)[:2], words, ["format"], random.Random(draw))
        text = replied(chosen, ["first", "second"], [1, 2])
        lines = text.split("\n")
        if chosen.number:
            numbered += 1
            example = chosen.number.replace("{}", "1")
            assert example in chosen.meta and text.startswith(example)
            assert chosen.number.replace("{}", "2") in text
            assert (lines[0] == example) == chosen.above
        if chosen.tags[0]:
            tagged += 1
            assert all(tag in chosen.meta and text.count(tag) == 2 for tag in chosen.tags)
        assert not re.search(r"\{(count|example|begin|end)\}", chosen.meta), chosen.meta
    assert 20 < numbered < 60 and 20 < tagged < 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_instruction_forces_the_format_alone(language: str) -> None:
    words = listed()[language]
    for draw in range(20):
        chosen = plan(["Nur eine"], words, ["order", "mask"], random.Random(draw))
        assert (chosen.strategy, chosen.rule) == ("format", Rule())
        assert any(chosen.meta.startswith(each) for each in words.single)


def test_what_is_as_long_as_another_is_put_in_no_order_by_length() -> None:
    asks = ["ab cd", "ef gh", "ij kl"]
    for draw in range(60):
        chosen = plan(asks, listed()["en"], ["order", "mask"], random.Random(draw))
        assert not chosen.rule.kind.endswith(("words", "characters")), chosen.rule


def test_every_number_style_is_used_and_the_plain_one_too() -> None:
    seen = set()
    for draw in range(1500):
        seen.add(plan(["a b", "c"], listed()["en"], ["format"], random.Random(draw)).number)
    assert seen == {"", *(n.format("{}") + stop for n in NUMBERS for stop in STOPS)}


def test_there_are_as_many_styles_as_the_paper_has() -> None:
    assert (len(NUMBERS), len(STOPS), len(WRAPPERS), len(LAYOUTS)) == (10, 3, 27, 4)
    assert len(set(WRAPPERS)) == 27 and len(listed()["en"].orders) == 10


def test_braces_of_an_instruction_stay_as_they_are() -> None:
    chosen = plan(["{meta} {rows}", "{}"], listed()["de"], ["format"], random.Random(1))
    assert "[1] {meta} {rows}\n\n[2] {}" in asked(chosen, ["{meta} {rows}", "{}"])


@pytest.mark.parametrize("texts", [["", "x"], ["字" * 50_000, "слово"], ["a " * 50_000, "b"]])
def test_empty_and_endless_instructions_are_laid_out(texts: list[str]) -> None:
    chosen = plan(texts, listed()["en"], ["order", "mask"], random.Random(2))
    assert all(text.strip() in asked(chosen, texts) for text in texts)
    assert set(answered(chosen.rule, texts)) <= {1, 2}


def test_a_language_is_its_own_or_none() -> None:
    assert words_for("de-AT") is listed()["de"] and words_for("zh-Hans") is listed()["zh"]
    assert words_for("yo") is None and words_for("sr-Latn") is None
