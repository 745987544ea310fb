"""Scores made of log-probabilities, each under the name and in the form it was published in.

A loss is a mean negative log-likelihood in nats per token, 0 or more; its exponential is the
perplexity. ``given`` is the loss of an answer after its instruction, ``alone`` that of the answer
after nothing, ``question`` that of the instruction. A score that its numbers do not have (a
division by zero, an exponential out of range) raises ``Undefined`` and is never made up.

Source: Li et al., "From Quantity to Quality: Boosting LLM Performance with Self-Guided Data
Selection", 2023, arXiv:2308.12032 (IFD as a ratio of losses, as in its code); Li et al.,
"Superfiltering", 2024, arXiv:2402.00530 (as a ratio of perplexities); Li et al., "Selective
Reflection-Tuning", 2024, arXiv:2402.10110 (r-IFD); Hu et al., "Smaller Language Models Are Better
Instruction Evolvers", 2024, arXiv:2412.11231 (IC-IFD); Fu et al., "T-SHIRT: Token-Selective
Hierarchical Data Selection for Instruction Tuning", 2025, arXiv:2506.01317 (S-IFD).
"""

from __future__ import annotations

import math
from collections.abc import Sequence


class Undefined(ValueError):
    """These numbers do not have this score."""


def loss(logprobs: Sequence[float]) -> float:
    """Mean negative log-likelihood of tokens, in nats.

    Raises:
        Undefined: there are none, or one of them is no log-probability.
    """
    if not logprobs or any(math.isnan(each) or each > 1e-6 for each in logprobs):
        raise Undefined(f"no log-probabilities: {list(logprobs[:3])}")
    return max(0.0, -math.fsum(logprobs) / len(logprobs))


def perplexity(nll: float) -> float:
    """``exp(nll)``, 1 or more.

    Raises:
        Undefined: it is beyond what a float can hold.
    """
    return _exp(nll)


def ifd_losses(given: float, alone: float) -> float:
    """IFD as Cherry_LLM computes it: ``given / alone``, a ratio of losses. Below 1: it helps.

    Raises:
        Undefined: the answer alone has no loss.
    """
    return _over(given, alone)


def ifd_perplexities(given: float, alone: float) -> float:
    """IFD as Superfiltering computes it: ``exp(given) / exp(alone)``. It ranks differently.

    Raises:
        Undefined: it is beyond what a float can hold.
    """
    return _exp(given - alone)


def r_ifd(given: float, alone: float) -> float:
    """``ppl(Q|A) / ppl(Q)``: the loss of the instruction, with the answer shown and without."""
    return ifd_perplexities(given, alone)


def ic_ifd(given: float, question: float, alone: float) -> float:
    """``L(A|Q) / (L(Q) * L(A))``: three losses; halving that of the question doubles the score.

    Raises:
        Undefined: the question or the answer alone has no loss.
    """
    return _over(given, question * alone)


def gains(given: Sequence[float], alone: Sequence[float]) -> list[float]:
    """For each token of the answer, its loss given the instruction less its loss alone, in nats.

    Two sequences of log-probabilities of the same tokens; below 0, the instruction helps.
    """
    return [without - after for after, without in zip(given, alone, strict=True)]


def threshold(gained: Sequence[float], share: float) -> float:
    """The size that the ``share`` (0..1) of most telling gains have at least; nats.

    The published threshold is this one over all tokens of all records. Linear between ranks, as
    ``numpy.quantile`` is.

    Raises:
        Undefined: there are no gains.
    """
    if not gained:
        raise Undefined("no gains to find a threshold among")
    sizes = sorted(map(abs, gained))
    place = (1 - share) * (len(sizes) - 1)
    below = math.floor(place)
    above = min(below + 1, len(sizes) - 1)
    return sizes[below] + (place - below) * (sizes[above] - sizes[below])


def s_ifd(gained: Sequence[float], least: float) -> float:
    """``exp`` of the mean gain over tokens whose gain is of size ``least`` or more, in nats.

    With ``least`` 0 it is ``ifd_perplexities``.

    Raises:
        Undefined: no token is telling enough.
    """
    telling = [each for each in gained if abs(each) >= least]
    if not telling:
        raise Undefined(f"no token of {len(gained)} has a gain of {least:g} nats or more")
    return _exp(math.fsum(telling) / len(telling))


def _over(above: float, below: float) -> float:
    if below <= 0 or not math.isfinite(above / below):
        raise Undefined(f"{above:g} over {below:g}")
    return above / below


def _exp(nats: float) -> float:
    try:
        return math.exp(nats)
    except OverflowError as error:
        raise Undefined(f"the exponential of {nats:g}") from error
