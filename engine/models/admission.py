"""How many calls one server gets at a time: found from how it answers, never asked of the user.

The idea: a server is full when a few requests wait at it, and nothing is won by more. So the
level follows the number that waits and keeps it near 15 % of those that run. Who has the
server's metrics reads the number off; who has not infers it from what calls take (``fit``).
While nobody waits there the level grows, at first by a call for each answer, which doubles it
in every round; once a queue has been seen slowly, and faster again the longer there is none.
Slower tokens are no reason to shrink: a GPU makes each reply slower and all of them faster.

Trouble has its own rules. Where a fifth of the tries is refused (429, 503) the level is halved,
once for all calls that were under way, and a Retry-After closes the server until then; a refusal
now and then is that call's alone. After a row of failures without an answer the server opens
again for a few probes, and for one more call with each answer. Further tries of old calls go
through the same opening: without that they all return in the same second. They share the fate
of a probe, too, so that a dead server is known to be dead as soon as without.

It knows neither HTTP nor the queue of the pool; ``pool`` tells it of answers, the client
(``openai_chat``) of its tries.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from engine.models.fit import Reading, Waits
from engine.models.metrics import Load

FIRST = 32
"""Calls at the start of a server that says nothing of its load."""
FIRST_METERED = 64
"""Calls at the start of a server whose load can be read within the same second."""
WAITING, WAITING_SHARE = 4, 0.15
"""Requests wanted waiting at the server: at least, and as a share of those that run."""
READ_AT_FIRST, READ_SHARE_AT_FIRST = 8, 0.25
"""Answers that latencies are read from: at least, and as a share of the level."""
READ, READ_SHARE = 16, 0.5
"""The same once a queue has been seen: then being right counts for more than being quick."""
FULL_PACE, SLOW_PACE, LATER_PACE = 1.0, 0.05, 0.25
"""Calls added with each answer: until a queue is seen, right after, and in the end again."""
METERED_S = 10.0
"""Seconds for which a reading of metrics counts; then latencies are looked at again."""
MEMORY = 0.97
"""Share of the KV cache from which on a server without a queue gets few more."""
CALM_S = 30.0
"""Seconds without growth after a server had to take places away (preemptions)."""
REFUSALS, REFUSED_SHARE = 5, 0.2
"""Refusals that tell of too many calls: at least, and as a share of the tries."""
CAREFUL = 0.8
"""Share of a level that was refused from which on it grows by ones."""
PROBES = 4
"""Calls that a server gets first after an outage."""
AWAY_S = 1.0
"""Seconds between two rounds of probes while nothing comes back."""
ROW = 5
"""Failures without an answer between them that make an outage: at 5 % of errors, no chance."""
LONGEST_PAUSE_S = 600.0
"""A Retry-After of hours is a quota used up: it is better asked again now and then."""


class Feedback(Protocol):
    """What a client tells of its tries, and asks before a further one.

    Each try begins with ``sent`` or ``turn`` and ends with ``back``, however it ends.
    """

    def sent(self) -> None:
        """The first try of a call goes out."""
        ...

    async def turn(self) -> None:
        """Wait until the server may have a further try; it goes out now.

        Raises:
            Exception: the error of another call's try, if that has shown the server to be away;
                then there is no try to end.
        """
        ...

    def failed(
        self, error: Exception, *, pushed_back: bool = False, after_s: float | None = None
    ) -> None:
        """A try brought no reply.

        Args:
            error: what it brought.
            pushed_back: the server says that it is too much (429, 503).
            after_s: seconds after which it wants to be asked again, where it says.
        """
        ...

    def back(self) -> None:
        """A try has ended."""
        ...


class Throttle:
    """The level of one server; see the module. Also the ``Feedback`` of its client.

    Args:
        most: calls in flight that are never exceeded.
        clock: seconds, from anywhere.
        sleep: waits for seconds of that clock.
    """

    def __init__(
        self,
        most: int,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._most, self._clock, self._sleep = most, clock, sleep
        self._level = float(min(most, FIRST))
        self._pace = FULL_PACE
        self._growing = False  # by latencies: with each answer, while others wait for a place
        self._queued = False  # so said the last reading
        self._waits = Waits()
        self._cut_at = -math.inf  # calls let in before tell of another level
        self._typical_s = 1.0
        self._metered_at = -math.inf
        self._preemptions = math.inf
        self._calm_until = -math.inf
        self._tries, self._refusals = 0, 0
        self._refused_level = math.inf  # the level at which it was last too much
        self._row = 0
        self._opening = math.inf  # tries that a server gets after an outage
        self._flying = 0  # tries at the server
        self._turns: deque[asyncio.Future[None]] = deque()
        self.paused_until = -math.inf
        """Until then no call may go."""
        self.changed: Callable[[], None] = lambda: None
        """Called when there may be more room than before."""
        self.retried: Callable[[], None] = lambda: None
        """Called when a further try goes out."""

    @property
    def level(self) -> int:
        """Calls that the server gets at a time."""
        return max(1, int(min(self._level, self._opening)))

    @property
    def away(self) -> bool:
        """Nothing has come from the server since a row of failures."""
        return self._row >= ROW

    def room(self, busy: int) -> bool:
        """Whether one more may go to a server that has ``busy`` of ours."""
        if busy + 1 > self._level or busy >= self._opening:
            return False
        return self.paused_until == -math.inf or self._clock() >= self.paused_until

    # -- the level ------------------------------------------------------------------------------

    def answered(self, began: float, busy: int, tokens: float, full: bool) -> None:
        """A call came back.

        Args:
            began: when it was let in.
            busy: calls in flight then, this one among them.
            tokens: of the reply.
            full: others wait for a place.
        """
        now = self._clock()
        seconds = now - began
        self._row = 0
        self._typical_s += 0.05 * (seconds - self._typical_s)
        if self._opening != math.inf:
            self._cut_at = now  # a call that was asked again and again tells nothing of a queue
            if now >= self.paused_until:
                self._open()
        if now - self._metered_at < METERED_S:
            return
        if full and self._growing:
            self._grow(self._pace, 1 / self._level)
        if began < self._cut_at or not seconds:
            return
        self._waits.add(seconds, tokens, busy)
        at_first = self._pace == FULL_PACE
        least, share = (READ_AT_FIRST, READ_SHARE_AT_FIRST) if at_first else (READ, READ_SHARE)
        if len(self._waits) >= max(least, share * self._level):
            self._infer(self._waits.read(), full)

    def _infer(self, reading: Reading, full: bool) -> None:
        """Set the level, and whether it grows, by what the latest calls took."""
        running = max(1.0, reading.busy - reading.waiting)
        wanted = max(WAITING, WAITING_SHARE * running)
        before, self._queued = self._queued, reading.waiting > 2 * wanted
        if self._queued:
            self._growing = False
            if before:  # once may be a moment in which this machine was busy
                self._waits.mark(reading)
                self._cut(running + wanted)
        elif reading.waiting > wanted / 2 or not reading.pays:
            self._growing = False
        elif full:
            if self._growing:
                self._quicken()
            self._growing = True

    def measured(self, load: Load, busy: int, full: bool) -> bool:
        """Set the level by what the server tells; whether it grew much."""
        now, before = self._clock(), self._level
        if self._metered_at == -math.inf and self._cut_at == -math.inf:
            self._become(max(before, FIRST_METERED))
        seen = load.running + load.waiting
        if seen < busy / 2:  # on their way, between two tries, or at another server behind the url
            return self._level > before
        self._metered_at = now
        ours = min(1.0, busy / seen) if seen else 1.0  # others may use the server, too
        running, waiting = load.running * ours, load.waiting * ours
        wanted = max(WAITING, WAITING_SHARE * running)
        taken_away, self._preemptions = load.preemptions > self._preemptions, load.preemptions
        if taken_away and busy and waiting:
            self._calm_until = now + CALM_S
            self._cut(0.95 * running)
        elif waiting > 1.5 * wanted:
            self._cut(busy - waiting + wanted)
        elif waiting < wanted / 2 and full:
            # without a queue there is no telling how much would fit; with one there is
            idle = not load.waiting and load.memory < MEMORY
            self._grow(max(self._pace * before if idle else 0.0, wanted - waiting), 1.0)
            self._quicken()
        return self._level >= 1.2 * before

    def _grow(self, by: float, with_care: float) -> None:
        if self._clock() < self._calm_until:
            return
        if self._level > 1.2 * self._refused_level:
            self._refused_level = math.inf  # it takes more than it once did
        edge = CAREFUL * self._refused_level
        at_once = min(self._level + by, edge)
        self._become(max(at_once, self._level + min(by, with_care)))

    def _quicken(self) -> None:
        if self._pace < FULL_PACE:
            self._pace = min(LATER_PACE, 2 * self._pace)

    def _cut(self, to: float) -> None:
        """Fewer, but at least half as many: one look is not to be trusted with more."""
        if to < self._level:
            self._become(max(to, self._level / 2))
            self._waits.forget()
            self._cut_at = self._clock()
        self._pace = SLOW_PACE

    def _become(self, level: float) -> None:
        before, self._level = self._level, max(1.0, min(float(self._most), level))
        if self._level > before:
            self.changed()

    # -- trouble --------------------------------------------------------------------------------

    def sent(self) -> None:
        """A first try goes out; see ``Feedback``."""
        self._flying += 1
        self._tries += 1

    def back(self) -> None:
        """A try has ended; see ``Feedback``."""
        self._flying -= 1
        if self._turns:
            self._let_in()

    def failed(
        self, error: Exception, *, pushed_back: bool = False, after_s: float | None = None
    ) -> None:
        """A try brought no reply; see ``Feedback``."""
        self._row += 1
        if pushed_back:
            self._refused(after_s)
        if self.away:
            self._pause(AWAY_S)
            for turn in self._turns:
                if not turn.done():
                    turn.set_exception(error)
            self._turns.clear()

    def _refused(self, after_s: float | None) -> None:
        now = self._clock()
        if self._tries > max(4 * REFUSALS, 2 * self._level):
            self._tries, self._refusals = 1, 0  # the share is that of late
        self._refusals += 1
        if self._refusals < max(REFUSALS, REFUSED_SHARE * self._tries):
            return
        if after_s:
            self._pause(min(after_s, LONGEST_PAUSE_S))
        if now >= self._cut_at + max(1.0, self._typical_s):
            # those under way were let in at the old level and are refused for the same reason
            self._refused_level = self._level
            self._cut(self._level / 2)
            self._tries, self._refusals = 0, 0

    def _pause(self, seconds: float) -> None:
        self._opening = PROBES  # or all who waited would come in the same moment
        self.paused_until = max(self.paused_until, self._clock() + seconds)

    def _open(self) -> None:
        self._opening += 1
        if self._opening >= self._level:
            self._opening = math.inf
        self._let_in()
        self.changed()

    async def turn(self) -> None:
        """Wait for a further try; see ``Feedback``."""
        while (left := self.paused_until - self._clock()) > 0:
            await self._sleep(left)
        if self._turns or self._flying >= self.level:
            await self._wait()
        else:
            self.sent()
        self.retried()

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.back()  # the turn came in the same moment as the end
            raise

    def _let_in(self) -> None:
        while self._turns and self._flying < self.level:
            turn = self._turns.popleft()
            if not turn.done():
                self.sent()
                turn.set_result(None)
