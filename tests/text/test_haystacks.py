"""Sentences of documents, needles among them, and lists of words."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.text.haystacks import (
    DEPTHS,
    Haystack,
    Needle,
    Numbered,
    Straw,
    folded,
    haystack,
    vocabulary,
)

HAY = haystack(["Der Hund schläft. Die Katze wacht!", "Der Hund schläft. 猫在睡觉。狗在看门。"])


def needle(depth: int, sentence: str = "NADEL") -> Needle:
    return Needle("Honig", "1234567", depth, sentence)


def test_every_sentence_is_there_once_in_the_order_of_the_documents() -> None:
    assert HAY.sentences == ("Der Hund schläft.", "Die Katze wacht!", "猫在睡觉。", "狗在看门。")
    assert haystack([]).sentences == haystack(["", "\n\n", "12 34. 5"]).sentences == ()


def test_a_word_is_found_in_any_spelling_and_within_longer_ones() -> None:
    assert folded("ＨＯＮＩＧ ٣ Straße") == "honig 3 strasse"
    assert HAY.holding("HUND") == 1 and HAY.holding("狗") == 1 and HAY.holding("at") == 1
    assert HAY.without(["hund", "睡"]).sentences == ("Die Katze wacht!", "狗在看门。")
    assert HAY.without([]) == HAY


@pytest.mark.parametrize("size", [1, 2, 4, 7, 1000])
def test_needles_stand_where_their_depth_says_in_every_size(size: int) -> None:
    needles = tuple(needle(depth, f"N{depth}") for depth in (39, 0, 20))
    pieces = Straw(HAY, needles, "|").text(size).split("|")
    assert len(pieces) == size + 3
    straw = [piece for piece in pieces if not piece.startswith("N")]
    assert straw == [HAY.sentences[n % 4] for n in range(size)], "begun anew behind the last"
    for each in needles:
        before = [p for p in pieces[: pieces.index(each.sentence)] if not p.startswith("N")]
        assert len(before) == each.place(size) == round(each.depth * size / (DEPTHS - 1))
    assert pieces[0] == "N0" and pieces[-1] == "N39"


def test_weights_are_bytes_of_every_size() -> None:
    straw = Straw(HAY, (), " ")
    sizes = [len(s.encode()) + 1 for s in (*HAY.sentences, *HAY.sentences)]
    assert straw.weights(8) == [sum(sizes[:n]) for n in range(9)]


def test_a_longer_list_keeps_the_order_of_a_shorter_one() -> None:
    common, others = ("a", "b"), tuple("uvwxyz")
    ranks = tuple((n * 7 % 26) / 26 for n in range(2 * 4 + 6 * 3))
    made = Numbered(common, others, (4, 3), ranks)
    short, long = ([x.partition(". ")[2] for x in made.text(n).splitlines()] for n in (3, 6))
    assert Counter(long) == {**dict.fromkeys(common, 4), **dict.fromkeys(others, 3)}
    assert [word for word in long if word in Counter(short)] == short
    assert made.weights(6) == sorted(made.weights(6)) and len(made.weights(6)) == 7


def test_rare_words_come_first_as_they_are_mostly_written() -> None:
    words = vocabulary(["Das Haus brennt.", "Ein HAUS, ein Haus!", "Wasser hilft 12345 abc."])
    assert words[-1] == "Haus" and set(words[:-1]) == {"brennt", "Wasser", "hilft"}
    assert vocabulary(["猫在睡觉，狗在看门。一只很大很大的老虎跑了"]) == ["猫在睡觉", "狗在看门"]
    assert vocabulary([]) == [] and len(vocabulary(["viele Wörter " * 100_000])) == 2


def test_a_very_long_haystack_is_cut_and_searched() -> None:
    made = haystack(["Satz {n} steht hier.\n\n".replace("{n}", f"N{n}") for n in range(20_000)])
    assert isinstance(made, Haystack) and len(made.sentences) == 20_000
    assert len(made.without(["N19999"]).sentences) == 19_999
