"""How long calls waited at a server that does not tell, read off from what they took.

The idea: a call takes a wait, a prompt and a time per token of its reply. Only the last depends
on the reply's length, so a line through (tokens, seconds) parts it from the others, and since
prompts do not grow when a queue does, what is left has gained on its lowest by the wait. The
line goes through medians: reply lengths are skewed, and a hang or a further try must not count.

Two doubts are settled by experiment whenever the number of calls in flight has changed, with
calls per second as the judge. Whether that was a wait: else the rate moves with the calls, and
what is left is the new lowest. And whether more calls are worth their while: else it does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

SPREAD = 1.5
"""Tokens of a long reply over those of a short one from which on a slope is told."""
SURE = 2.0
"""Standard errors that a wait has to exceed: too long a queue costs less than too short a one."""
PER_MAD = 1.86
"""Standard error of a median over median deviation and root of the count, for normal noise."""
APART = 0.1
"""Share by which the calls in flight must differ for two readings to be compared."""
WORTH = 0.2
"""Share of a rise in the calls that has to show in the rate."""
NO_WAIT = 0.5
"""A rate that moves with the calls, by a share within so much of theirs, says that none waited."""
STALE = 100
"""Readings after which an old one is no measure any more."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a number of calls says."""

    busy: float
    """Calls in flight when one was let in, on average: what it waits for is in front of it."""
    rest: float
    """Seconds of a call that are not its tokens'."""
    per_token: float
    """Seconds."""
    error: float
    """Standard error of ``rest``."""
    waiting: float = 0.0
    """Of those in flight, how many waited at the server."""
    pays: bool = True
    """The calls added last brought as many more answers as can be asked."""

    def seconds(self, tokens: float) -> float:
        """What a call with such a reply takes."""
        return max(1e-6, self.rest + self.per_token * tokens)

    def rate(self, tokens: float) -> float:
        """Calls per second, were all replies so long: so that lengths drop out of a comparison."""
        return self.busy / self.seconds(tokens)


class Waits:
    """What the calls of one server have taught so far."""

    def __init__(self) -> None:
        self._calls: list[tuple[float, float, int]] = []  # (tokens, seconds, busy)
        self._lowest: float | None = None  # seconds that are neither wait nor tokens
        self._per_token: float | None = None
        self._before: Reading | None = None  # what later ones are compared with
        self._age = 0

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, seconds: float, tokens: float, busy: int) -> None:
        """A call came back."""
        self._calls.append((tokens, seconds, busy))

    def forget(self) -> None:
        """Calls so far were made under other circumstances."""
        self._calls.clear()

    def mark(self, reading: Reading) -> None:
        """Compare later ones with this."""
        self._before, self._age = reading, 0

    def read(self) -> Reading:
        """What the calls since the last reading say; at least one."""
        calls, self._calls = self._calls, []
        told, unsure = _per_token(calls)
        if told is not None:
            if self._per_token is None:
                self._lowest = None  # it had the tokens' time in it
            self._per_token = told
        slope = self._per_token or 0.0
        rests = [seconds - slope * tokens for tokens, seconds, _ in calls]
        rest = max(0.0, median(rests))
        error = math.hypot(_error(rests), unsure * median(tokens for tokens, _, _ in calls))
        busy = fmean(busy for _, _, busy in calls)
        reading = Reading(busy, rest, slope, error)
        if self._lowest is None:  # those at first had the fewest before them
            first = sorted(range(len(calls)), key=lambda i: calls[i][2])[: len(calls) // 3 + 1]
            self._lowest = max(0.0, median(rests[i] for i in first)) + error
        typical = fmean(tokens for tokens, _, _ in calls)
        pays = self._compare(reading, typical)
        self._lowest = min(self._lowest, rest + error)  # the least of many guesses is too low
        wait = max(0.0, rest - self._lowest - SURE * error)
        return replace(reading, waiting=wait * reading.rate(typical), pays=pays)

    def _compare(self, now: Reading, typical: float) -> bool:
        """Learn from how the rate has changed; whether it rose enough for the calls added."""
        self._age += 1
        before = self._before
        if before is None or self._age > STALE:
            self.mark(now)
            return True
        more = now.busy / before.busy - 1
        if abs(more) < APART:
            return True
        moved = (now.rate(typical) / before.rate(typical) - 1) / more
        doubt = SURE * (now.error + before.error) / now.seconds(typical) / abs(more)
        if NO_WAIT < moved - doubt < moved < 2 - NO_WAIT:
            self._lowest = now.rest
        if more > 0 and moved + doubt < WORTH:
            return False
        self.mark(now)
        return True


def _per_token(calls: Sequence[tuple[float, float, int]]) -> tuple[float | None, float]:
    """Seconds per token, between the middles of the shortest and the longest third of replies.

    With its standard error. ``None`` where all are about as long.
    """
    third = len(calls) // 3
    if not third:
        return None, 0.0
    ranked = sorted(calls)
    short, long = ranked[:third], ranked[-third:]
    t_short, t_long = median(c[0] for c in short), median(c[0] for c in long)
    apart = t_long - t_short
    if t_long < SPREAD * max(1.0, t_short):
        return None, 0.0
    slope = max(0.0, (median(c[1] for c in long) - median(c[1] for c in short)) / apart)
    errors = (_error([c[1] - slope * c[0] for c in part]) for part in (short, long))
    return slope, math.hypot(*errors) / apart


def _error(values: Sequence[float]) -> float:
    """Standard error of their median."""
    middle = median(values)
    return PER_MAD * median(abs(v - middle) for v in values) / math.sqrt(len(values))
