from __future__ import annotations

import random
from typing import Any

import pytest

from engine.languages.restating import aligned, carried, demonstrated, restated, version
from engine.languages.switching import Swap, restored

TEXT = "Goats eat 3 leaves. Why?"
SEGMENTS = [
    {"text": "Goats eat 3 leaves.", "sw": "Mbuzi hula majani 3.", "zh-Hans": "山羊吃3片叶子。"},
    {"text": "Why?", "sw": "Kwa nini?"},
]


def test_segments_that_are_all_of_a_text_are_its_version() -> None:
    assert aligned(TEXT, SEGMENTS, "sw") == "Mbuzi hula majani 3. Kwa nini?"
    assert aligned(f"  {TEXT}\n", SEGMENTS, "sw") == "  Mbuzi hula majani 3. Kwa nini?\n"


@pytest.mark.parametrize(
    ("text", "segments", "tag"),
    [(TEXT, SEGMENTS, "zh-Hans"), (TEXT, SEGMENTS, "de"), (TEXT, [], "sw"), ("", SEGMENTS, "sw"),
     (TEXT, [{"text": TEXT, "sw": None}], "sw"), (TEXT, [{"text": TEXT, "sw": 5}], "sw"),
     ("None", [{"text": None, "sw": "Hakuna"}], "sw"),
     (f"{TEXT} 多少", SEGMENTS, "sw"), (TEXT, SEGMENTS[::-1], "sw"),
     ("山" * 50_000, SEGMENTS, "sw")],
)  # fmt: skip
def test_segments_that_are_not_all_of_it_are_none(text: str, segments: Any, tag: str) -> None:
    assert aligned(text, segments, tag) == ""


def test_a_version_is_asked_for_only_where_there_is_something_to_say() -> None:
    assert version(TEXT, [], "en", "en").text == TEXT
    assert version("12 × 3 = ?", [], "en", "th").sound, "no words"
    assert version(TEXT, SEGMENTS, "en", "sw").sound
    assert not version(TEXT, SEGMENTS, "en", "zh-Hans").sound


def test_every_number_and_every_mark_is_to_be_carried_along() -> None:
    assert carried(version("Run `f(3)` 2 times, then 2 more: 1,5 and ٧.", [], "en", "de")) == [
        "⟦0⟧", "2", "2", "1,5", "٧",
    ]  # fmt: skip
    assert carried(version("", [], "en", "de")) == []


@pytest.mark.parametrize(
    ("reply", "tag", "fault"),
    [
        ("山羊吃3片叶子。为什么？", "zh-Hans", ""),
        ("山羊吃三片叶子。为什么？", "zh-Hans", "numbers_differ"),
        ("बकरियाँ ३ पत्ते खाती हैं। क्यों?", "hi", ""), ("แพะกินใบไม้ 3 ใบ ทำไม", "th", ""),
        ("الماعز يأكل ٣ أوراق. لماذا؟", "ar", ""),
        ("الماعز يأكل ٣ أوراق. لماذا؟", "hi", "wrong_script"),
        ("", "th", "empty_translation"), (TEXT, "de", "copied_source"),
    ],
)  # fmt: skip
def test_a_restatement_is_a_translation_with_the_same_numbers(
    reply: str, tag: str, fault: str
) -> None:
    unit = restated(version(TEXT, [], "en", tag), reply, "en")
    assert (unit.fault, unit.sound, unit.take) == (fault, not fault, 1)


def test_an_example_is_switched_and_can_be_switched_back() -> None:
    example = {"id": "e", "instruction": TEXT, "response": "Hunger.", "segments": SEGMENTS}
    turns, noted = demonstrated(example, ("en", "sw"), {}, 1.0, random.Random(1))
    assert [turn.content for turn in turns] == ["Mbuzi hula majani 3. Kwa nini?", "Hunger."]
    assert restored(turns[0].content, [Swap(**swap) for swap in noted["swaps"]]) == TEXT
    bare = {"instruction": TEXT, "response": "Hunger."}
    turns, noted = demonstrated(bare, ("en", "sw"), {}, 1.0, random.Random(1))
    assert turns[0].content == TEXT and (noted["chances"], noted["swaps"]) == (0, [])
    turns, noted = demonstrated(bare, ("en", "sw"), {"leaves": ("majani",)}, 1.0, random.Random(1))
    assert turns[0].content == "Goats eat 3 majani. Why?" and noted["chances"] == 1
