"""A formula is tidied, and prose stays what it is."""

from __future__ import annotations

import pytest

from engine.text.latex import tidy


@pytest.mark.parametrize(
    ("text", "due"),
    [
        (r"$\dfrac12$", r"\frac{1}{2}"),
        (r"\(x^2\)", "x^2"),
        (r"\[ \left( 1, 2 \right) \]", "( 1, 2 )"),
        ("√8", r"\sqrt{8}"),
        ("2 × 3 ÷ 4", "2 * 3 / 4"),
        (r"\boxed{\text{42 km}}", "42 km"),
        ("**４２**", "42"),
        ("x**2", "x^2"),
        (r"5\%", "5%"),
        ("जवाब ४२ है", "जवाब 42 है"),
        ("\u200f٤٢\u200f", "42"),
        ("", ""),
    ],
)
def test_a_formula_has_one_way_to_be_written(text, due):
    assert tidy(text) == due


@pytest.mark.parametrize(
    "text", ["\\frac{" * 20_000, "$" * 200_000, "\\text{" * 5_000 + "}" * 5_000]
)
def test_a_very_long_text_ends(text):
    assert isinstance(tidy(text), str)
