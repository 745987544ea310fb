from __future__ import annotations

import pytest

from engine.text.sizes import estimated_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("abcdefgh", 2), ("图书馆", 3), ("к" * 1_000_000, 500_000)],
)
def test_a_token_is_four_bytes(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


def test_several_texts_are_counted_as_one() -> None:
    assert estimated_tokens("ab", "cd") == 1 and estimated_tokens() == 0
