"""What a run looks like while it runs: a live view on a terminal, one line a minute elsewhere.

Both say the same: accepted of target, where in the job, what each step let through, what each
model does a second, and how long it may still take. Rates are those of the last moments, so a
stall shows. Time left is estimated from accepted records, the only ones that count; while there
are none, nothing is promised.

Everything is read in the event loop's own thread, so no count changes while it is shown.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live as Screen
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from engine.outlook import roughly

if TYPE_CHECKING:
    from engine.session import Live, Watch

REDRAW_S = 0.25
FIRST_S, EVERY_S = 5.0, 60.0
"""Seconds until the first line and between lines, where there is no terminal."""
RATE_S = 10.0
"""Seconds over which calls and tokens are averaged."""
LEFT_S = 600.0
"""Seconds over which accepted records are averaged for the time left: rounds come in bursts."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Sample:
    """The counts at one moment."""

    at: float
    accepted: int
    seeds: int
    calls: dict[str, tuple[int, int, int]]
    """Model -> calls, tokens in, tokens out."""


@dataclass(slots=True)
class Meter:
    """Remembers enough of the past to tell rates."""

    clock: Clock = time.monotonic
    _fast: deque[Sample] = field(default_factory=deque)
    _slow: deque[Sample] = field(default_factory=deque)

    def read(self, live: Live) -> None:
        """Take the counts of this moment."""
        calls = {n: (c.calls, c.tokens_in, c.tokens_out) for n, c in live.models.items()}
        at = live.progress
        now = Sample(self.clock(), at.accepted, at.seeds + at.failed, calls)
        for past, span in ((self._fast, RATE_S), (self._slow, LEFT_S)):
            # a sample each hundredth of the span is enough for a rate, and memory stays flat
            if not past or now.at - past[-1].at >= span / 100:
                past.append(now)
            while len(past) > 2 and now.at - past[1].at > span:
                past.popleft()

    def rates(self, live: Live, model: str) -> tuple[float, float, float]:
        """Calls, tokens in and tokens out a second."""
        counts = live.models[model]
        gone = self.clock() - self._fast[0].at if self._fast else 0.0
        if gone <= 0:
            return 0.0, 0.0, 0.0
        calls, tokens_in, tokens_out = self._fast[0].calls[model]
        return (
            (counts.calls - calls) / gone,
            (counts.tokens_in - tokens_in) / gone,
            (counts.tokens_out - tokens_out) / gone,
        )

    def left_s(self, live: Live) -> float | None:
        """Seconds until the target at the yield so far; None while nothing can be said.

        Once a round is done, its yield tells how many seeds are still to come, that of this
        round and of those behind it: records of a job with passes are accepted in bursts.
        """
        at, target = live.progress, live.plan.target.accepted
        if not target or not self._slow:
            return None
        gone = self.clock() - self._slow[0].at
        if all(at.settled) and at.planned:
            left, won = seeds_left(live), at.seeds + at.failed - self._slow[0].seeds
        else:
            left, won = float(target - at.accepted), at.accepted - self._slow[0].accepted
        if left <= 0:
            return 0.0
        return left * gone / won if won > 0 and gone > 0 else None


def seeds_left(live: Live) -> float:
    """Seeds until the target: the rest of this round, and what its yield will leave missing."""
    at = live.progress
    seeds, accepted = at.settled
    rest = max(0, seeds + at.planned - at.seeds - at.failed)
    missing = live.plan.target.accepted - accepted * (1 + at.planned / seeds)
    return rest + max(0.0, missing) * seeds / accepted


def deadline(live: Live, meter: Meter, gone_s: float) -> str:
    """How long the deadline leaves, and how far that gets; empty where there is none."""
    at, target = live.progress, live.plan.target.accepted
    left = live.plan.limits.deadline_s - gone_s
    if not live.plan.limits.deadline_s or left <= 0:
        return ""
    said, needed = f"deadline in {roughly(left)}", meter.left_s(live)
    if needed is None:
        return said
    by_then = at.accepted + (target - at.accepted) * min(1.0, left / max(needed, 1e-9))
    return f"{said}: about {min(by_then, target):,.0f} of {target:,} by then"


# -- on a terminal ----------------------------------------------------------------------------


def screen(console: Console, clock: Clock = time.monotonic, redraw_s: float = REDRAW_S) -> Watch:
    """A view that is redrawn in place, and whose last state stays."""

    async def watch(live: Live) -> None:
        meter, began = Meter(clock), clock()
        _introduce(console, live)
        try:
            with Screen(console=console, auto_refresh=False) as shown:
                try:
                    while True:
                        meter.read(live)
                        shown.update(view(live, meter, clock() - began), refresh=True)
                        await asyncio.sleep(redraw_s)
                finally:
                    shown.update(view(live, meter, clock() - began, over=True), refresh=True)
        finally:
            console.print("wrapping up ...", style="dim")  # a large dataset takes a while

    return watch


