"""What a run may use up, and when it winds down so that what it has started is finished in time.

Three bounds: the deadline, hours in which seeds grow, and tokens. Each has two moments. First
the run *closes*: no new seed starts, those that grow go on. That is when what is left of the
bound is what a seed needs: for the time bounds what the slowest of those that grow side by side
probably takes, going by how long seeds took of late; for tokens what the growing seeds will
probably still take. Where a round has passes, what lies behind the first stage counts as well, so
that the round can be ended with the seeds that have started and they are accepted in time: what
it took in earlier rounds or, before that is known, so many times what the first stage took that
an early and small round tells. Then the bound is *over*: no new call starts, and calls on their
way are waited for only so long that a run ends within a tenth of its time.

Hours and tokens count over all starts in a folder, so that a restart is no way around them. For
slow seeds alone the time bounds never close a run in their first half: when a seed takes longer
than that, some will be cut, and their replies serve the next start.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson

from engine.ledger import Ledger
from engine.plan import Limits

SLOW = 0.95
"""Quantile of how long seeds take that is the slow end, where many grow at a time; the slowest
of few is to be expected at k / (k + 1)."""
RECENT, KNOWN = 256, 20
"""Finished units that tell how long one takes, and how many of them make an estimate."""
OPEN = 0.5
"""Share of its time in which a run never closes."""
CUT = 0.04
"""Share of its time that calls on their way are waited for beyond it: less than half of the
tenth, since the dataset is still to be written."""
WRITE_S, WRITE = 2.0, 0.1
"""Seconds before the deadline that are left for the dataset of a small run, and at most what
share of the time; a large one is written within the tenth of its longer time."""
SPARE = 1.2
"""How much more is set aside for the later stages than they took before."""
UNKNOWN = 15
"""How much more they are taken to need than the first stage, before they have been seen."""
COMMITTED = 0.6
"""Share of its tokens that a growing unit still has before it: half on the average, and a little
more, so that most are finished and not cut."""
TICK_S = 1.0
"""Seconds between two looks at the bounds, where no bound is so short that it needs more."""
SAVE_S = 30.0
"""Seconds after which the hours are written down; so many may be lost when a run is killed."""


@dataclass(slots=True)
class Cost:
    """What one stage took of this start, in the rounds that went through it."""

    seconds: float = 0.0
    tokens: int = 0
    seeds: int = 0
    """Seeds of those rounds."""

    def add(self, seconds: float, tokens: int, seeds: int) -> None:
        """Count a round."""
        self.seconds, self.tokens = self.seconds + seconds, self.tokens + tokens
        self.seeds += seeds


@dataclass(slots=True)
class Pace:
    """How long the units of one stage take."""

    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    growing: dict[int, float] = field(default_factory=dict)
    """Number of a unit that grows -> when it started."""

    def slow_s(self, now: float, side_by_side: int) -> float:
        """Seconds that the slowest of so many units may well take; 0 before anything is known."""
        took, share = sorted(self.recent), min(SLOW, side_by_side / (side_by_side + 1))
        slow = took[int(share * (len(took) - 1))] if took else 0.0
        if len(took) >= KNOWN or not self.growing:
            return slow
        # the first to finish are the quick ones: those that have not tell that it takes longer
        return max(slow, now - min(self.growing.values()))


class Budget:
    """The bounds of one start of a run; times are those of one clock that only goes forward."""

    def __init__(
        self,
        limits: Limits,
        ledger: Ledger,
        spent: Callable[[], int],
        streams: Sequence[bool] = (True,),
    ) -> None:
        """Keep ``limits``.

        Args:
            limits: the bounds.
            ledger: where what earlier starts used up is read, and this one's is written.
            spent: tells the tokens of this start.
            streams: of each stage, whether it streams; the others are passes.
        """
        self._limits, self._ledger, self._spent = limits, ledger, spent
        self._streams = streams
        self._pace: defaultdict[int, Pace] = defaultdict(Pace)
        self._costs: defaultdict[int, Cost] = defaultdict(Cost)
        self._entered = 0.0, 0
        self.bound = ""
        """Which bound closed or stopped the run; empty while none has."""
        self._numbers = self._growing = self._finished = 0
        self._began = self._busy_since = self._saved = 0.0
        self._tokens_before, self._seconds = 0, 0.0

    def begin(self, now: float) -> None:
        """Start the clock, and read what earlier starts have used up."""
        self._began = self._saved = now
        self._seconds = self._seconds_before = float(self._ledger.meta("grown_s") or 0)
        if self._ledger.meta("paid") is None:
            # after --fresh the journal is there already: those calls are none of this run's
            old = paid(self._ledger) if not self._ledger.rounds() else (0, 0, 0)
            self._ledger.note(paid=orjson.dumps(old).decode())
        if self._limits.max_tokens:
            self._tokens_before = sum(paid_by_run(self._ledger)[1:])

    # -- what the runner tells ---------------------------------------------------------------

    @contextmanager
    def growing(self, stage: int, clock: Callable[[], float]) -> Iterator[None]:
        """While a unit of a stage grows; one that is cut short says nothing of how long it takes.

        ``clock`` is the one that ``begin`` was given a time of.
        """
        pace, number, began = self._pace[stage], self._numbers, clock()
        self._numbers += 1
        if not self._growing:
            self._busy_since = began
        self._growing += 1
        pace.growing[number] = began
        try:
            yield
            pace.recent.append(clock() - began)
            self._finished += 1
        finally:
            del pace.growing[number]
            self._growing -= 1
            if not self._growing:
                self._seconds += clock() - self._busy_since

    @contextmanager
    def stage(self, index: int, clock: Callable[[], float]) -> Iterator[Callable[[int], None]]:
        """While a round is in a stage; what it yields is told the seeds of the round at its end."""
        began, spent = self._entered = clock(), self._spent()

        def through(seeds: int) -> None:
            self._costs[index].add(clock() - began, self._spent() - spent, seeds)

        yield through

    def save(self, now: float, every_s: float = 0.0) -> None:
        """Write the hours down where the last time was ``every_s`` ago; blocks until durable."""
        if now - self._saved >= every_s:
            self._ledger.note(grown_s=f"{self.grown_s(now):.3f}", bound=self.bound)
            self._saved = now

    def settle(self, now: float) -> None:
        """A round is done: write down the seeds of all so far, and what they have taken."""
        past = [taken.values() for taken, done in self._ledger.rounds() if done]
        seeds = sum(int(feed["count"]) for feeds in past for feed in feeds)
        took = [seeds, *paid_by_run(self._ledger), self.grown_s(now)]
        self._ledger.note(settled=orjson.dumps(took).decode())

    # -- what the runner asks ----------------------------------------------------------------

    def grown_s(self, now: float) -> float:
        """Seconds in which seeds grew, over all starts."""
        return self._seconds + (now - self._busy_since if self._growing else 0.0)

    @property
    def tick_s(self) -> float:
        """Seconds between two looks: a two-hundredth of the shortest time bound."""
        times = self._times(self._began)
        return min([TICK_S, *(max(whole / 200, 0.005) for _, whole, _ in times)])

    def closes(self, stage: int, now: float, seeds: int = 0) -> bool:
        """Whether no new unit of this stage may start, where the round has so many seeds so far."""
        if stage and not all(self._streams[stage:]):
            return False  # set aside before it began, and all of it is needed for the pass behind
        rest_s, rest_tokens = self._rest(stage, now, seeds + 1)
        tokens = self._tokens() + self._committed() + rest_tokens
        if 0 < self._limits.max_tokens <= tokens:
            self.bound = "max_tokens"
            return True
        for name, whole, left in self._times(now):
            needed = min(self._slow_s(stage, now), (1 - OPEN) * whole)
            if left <= needed + rest_s:
                self.bound = name
                return True
        return False

    def over(self, now: float) -> bool:
        """Whether no new call may start."""
        spent = ["max_tokens"] if 0 < self._limits.max_tokens <= self._tokens() else []
        found = [*spent, *(name for name, _, left in self._times(now) if left <= 0)]
        self.bound = found[0] if found else self.bound
        return bool(found)

    def grace_s(self, now: float) -> float:
        """Seconds to wait for calls on their way, once a bound is over."""
        bounds = [CUT * whole + left for _, whole, left in self._times(now)]
        return max(0.0, min([self._limits.grace_s, *bounds]))

    def _times(self, now: float) -> Iterator[tuple[str, float, float]]:
        """(name, seconds in all, seconds left) of each time bound, as of this start."""
        if deadline_s := self._limits.deadline_s:
            whole = deadline_s - min(WRITE_S, WRITE * deadline_s)
            yield "deadline", whole, whole - (now - self._began)
        if hours := self._limits.max_hours:
            whole = max(0.0, 3600 * hours - self._seconds_before)
            yield "max_hours", whole, 3600 * hours - self.grown_s(now)

    def _slow_s(self, stage: int, now: float) -> float:
        return self._pace[stage].slow_s(now, self._limits.in_flight)

    def _rest(self, stage: int, now: float, seeds: int) -> tuple[float, float]:
        """Seconds and tokens that a round of so many seeds needs behind its first stage."""
        rest = Cost()
        began, spent = self._entered
        for later in range(1, len(self._streams)) if stage == 0 else ():
            cost = self._costs.get(later)
            if cost:
                share = SPARE * seeds / max(cost.seeds, 1)
                seconds, tokens = cost.seconds * share, cost.tokens * share
                # its own last units are not to be held back either
                seconds += self._slow_s(later, now)
                growing = min(seeds, self._limits.in_flight)
                tokens += cost.tokens / max(cost.seeds, 1) * (1 + COMMITTED * growing)
                rest.add(seconds, round(tokens), 0)
            elif self._streams[later]:
                rest.add(UNKNOWN * (now - began), UNKNOWN * (self._spent() - spent), 0)
        return rest.seconds, rest.tokens

    def _tokens(self) -> int:
        return self._tokens_before + self._spent()

    def _committed(self) -> float:
        """Tokens that the growing units will still take, and one that would start now."""
        if not self._finished:
            return 0.0
        each = self._spent() / (self._finished + self._growing / 2)
        return each * (1 + COMMITTED * self._growing)


def paid(ledger: Ledger) -> tuple[int, int, int]:
    """Calls, tokens in and tokens out that are in the journal."""
    rows = ledger.called()
    return sum(r[2] for r in rows), sum(r[3] for r in rows), sum(r[4] for r in rows)


def paid_by_run(ledger: Ledger) -> tuple[int, int, int]:
    """The same without what was there before the run began, which ``--fresh`` left."""
    before = orjson.loads(ledger.meta("paid") or "[0, 0, 0]")
    calls, tokens_in, tokens_out = (n - old for n, old in zip(paid(ledger), before, strict=True))
    return calls, tokens_in, tokens_out
