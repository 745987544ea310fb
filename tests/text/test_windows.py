from __future__ import annotations

import pytest

from engine.text.windows import Gauged

TEXTS = {
    "en": "the old harbour master keeps a careful log of every boat that comes in at night",
    "de": "der alte Hafenmeister führt ein genaues Buch über jedes Boot das nachts hereinkommt",
    "ar": "يحتفظ مدير الميناء القديم بسجل دقيق لكل قارب يدخل في الليل إلى المرسى الصغير",
    "hi": "पुराना बंदरगाह अधिकारी रात में आने वाली हर नाव का सावधानी से लेखा रखता है",
    "sw": "mkuu wa bandari huandika kwa makini kila mashua inayoingia usiku kutoka baharini",
    "zh": "老港务长仔细记录每一艘夜里进港的船只和它们带来的货物以及船员的名字",
    "th": "นายท่าเรือเก่าจดบันทึกเรือทุกลำที่เข้ามาในเวลากลางคืนอย่างระมัดระวังทุกวัน",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_quoted_stretch_has_the_same_ngrams_wherever_it_stands(text):
    alone = set(Gauged(text).windows(5).hashes.tolist())
    quoted = Gauged(f"Zuerst 先: {text.upper()} -- und dann noch mehr 以后 อื่น").windows(5).hashes
    assert alone and alone <= set(quoted.tolist())
    assert not alone & set(Gauged("etwas ganz anderes " * 9).windows(5).hashes.tolist())


@pytest.mark.parametrize("words, text", [(8, "one two three four five six seven eight nine")])
def test_with_spaces_an_ngram_is_that_many_words(words, text):
    found = Gauged(text).windows(words)
    assert len(found.hashes) == 2 == len(set(found.hashes.tolist()))
    assert (found.begins.tolist(), found.ends.tolist()) == ([0, 20], [160, 180])


def test_without_spaces_an_ngram_is_as_many_characters_as_carry_as_much():
    assert len(Gauged("一" * 13).windows(8).hashes) == 1
    assert len(Gauged("一" * 12).windows(8).hashes) == 0
    assert len(Gauged("ก" * 32).windows(8).hashes) == 1
    assert len(Gauged("ก" * 31).windows(8).hashes) == 0


def test_order_and_every_word_count():
    texts = ["a b c d", "b a c d", "a b d c", "a b c e", "ab c d e"]
    assert len({int(Gauged(text).windows(4).hashes[0]) for text in texts}) == 5


def test_case_punctuation_and_width_do_not_count():
    one, two = (
        Gauged(t).windows(4).hashes for t in ("Was ist, bitte, DAS?", "was ist bitte ｄａｓ")
    )
    assert one.tolist() == two.tolist() != []


@pytest.mark.parametrize("text", ["", "?!", "\ud800", "\0", "\u200f\u202b"])
def test_nothing_has_no_ngrams(text):
    assert Gauged(text).words <= 1
    assert len(Gauged(text).windows(2).hashes) == 0


@pytest.mark.slow
def test_a_megabyte_of_one_word_has_one_ngram():
    for text in ("word " * 200_000, "长" * 300_000):
        assert len(set(Gauged(text).windows(8).hashes.tolist())) == 1