def view(live: Live, meter: Meter, gone_s: float, *, over: bool = False) -> RenderableType:
    """The whole picture."""
    parts: list[RenderableType] = [_head(live, meter, gone_s, over), _bar(live)]
    parts.append(Text(seeds(live), style="red" if live.progress.failed else "", no_wrap=True))
    if not over and (said := deadline(live, meter, gone_s)):
        parts.append(Text(said, style="cyan"))
    for server, state in live.states().items():
        parts.append(Text(f"{server}: {state}", style="yellow"))
    if live.progress.closing and not live.progress.stopping:
        parts.append(Text("winding down: no new seeds, those that grow are finished"))
    if live.progress.stopping:
        parts.append(Text("stopping; waiting for calls on their way (Ctrl-C again: do not)"))
    if live.progress.last_error:
        error = f"last error: {live.progress.last_error}"
        parts.append(Text(error, style="red", no_wrap=True, overflow="ellipsis"))
    # models before steps: a job may have more steps than a small terminal has lines
    gap = Text()
    parts += [gap, _models(live, meter), gap, _steps(live)]
    return Group(*parts, gap)  # where the terminal prints ^C, so that it shifts nothing


def _head(live: Live, meter: Meter, gone_s: float, over: bool) -> Text:
    head = Text(no_wrap=True, overflow="ellipsis")
    head.append(live.name, style="bold")
    head.append(f"  {duration(gone_s)}")
    if over:
        return head
    head.append(f"  round {live.progress.round + 1}: {live.progress.stage or 'starting'}")
    left = meter.left_s(live)
    if left:
        head.append(f"  about {roughly(left)} left", style="cyan")
    return head


def _bar(live: Live) -> RenderableType:
    done, target = live.progress.accepted, live.plan.target.accepted
    if not target:
        return Text(accepted(live), style="green", no_wrap=True)
    line = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=target, completed=min(done, target), width=30)
    line.add_row(bar, Text(accepted(live), style="green"))
    return line


def _steps(live: Live) -> Table:
    table = _table("step", "in", "kept", "dropped")
    for name, (entered, kept, dropped) in steps(live):
        table.add_row(Text(name), f"{entered:,}", f"{kept:,}", f"{dropped:,}")
    return table


def _models(live: Live, meter: Meter) -> Table:
    heads = ("model", "calls", "reused", "in flight", "calls/s", "tokens/s in", "tokens/s out")
    table = _table(*heads)
    for name, counts in live.models.items():
        calls, tokens_in, tokens_out = meter.rates(live, name)
        table.add_row(
            Text(name),
            f"{counts.calls:,}",
            f"{counts.recalled:,}",
            f"{counts.waiting:,}",
            f"{calls:,.1f}",
            f"{tokens_in:,.0f}",
            f"{tokens_out:,.0f}",
        )
    return table


def _table(first: str, *more: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first, no_wrap=True, overflow="ellipsis")
    for name in more:
        table.add_column(name, justify="right", no_wrap=True)
    return table


# -- elsewhere --------------------------------------------------------------------------------


def lines(
    console: Console,
    clock: Clock = time.monotonic,
    first_s: float = FIRST_S,
    every_s: float = EVERY_S,
) -> Watch:
    """One line now and then, for logs; and one at the end."""

    async def watch(live: Live) -> None:
        meter, began, wait = Meter(clock), clock(), first_s
        _introduce(console, live)
        try:
            while True:
                meter.read(live)
                await asyncio.sleep(wait)
                say(console, line(live, meter, clock() - began))
                wait = every_s
        finally:
            say(console, line(live, meter, clock() - began))

    return watch


def line(live: Live, meter: Meter, gone_s: float) -> str:
    """The state in one line."""
    left = meter.left_s(live)
    parts = [
        duration(gone_s),
        accepted(live),
        *([f"about {roughly(left)} left"] if left else []),
        *filter(None, [deadline(live, meter, gone_s)]),
        f"round {live.progress.round + 1}: {live.progress.stage or 'starting'}",
        seeds(live),
        *(["winding down"] if live.progress.closing else []),
    ]
    for name, counts in live.models.items():
        calls, tokens_in, tokens_out = meter.rates(live, name)
        parts.append(
            f"{name} {counts.calls:,} calls, {counts.waiting} in flight, {calls:,.1f} calls/s, "
            f"{tokens_in + tokens_out:,.0f} tokens/s"
        )
    parts += [f"{server}: {state}" for server, state in live.states().items()]
    flow = ", ".join(f"{n} {a:,}>{b:,}-{c:,}" for n, (a, b, c) in steps(live) if a)
    parts += [f"in>kept-dropped: {flow}"] if flow else []
    return "; ".join(parts)


def say(console: Console, text: str) -> None:
    """Print a text as it is: neither markup nor wrapping nor colours."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


# -- both -------------------------------------------------------------------------------------


def accepted(live: Live) -> str:
    """Accepted of target; what goes beyond the target is surplus and is not counted."""
    n, target = live.progress.accepted, live.plan.target.accepted
    if not target:
        return f"{n:,} accepted"
    return f"{min(n, target):,} of {target:,} accepted ({min(n / target, 1):.0%})"


def seeds(live: Live) -> str:
    """Where the seeds are."""
    at = live.progress
    failed = f", {at.failed:,} failed" if at.failed else ""
    most = f" of {live.plan.target.candidates:,}" if live.plan.target.candidates else ""
    return f"{at.seeds:,}{most} seeds done, {at.growing:,} growing{failed}"


def steps(live: Live) -> Iterator[tuple[str, list[int]]]:
    """(step, [entered, kept, dropped]) in the job's order."""
    for stage in live.plan.stages:
        for name in [stage.name] if stage.settle else stage.steps:
            yield name, live.progress.steps.get(name, [0, 0, 0])


def duration(seconds: float) -> str:
    """Time gone: ``0:05``, ``12:34`` (minutes) or ``30:00:00`` (hours)."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _introduce(console: Console, live: Live) -> None:
    for name, why in live.answers.items():
        say(console, f"{name}: {why}")
