from __future__ import annotations

import pytest

from engine import shipped
from engine.text.phrases import folded, matcher, phrase_lists, phrases_for


def found(phrase, text):
    hit = matcher((phrase,)).search(folded(text))
    return hit[0].strip() if hit else None


@pytest.mark.parametrize(
    "phrase, text, hit",
    [
        ("I can't help with", "Sorry — I CAN’T help, with this", "i can t help with"),
        ("I can't help with", "Kiki can't help with it", None),
        ("as an [AI | bot] I", "As an AI, I think", "as an ai i"),
        ("as an [AI | bot] I", "as an AIbot I think", None),
        ("so [ | very] sorry", "so sorry", "so sorry"),
        (
            "ich kann ... nicht",
            "Ich kann dir das leider nicht sagen",
            "ich kann dir das leider nicht",
        ),
        ("ich kann ... nicht", "Ich kann eins zwei drei vier fünf nicht", None),
        ("我[ | 还是]不能", "但我还是不能去", "我 还 是 不 能"),
        ("عذرا لا أستطيع", "عذرًا، لا استطيع ذلك", "عذرا لا استطيع"),
        ("anything", "", None),
    ],
)
def test_phrases_match_whole_words_in_any_script(phrase, text, hit):
    assert found(phrase, text) == hit


def test_no_phrases_match_nothing():
    assert matcher(()).search(folded("word " * 200_000)) is None


def test_a_tag_finds_the_lists_of_its_base_language():
    lists = {"zh": {"k": ("a",)}, "zh-Hant": {"k": ("b",)}}
    assert phrases_for(lists, "k", "zh-Hant") == ("b", "a")
    assert phrases_for(lists, "k", "zh") == ("a",)
    assert phrases_for(lists, "k", "wo") == ()


@pytest.mark.parametrize("name", ["refusals.yaml", "placeholders.yaml"])
def test_every_shipped_phrase_says_something(name):
    assert (shipped.folder("taxonomies") / name).is_file()
    for kinds in phrase_lists(name).values():
        for phrases in kinds.values():
            for phrase in phrases:
                assert not matcher((phrase,)).search("  "), phrase
                assert matcher((phrase,)).search(folded("zzz")) is None, phrase
