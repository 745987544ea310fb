from __future__ import annotations

import numpy as np
import pytest

from engine.text.twins import matches


def unit(made: np.ndarray) -> np.ndarray:
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


def sides(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """60 and 50 meanings around one theme; the first 20 are the same, on the right reversed."""
    theme = 0.8 * rng.standard_normal(64)
    left, right = (theme + rng.standard_normal((n, 64)) for n in (60, 50))
    right[:20] = left[:20][::-1] + rng.standard_normal((20, 64)) / 4
    return unit(left), unit(right)


def test_translations_are_matched_and_strangers_of_one_theme_are_not():
    left, right = sides(np.random.default_rng(2))
    found = {(m.left, m.right) for m in matches(left, right, 1.06, 0.8)}
    assert found == {(n, 19 - n) for n in range(20)}


def test_the_margin_is_the_cosine_over_the_mean_of_the_nearest_four_on_both_sides():
    left, right = sides(np.random.default_rng(3))
    cosines = left.astype(np.float32) @ right.astype(np.float32).T
    for match in matches(left, right, 1.01, 0.3):
        row, column = cosines[match.left], cosines[:, match.right]
        usual = (np.sort(row)[-4:].mean() + np.sort(column)[-4:].mean()) / 2
        assert match.cosine == pytest.approx(cosines[match.left, match.right], abs=1e-3)
        assert match.margin == pytest.approx(match.cosine / usual, abs=2e-3)
        assert row.argmax() == match.right and column.argmax() == match.left


def test_a_higher_cosine_may_be_asked_for():
    left, right = sides(np.random.default_rng(4))
    assert [m for m in matches(left, right, 1.06, 0.99)] == []


@pytest.mark.parametrize("count", [0, 1])
def test_a_set_of_one_has_nothing_to_stand_out_from(count):
    left, right = sides(np.random.default_rng(5))
    assert list(matches(left[:count], right, 1.06, 0.7)) == []
    assert list(matches(left, right[:count], 1.06, 0.7)) == []
