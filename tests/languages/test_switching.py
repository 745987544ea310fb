from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.languages.lexicons import lexicon
from engine.languages.switching import Chance, in_lexicon, in_segments, restored, switched

WORDS = {
    "water": ("maji",), "how much": ("kiasi gani",), "much": ("sana",), "market": ("soko",),
    "goats": ("mbuzi",), "rose": ("waridi",), "don't": ("usi",), "3": ("tatu",), "b2": ("x",),
}  # fmt: skip
PAIR = ("en", "sw")


def found(text: str, words: dict[str, tuple[str, ...]] | None = None, **more: object) -> list[str]:
    chances = in_lexicon(text, words or WORDS, PAIR, **more)  # type: ignore[arg-type]
    return [text[chance.start : chance.end] for chance in chances]


def test_words_and_phrases_are_found_longest_first() -> None:
    assert found("How much water? Not much. Don’t!") == ["How much", "water", "much", "Don’t"]
    assert found("underwater goatskin") == [], "no part of a word"
    assert found("") == [] and found("water " * 50_000) == ["water"] * 50_000


def test_a_capital_at_the_beginning_is_kept_as_a_capital() -> None:
    [chance, _] = in_lexicon("Water the goats", WORDS, PAIR)
    assert chance.options == ("Maji",)


@pytest.mark.parametrize(
    "text",
    ["I met Rose and Ms Market", "GOATS", "3 B2", "`water`", "```\nwater\n```",
     "https://example.org/water", "$water + much$", "<b title='water'>", "{water}", "[water]",
     "goats@market.example"],
)  # fmt: skip
def test_names_numbers_and_what_translation_masks_are_kept(text: str) -> None:
    assert found(text) == []


def test_a_capital_within_a_sentence_is_no_name_in_german() -> None:
    words = {"ziegen": ("mbuzi",)}
    assert len(in_lexicon("Die Ziegen", words, ("de", "sw"))) == 1
    assert len(in_lexicon("Die Ziegen", words, ("nl", "sw"))) == 0
    assert len(in_lexicon("So. Ziegen\n- Ziegen: „Ziegen“", words, ("nl", "sw"))) == 2


def test_words_of_the_job_are_kept() -> None:
    assert found("water and goats", kept=["water"]) == ["goats"]


@pytest.mark.parametrize(
    ("text", "words", "pair", "wanted"),
    [("我在市场买水。", {"水": ("water",), "市场": ("market",)}, ("zh-Hans", "en"), ["市场", "水"]),
     ("السوق بعيد", {"السوق": ("market",)}, ("ar", "en"), ["السوق"]),
     ("पानी ठंडा है", {"पानी": ("water",)}, ("hi", "en"), ["पानी"]),
     ("น้ำเย็น", {"น้ำ": ("water",)}, ("th", "en"), ["น้ำ"])],
)  # fmt: skip
def test_lexicons_of_any_script_work(
    text: str, words: dict[str, tuple[str, ...]], pair: tuple[str, str], wanted: list[str]
) -> None:
    chances = in_lexicon(text, words, pair)
    assert [text[chance.start : chance.end] for chance in chances] == wanted
    new, swaps = switched(text, chances, 1, random.Random(1))
    assert new != text and restored(new, swaps) == text


def test_the_share_of_swaps_is_the_rate_and_each_is_reversible() -> None:
    draw = random.Random(11)
    text = "How much water do goats drink at the market, and how much is left of 3 litres? " * 5
    chances = in_lexicon(text, WORDS, PAIR)
    for rate in (0.1, 0.35, 0.8):
        taken = 0
        for _ in range(2000):
            new, swaps = switched(text, chances, rate, draw)
            assert restored(new, swaps) == text
            assert all(new[s.start : s.end] != s.original for s in swaps)
            taken += len(swaps)
        total = 2000 * len(chances)
        assert total == 50_000 and abs(taken / total - rate) < 0.01 * max(rate, 0.5)


def test_senses_are_drawn_alike() -> None:
    draw = random.Random(2)
    chance = Chance(0, 1, ("a", "b", "c"))
    drawn = [switched("x", [chance], 1, draw)[0] for _ in range(3000)]
    assert all(abs(drawn.count(sense) - 1000) < 120 for sense in "abc")


def test_segments_are_taken_in_their_order_or_not_at_all() -> None:
    text = "Two goats. Two goats. One well."
    pairs = [("Two goats.", "Mbuzi wawili."), ("Two goats.", "Wawili."), ("One well.", "Kisima.")]
    chances = in_segments(text, pairs)
    assert chances and [chance.start for chance in chances] == [0, 11, 22]
    assert switched(text, chances, 1, random.Random(1))[0] == "Mbuzi wawili. Wawili. Kisima."
    assert in_segments(text, [("One well.", "x"), ("Two goats.", "y")]) is None
    assert in_segments(text, [("", "x")]) is None and in_segments(text, []) == []


def test_a_lexicon_is_a_file_of_lines(tmp_path: Path) -> None:
    text = "# ours\n\nroad\tbarabara\nroad\tnjia\nhow  Much\tkiasi gani\r\nwater maji\n"
    (tmp_path / "en-sw.tsv").write_bytes(text.encode())
    wanted = {"road": ("barabara", "njia"), "how much": ("kiasi gani",), "water": ("maji",)}
    assert lexicon(tmp_path, "en", "sw") == wanted == lexicon(tmp_path, "en-GB", "sw")
    assert lexicon(tmp_path, "sw", "en") == {}
    (tmp_path / "en-de.txt").write_bytes(b"road\n")
    with pytest.raises(ValueError, match=r"en-de\.txt:1: want a word"):
        lexicon(tmp_path, "en", "de")
    (tmp_path / "en-ar.tsv").write_bytes(b"a\t\xff")
    with pytest.raises(ValueError, match="not UTF-8"):
        lexicon(tmp_path, "en", "ar")
