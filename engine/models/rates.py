"""So many requests and tokens a minute: the limits of hosted endpoints, kept before they bite.

The idea: two buckets that fill at an even rate and hold only ``BURST_S`` seconds' worth, so that
the first second of a minute does not spend the whole minute. A request takes what it is likely
to cost, its prompt and a reply of the usual length, and settles the difference when the usage is
known. A bucket may go below nothing: then the next request waits until the debt is paid, and the
mean is exact whatever the estimates were.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.models.chat import Request

BURST_S = 2.0
"""Seconds' worth that a bucket holds: small, since some providers count in seconds."""
ROUNDING = 1e-6
"""Requests or tokens that are as good as none."""
FIRST_REPLY = 256.0
"""Tokens that a reply is thought to have before one has come."""
LEARNING = 0.05
"""Weight of the latest reply in what one usually has."""
BYTES_PER_TOKEN = 4
"""Of UTF-8: right for Latin scripts and near for Chinese and Hindi, where a character is more."""


class _Bucket:
    """Fills at an even rate; may be overdrawn."""

    def __init__(self, per_minute: float, now: float) -> None:
        self._per_s = per_minute / 60
        self._most = max(1.0, self._per_s * BURST_S)
        self._left, self._at = self._most, now

    def take(self, amount: float) -> None:
        self._left -= amount

    def wait_s(self, wanted: float, now: float) -> float:
        """Seconds until there is so much, or the bucket is full."""
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        missing = min(wanted, self._most) - self._left
        # what rounding leaves is no debt: a wait for it is so short that no clock would move
        return missing / self._per_s if missing > ROUNDING else 0.0


class Rates:
    """The limits of one account, shared by all who ask on it; 0 stands for no limit."""

    def __init__(
        self, requests_per_minute: float, tokens_per_minute: float, clock: Callable[[], float]
    ) -> None:
        now = clock()
        self._clock = clock
        self._requests = _Bucket(requests_per_minute, now) if requests_per_minute else None
        self._tokens = _Bucket(tokens_per_minute, now) if tokens_per_minute else None
        self._reply = FIRST_REPLY

    def estimate(self, request: Request) -> float:
        """Tokens, in and out, that a request will likely cost."""
        if self._tokens is None:
            return 0.0
        prompt = sum(len(m.content.encode("utf-8", "replace")) for m in request.messages)
        limit = request.sampling.get("max_tokens") or self._reply
        return prompt / BYTES_PER_TOKEN + request.n * min(self._reply, limit)

    def wait_s(self) -> float:
        """Seconds until the next request may go."""
        now = self._clock()
        wait = self._requests.wait_s(1.0, now) if self._requests else 0.0
        # one token, not the estimate: a request larger than the bucket would never find room
        return max(wait, self._tokens.wait_s(1.0, now)) if self._tokens else wait

    def take(self, tokens: float) -> None:
        """A request goes, or goes once more."""
        if self._requests:
            self._requests.take(1.0)
        if self._tokens:
            self._tokens.take(tokens)

    def settle(self, estimated: float, spent: float, written: float) -> None:
        """Put right what was taken, now that the usage is known: tokens in all, and in a reply."""
        if self._tokens and spent:  # some servers do not tell; then the estimate stands
            self._tokens.take(spent - estimated)
            self._reply += LEARNING * (written - self._reply)
