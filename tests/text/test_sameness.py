from __future__ import annotations

import pytest

from engine.text.sameness import bare, key


@pytest.mark.parametrize(
    "one, two",
    [
        ("Write  a POEM.\r\n", "write a poem."),
        ("Grüße aus der Straße", "GRÜSSE AUS DER STRASSE"),
        ("ＡＢＣ　ｄｅｆ", "abc def"),
        ("请写 一首诗。", "请写一首诗。"),
        ("\u202bاكتب قصيدة\u202c\u200f", "اكتب قصيدة"),
        ("e\u0301te\u0301", "été"),
        ("zero\u200bwidth\u200d \ufeffmark", "zerowidth mark"),
        ("nul\0 byte", "nul byte"),
        ("เขียน คำ", "เขียนคํา"),
        ("Andika shairi fupi", "andika shairi  FUPI"),
        ("half \ud83d", "half \ud800"),
    ],
)
def test_what_looks_the_same_is_the_same(one, two):
    assert bare(one) == bare(two)


@pytest.mark.parametrize(
    "one, two",
    [
        ("می\u200cخواهم", "میخواهم"),
        ("क्\u200dष", "क्ष"),
        ("schon", "schön"),
        ("2⁵", "25"),
        ("2½", "21/2"),
        ("👩\u200d💻", "👩💻"),
        ("3 + 4?", "3 + 5?"),
        ("شعر", "شعر!"),
    ],
)
def test_what_reads_otherwise_is_not(one, two):
    assert bare(one) != bare(two)


def test_punctuation_and_digits_count_only_where_they_are_to():
    assert bare("¿Qué es 3+4?", punctuation=False) == bare("qué es 34", punctuation=False)
    assert bare("你好，世界！", punctuation=False) == "你好世界"
    assert bare("٣ × ٤", digits=False) == bare("5 × 6", digits=False)
    assert bare("3 × 14", digits=False) != bare("5 × 6", digits=False)


@pytest.mark.parametrize("text", ["", " \n\t\u3000", "\u200e\u200f\u00ad", "\0"])
def test_nothing_is_left_of_nothing(text):
    assert bare(text) == ""


@pytest.mark.parametrize("text", ["\u200d" * 1_000_000, "²a" * 500_000, "长 长" * 350_000])
@pytest.mark.slow
def test_a_megabyte_is_done_in_no_time(text):
    assert len(bare(text)) <= 1_000_000


def test_keys_tell_where_one_text_ends_and_the_next_begins():
    assert key("ab", "c") != key("a", "bc") != key("abc", "")
    assert key("ab", "c") == key("ab", "c") and len(key()) == 16
