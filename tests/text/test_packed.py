from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.packed import Packed


@given(st.lists(st.text(st.characters(codec=None)), max_size=20))
def test_every_text_comes_back_as_it_was(texts):
    packed = Packed()
    for text in texts:
        packed.append(text)
    assert [packed[at] for at in range(len(packed))] == texts


@pytest.mark.parametrize("text", ["", "\ud800 half", "nul\0", "\u202bעברית", "长" * 1_000_000])
def test_odd_texts_come_back_too(text):
    packed = Packed()
    for each in ("before", text, "after"):
        packed.append(each)
    assert (packed[0], packed[1], packed[2]) == ("before", text, "after")


def test_a_place_that_is_not_there_is_an_error():
    packed = Packed()
    packed.append("ein Text")
    for at in (1, -1):
        with pytest.raises(IndexError):
            packed[at]
