from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.measures.losses import (
    Undefined,
    gains,
    ic_ifd,
    ifd_losses,
    ifd_perplexities,
    loss,
    perplexity,
    r_ifd,
    s_ifd,
    threshold,
)

GIVEN = (-0.5, -1.0, -0.3)
ALONE = (-2.5, -1.1, -0.3)
"""Log-probabilities of three tokens; losses 0.6 and 1.3."""


def test_a_loss_is_the_mean_of_negative_log_probabilities() -> None:
    assert loss(GIVEN) == pytest.approx(0.6)
    assert loss(ALONE) == pytest.approx(1.3)
    assert loss((0.0,)) == 0.0


@pytest.mark.parametrize("logprobs", [(), (math.nan,), (-1.0, 0.5)])
def test_what_is_no_log_probability_has_no_loss(logprobs: tuple[float, ...]) -> None:
    with pytest.raises(Undefined):
        loss(logprobs)


def test_the_two_published_forms_of_ifd_are_two_numbers() -> None:
    assert ifd_losses(0.6, 1.3) == pytest.approx(0.4615384615)
    assert ifd_perplexities(0.6, 1.3) == pytest.approx(0.4965853038)
    assert perplexity(0.6) / perplexity(1.3) == pytest.approx(ifd_perplexities(0.6, 1.3))


def test_the_two_forms_rank_differently() -> None:
    hard, easy = (4.0, 5.0), (0.1, 0.2)
    assert ifd_losses(*hard) > ifd_losses(*easy)
    assert ifd_perplexities(*hard) < ifd_perplexities(*easy)


def test_ic_ifd_is_divided_by_the_loss_of_the_question_too() -> None:
    assert ic_ifd(0.6, 2.0, 1.3) == pytest.approx(0.6 / 2.6)
    assert ic_ifd(0.6, 1.0, 1.3) == pytest.approx(2 * ic_ifd(0.6, 2.0, 1.3))


def test_r_ifd_is_below_one_where_the_answer_gives_the_question_away() -> None:
    assert r_ifd(1.0, 3.0) == pytest.approx(math.exp(-2))
    assert r_ifd(3.0, 3.0) == 1.0


def test_a_score_that_is_not_there_is_not_made_up() -> None:
    for undefined in (
        lambda: ifd_losses(0.6, 0.0),
        lambda: ic_ifd(0.6, 0.0, 1.0),
        lambda: perplexity(9999.0),
        lambda: ifd_perplexities(9999.0, 0.5),
        lambda: s_ifd([0.1], 0.5),
        lambda: s_ifd([], 0.0),
        lambda: threshold([], 0.5),
    ):
        with pytest.raises(Undefined):
            undefined()


def test_gains_are_losses_given_less_losses_alone() -> None:
    assert gains(GIVEN, ALONE) == pytest.approx([-2.0, -0.1, 0.0])
    with pytest.raises(ValueError, match="zip"):
        gains(GIVEN, ALONE[1:])


def test_s_ifd_looks_at_the_telling_tokens_alone() -> None:
    gained = gains(GIVEN, ALONE)
    assert threshold(gained, 0.5) == pytest.approx(0.1)
    assert s_ifd(gained, 0.1 - 1e-12) == pytest.approx(math.exp(-1.05))
    assert s_ifd(gained, 0.5) == pytest.approx(math.exp(-2))


@given(st.lists(st.floats(-20, 0), min_size=1, max_size=30), st.data())
def test_with_every_token_s_ifd_is_the_ratio_of_perplexities(
    alone: list[float], data: st.DataObject
) -> None:
    after = [data.draw(st.floats(-20, 0)) for _ in alone]
    plain = ifd_perplexities(loss(after), loss(alone))
    assert s_ifd(gains(after, alone), 0.0) == pytest.approx(plain, rel=1e-9)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=40), st.floats(0.01, 1))
def test_the_threshold_is_numpys_quantile(gained: list[float], share: float) -> None:
    assert threshold(gained, share) == pytest.approx(
        float(np.quantile(np.abs(gained), 1 - share)), abs=1e-9
    )
