from __future__ import annotations

import random

import pytest

from engine.text.leaks import Leaks
from tests.text.test_windows import TEXTS

ITEMS = list(TEXTS.values())


def covered(item: str, text: str, size: int) -> float:
    """The rule by the book, for words with spaces."""
    words, others = item.split(), text.split()
    grams = {tuple(others[n : n + size]) for n in range(len(others) - size + 1)}
    hit = [tuple(words[n : n + size]) in grams for n in range(len(words) - size + 1)]
    return sum(any(hit[max(0, n - size + 1) : n + 1]) for n in range(len(words))) / len(words)


@pytest.mark.parametrize("item", range(len(ITEMS)))
def test_an_item_is_found_whole_in_what_quotes_it_and_not_in_the_others(item):
    leaks = Leaks(ITEMS, 8, 5)
    assert leaks.most([f"Bitte antworte: {ITEMS[item]} ?"]) == (item, 1.0)
    assert Leaks([t for t in ITEMS if t != ITEMS[item]], 8, 5).most([ITEMS[item]]) is None


def test_shares_are_those_of_counting_words():
    rng = random.Random(3)
    items = [" ".join(rng.choices("abcdef", k=rng.randint(9, 30))) for _ in range(40)]
    leaks = Leaks(items, 4, 2)
    for _ in range(100):
        text = " ".join(rng.choices("abcdef", k=rng.randint(1, 120)))
        shares = [covered(item, text, 4) for item in items]
        leak = leaks.most([text])
        assert (leak.share if leak else 0) == pytest.approx(max(shares))
        assert not leak or shares[leak.item] == pytest.approx(max(shares))


def test_what_the_turns_hold_is_added_up_but_never_read_across_them():
    item = "one two three four five six seven eight nine ten eleven twelve"
    leaks = Leaks([item], 6, 2)
    halves = [item[: item.index(" seven")], item[item.index("seven") :]]
    assert leaks.most(halves) == (0, 1.0)
    assert leaks.most(halves[:1]) == (0, 0.5)
    assert leaks.most(["one two three", "four five six"]) is None


def test_short_items_are_looked_for_whole_and_the_shortest_not_at_all():
    leaks = Leaks(["forty two", "what is six times seven", "六乘以七等于多少呢"], 8, 5)
    assert leaks.known == 2
    assert leaks.most(["I ask: what is six times seven?"]) == (1, 1.0)
    assert leaks.most(["what is six times eight"]) is None
    assert leaks.most(["请问六乘以七等于多少呢？"]) == (2, 1.0)
    assert leaks.most(["forty two"]) is None


def test_nothing_is_known_of_nothing():
    assert Leaks([], 8, 5).known == 0
    assert Leaks([], 8, 5).most(["anything at all"]) is None
    assert Leaks(ITEMS, 8, 5).most([]) is None
    assert Leaks(ITEMS, 8, 5).most(["", "\ud800", "\0"]) is None


def test_ten_thousand_equal_items_count_as_the_first():
    leaks = Leaks([ITEMS[0]] * 10_000, 8, 5)
    assert leaks.most([ITEMS[0]]) == (0, 1.0)


@pytest.mark.slow
def test_a_megabyte_holds_what_it_holds():
    leaks = Leaks(ITEMS, 8, 5)
    filler = "lorem ipsum dolor 长长的文字 " * 20_000
    assert leaks.most([filler + ITEMS[5] + filler]) == (5, 1.0)
    assert leaks.most([filler]) is None
