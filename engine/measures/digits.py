"""A score as the expectation over its digits: what a model would say on average, without sampling.

The log-probability of each digit as the reply is turned into a distribution over the digits
alone (softmax), and the score is the mean of that. It is smoother than the one digit that a reply
holds, and costs no written token. ``mass`` is what the model gives to the digits altogether:
where that is next to nothing it meant to say something else, and the expectation says little.

Source: Liu et al., "What Makes Good Data for Alignment? A Comprehensive Study of Automatic Data
Selection in Instruction Tuning" (Deita), 2023, arXiv:2312.15685.
Differs: a digit that the server does not report is not replaced by a middling score; the
log-probability of every digit is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine.measures.losses import Undefined


@dataclass(frozen=True, slots=True)
class Expected:
    """A score out of digits."""

    score: float
    """Between the smallest and the largest digit."""
    mass: float
    """Probability of all digits together, 0..1."""
    shares: Mapping[int, float]
    """Digit -> its probability among the digits; they add up to 1."""


def expected(logprobs: Mapping[int, float]) -> Expected:
    """``sum k * p_k`` over digits, with ``p`` the softmax of their log-probabilities.

    Raises:
        Undefined: there are no digits, or the model gives probability to none of them.
    """
    top = max(logprobs.values(), default=-math.inf)
    if not math.isfinite(top):
        raise Undefined("no digit has a probability")
    weights = {digit: math.exp(value - top) for digit, value in logprobs.items()}
    total = math.fsum(weights.values())
    shares = {digit: weight / total for digit, weight in weights.items()}
    mass = min(1.0, math.exp(top) * total)
    return Expected(math.fsum(k * p for k, p in shares.items()), mass, shares)
