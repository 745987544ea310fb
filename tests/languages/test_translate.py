from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import Message, Record
from engine.languages.translate import chunks, joined, opened, speaks, unmasked
from tests.conftest import seed

TEXTS = st.lists(
    st.sampled_from(
        ["Ein Satz.", "一个句子。", "⟦0⟧", "\n", "\n\n", " \n \n", "  ", "\r\n", "- a", "อ", "\x1c"]
    ),
    max_size=20,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(1, 40))
def test_pieces_and_gaps_are_the_text(text: str, most: int):
    pieces, gaps = chunks(text, most)
    assert len(gaps) == len(pieces) + 1
    woven = "".join(part for both in zip(gaps, pieces, strict=False) for part in both) + gaps[-1]
    assert woven == text
    assert all(piece == piece.strip() and piece for piece in pieces)
    assert joined(pieces, gaps) == text


def test_a_very_long_text_is_cut_where_it_may_be():
    pieces, _ = chunks("Wort " * 50 + "\n\n" + "字\n" * 30_000, 300)
    assert max(map(len, pieces)) <= 300 and len(pieces) > 100
    assert chunks("", 100) == ([], [""]) and chunks(" \n", 100) == ([], [" \n"])


@pytest.mark.parametrize("piece, says", [("⟦0⟧ 12", False), ("⟦0⟧ ก", True), ("", False)])
def test_a_piece_without_a_letter_says_nothing(piece: str, says: bool):
    assert speaks(piece) == says


def test_of_a_record_only_what_the_policy_says_is_opened():
    record = Record("r", "en", (Message("system", "Be kind."), Message("user", "Hello there.")))
    units = opened(record, "th", {"instruction": "translate", "system": "keep"})
    assert [unit.name for unit in units] == ["instruction@0"[:-1] + "1"]
    assert opened(record, "en", {"instruction": "translate"}) == ()


def test_a_quotation_that_the_source_has_is_not_taken_for_wrapping():
    [unit] = opened(seed('"Go home."', "en"), "de", {"instruction": "translate"})
    pieces, gaps = chunks(unit.masked.text, 100)
    assert unmasked(unit, ['"Geh nach Hause."'], pieces, gaps).text == '"Geh nach Hause."'
    [unit] = opened(seed("Go home.", "en"), "de", {"instruction": "translate"})
    assert unmasked(unit, ['"Geh nach Hause."'], ["Go home."], ["", ""]).text == "Geh nach Hause."


def test_an_input_that_is_no_part_of_the_turn_is_not_split_off():
    record = seed("Sort these.", "en", instruction="Sort these.", input="b, a")
    [unit] = opened(record, "sw", {"instruction": "translate", "input": "translate"})
    assert unit.source == "Sort these."
