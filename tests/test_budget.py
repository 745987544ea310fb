"""Budgets: what has started is finished in time, and everything is saved."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine import deadline
from engine.core import LedgerError, Message, Outcome, Record
from engine.ledger import Ledger
from engine.models.chat import Reply, Request
from engine.models.journal import Brake, Journal
from engine.plan import SINK, Limits, Plan, Stage
from engine.rounds import End
from engine.runner import Runner
from tests.test_runner import number, plan
from tests.virtual import book, spend

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 19, 22, 15, tzinfo=MADRID)


# -- what a deadline means ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("8h", "2026-11-20T06:15:00+01:00"),
        ("1h 30m", "2026-11-19T23:45:00+01:00"),
        ("06:30", "2026-11-20T06:30:00+01:00"),
        ("6:30", "2026-11-20T06:30:00+01:00"),
        ("23:59:30", "2026-11-19T23:59:30+01:00"),
        ("22:15", "2026-11-20T22:15:00+01:00"),
        ("2026-11-21T06:30", "2026-11-21T06:30:00+01:00"),
        ("2026-11-21 06:30:00+00:00", "2026-11-21T06:30:00+00:00"),
    ],
)
def test_a_deadline_is_a_duration_the_next_such_time_or_a_date(written: str, meant: str) -> None:
    assert deadline.is_one(written)
    assert deadline.moment(written, NOW).isoformat() == meant


def test_a_night_in_which_the_clocks_change_is_an_hour_longer() -> None:
    evening = datetime(2026, 10, 24, 22, 0, tzinfo=MADRID)
    utc = evening.astimezone(ZoneInfo("UTC"))
    assert deadline.moment("06:00", evening).astimezone(ZoneInfo("UTC")).hour == 5
    assert deadline.seconds_left("2026-10-25T06:00+01:00", utc) == 9 * 3600
    assert deadline.seconds_left("06:00", evening) == 9 * 3600
    assert deadline.seconds_left("8h", evening) == 8 * 3600


def test_a_date_that_is_past_is_so_many_seconds_ago() -> None:
    assert deadline.seconds_left("2026-11-19T22:00", NOW) == -900


@pytest.mark.parametrize("text", ["", "8", "8 hours", "0h", "24:00", "6:3", "2026-11-20", "soon"])
def test_what_is_none_is_told_from_a_deadline(text: str) -> None:
    assert not deadline.is_one(text)


# -- a run that has one ---------------------------------------------------------------------


MEMORY = Path("/dev/shm")
"""Where there is one, no commit waits for a disk: a run of hours makes thousands of them."""


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        made = book(Path(folder))
        yield made
        made.close()


class Slow:
    """Answers after as many seconds as its draw says."""

    def __init__(self, seconds: Callable[[random.Random], float]) -> None:
        self._seconds, self._rng = seconds, random.Random(4)
        self.busy = 0

    async def chat(self, request: Request) -> Reply:
        self.busy += 1
        try:
            await asyncio.sleep(self._seconds(self._rng))
        finally:
            self.busy -= 1
        return Reply("so", "slow", 40, 60)


def lognormal(mean_s: float) -> Callable[[random.Random], float]:
    return lambda rng: mean_s * rng.lognormvariate(-0.32, 0.8)


def chained(ledger: Ledger, chat: Slow, limits: Limits, n: int = 100_000, calls: int = 3) -> Runner:
    """Every seed asks ``calls`` times, one after the other."""
    brake = Brake()
    journal = Journal(chat, "slow", ledger, brake)

    async def step(record: Record) -> Sequence[Outcome]:
        for take in range(calls):
            await journal.chat(Request(record.messages, take=take))
        return [record]

    return Runner(replace(plan(step, n), limits=limits), ledger, brake)


async def timed(runner: Runner) -> tuple[End, float]:
    clock = asyncio.get_running_loop().time
    began = clock()
    return await runner.go(), clock() - began


@pytest.mark.parametrize(
    ("in_flight", "seeds_long"), [(32, 3), (32, 10), (32, 40), (4, 10), (4, 40), (1, 100)]
)
def test_a_run_ends_within_a_tenth_of_its_deadline_and_all_it_answered_is_saved(
    ledger: Ledger, in_flight: int, seeds_long: int
) -> None:
    chat = Slow(lognormal(8 * 3600 / seeds_long / 3))
    runner = chained(ledger, chat, Limits(in_flight, deadline_s=8 * 3600, grace_s=1e6))
    end, took = spend(timed(runner))
    assert end is End.BUDGET
    assert 0.9 * 8 <= took / 3600 <= 1.1 * 8
    done = ledger.waiting(SINK)
    assert done == runner.progress.accepted > 0
    # all but a few slow ones were finished: three calls each, no call of a seed that was given up
    assert 3 * done >= len(list(ledger.calls())) - 0.2 * 3 * in_flight


def test_a_run_that_was_cut_goes_on_and_pays_for_nothing_twice(ledger: Ledger) -> None:
    first = chained(ledger, Slow(lognormal(0.2)), Limits(8, deadline_s=5), n=200)
    assert spend(first.go()) is End.BUDGET
    had = len(list(ledger.calls()))
    second = chained(ledger, Slow(lognormal(0.2)), Limits(8), n=200)
    assert spend(second.go()) is End.MET
    assert [number(r) for r in ledger.accepted()] == list(range(200))
    assert 0 < had < len(list(ledger.calls())) == 600


def test_calls_that_hang_are_given_up_in_time(ledger: Ledger) -> None:
    chat = Slow(lambda rng: 0.1 if rng.random() < 0.98 else 1e6)
    end, took = spend(timed(chained(ledger, chat, Limits(16, deadline_s=60, grace_s=30))))
    assert end is End.BUDGET
    assert 54 <= took <= 66
    assert chat.busy == 0, "what was on its way was cancelled"


def test_seeds_that_take_longer_than_the_whole_run_are_started_and_cut(ledger: Ledger) -> None:
    chat = Slow(lambda rng: 4.0)
    end, took = spend(timed(chained(ledger, chat, Limits(8, deadline_s=10))))
    assert end is End.BUDGET
    assert 9 <= took <= 11
    assert ledger.waiting(SINK) == 0
    assert len(list(ledger.calls())) == 16, "the replies that came serve the next start"


def test_a_target_that_is_met_before_the_deadline_is_not_waited_for(ledger: Ledger) -> None:
    chat = Slow(lognormal(0.1))
    end, took = spend(timed(chained(ledger, chat, Limits(8, deadline_s=1000), n=20)))
    assert end is End.MET
    assert took < 20


def test_hours_count_over_all_starts(ledger: Ledger) -> None:
    chat, took = Slow(lognormal(0.3)), []
    for hours in (0.01, 0.01, 0.02):
        end, seconds = spend(timed(chained(ledger, chat, Limits(8, max_hours=hours))))
        assert end is End.BUDGET
        took.append(seconds)
    assert took[0] == pytest.approx(36, rel=0.1)
    assert took[1] < 4, "there was nothing left of 0.01 h"
    assert took[2] == pytest.approx(72 - took[0] - took[1], rel=0.1)


@pytest.mark.parametrize("in_flight", [1, 16])
def test_tokens_count_over_all_starts_and_what_is_started_is_finished(
    ledger: Ledger, in_flight: int
) -> None:
    chat = Slow(lognormal(0.1))
    for most in (30_000, 30_000, 60_000):
        runner = chained(ledger, chat, Limits(in_flight, max_tokens=most))
        assert spend(runner.go()) is End.BUDGET
        spent = 100 * len(list(ledger.calls()))
        assert 0.9 * most <= spent <= most + 100 * in_flight
        assert 3 * ledger.waiting(SINK) >= len(list(ledger.calls())) - in_flight


def test_what_was_paid_for_before_a_fresh_start_is_not_on_its_budget(ledger: Ledger) -> None:
    chat = Slow(lognormal(0.1))
    spend(chained(ledger, chat, Limits(8), n=40).go())
    ledger.wipe()
    runner = chained(ledger, chat, Limits(8, max_tokens=6_000), n=1000)
    assert spend(runner.go()) is End.BUDGET
    assert len(list(ledger.calls())) == pytest.approx(120 + 60, abs=12)


def test_a_stage_behind_a_pass_is_bounded_too_and_resumed(ledger: Ledger) -> None:
    def two_stages(ledger: Ledger, limits: Limits) -> Runner:
        brake = Brake()
        journal = Journal(Slow(lognormal(0.1)), "slow", ledger, brake)

        async def ask(record: Record) -> Sequence[Outcome]:
            await journal.chat(Request(record.messages, take=len(record.lineage)))
            return [record.child(0)]

        made = plan(n=1000)
        stages = (
            Stage({"step": ask}),
            Stage(settle=lambda fresh, kept: iter(fresh), name="pass"),
            Stage({"last": ask}),
        )
        after = {"source": ("step",), "step": ("pass",), "pass": ("last",), "last": (SINK,)}
        return Runner(Plan(made.feeds, stages, after, limits=limits), ledger, brake)

    end, took = spend(timed(two_stages(ledger, Limits(4, deadline_s=40))))
    assert end is End.BUDGET
    assert 36 <= took <= 44
    assert 0 < ledger.waiting(SINK) < 1000
    assert spend(two_stages(ledger, Limits(4)).go()) is End.MET
    assert ledger.waiting(SINK) == 1000
    assert ledger.tallies()["pass"] == (1000, 1000, 0)


def in_rounds(
    ledger: Ledger, limits: Limits, n: int = 100_000, later: int = 2, stops_at: int = -1
) -> Runner:
    """A call a seed, a pass, ``later`` calls a seed, a pass; rounds of 2,000 seeds."""
    brake = Brake()
    journal = Journal(Slow(lognormal(1.0)), "slow", ledger, brake)

    def asks(calls: int, name: str) -> Callable[[Record], Any]:
        async def step(record: Record) -> Sequence[Outcome]:
            if name == "step" and number(record) == stops_at:
                await asyncio.sleep(20)
                raise LedgerError("the disk is gone")
            for take in range(calls):
                await journal.chat(Request((Message("user", f"{name} {record.id}"),), take=take))
            return [record]

        return step

    made = plan(n=n, accepted=n, round=2000)
    passes = [Stage(settle=lambda fresh, kept: iter(fresh), name=name) for name in ("one", "two")]
    first, last = Stage({"step": asks(1, "step")}), Stage({"last": asks(later, "last")})
    after = {"source": ("step",), "step": ("one",), "one": ("last",), "last": ("two",)}
    stages = (first, passes[0], last, passes[1])
    return Runner(
        replace(made, stages=stages, after=after | {"two": (SINK,)}, limits=limits), ledger, brake
    )


@pytest.mark.slow
@pytest.mark.parametrize(("deadline_s", "later"), [(600, 1), (600, 2), (1200, 4)])
def test_a_round_with_passes_is_ended_early_so_that_its_seeds_are_accepted_in_time(
    ledger: Ledger, deadline_s: int, later: int
) -> None:
    runner = in_rounds(ledger, Limits(8, deadline_s=deadline_s, grace_s=1e6), later=later)
    end, took = spend(timed(runner))
    assert end is End.BUDGET
    assert 0.9 * deadline_s <= took <= 1.1 * deadline_s
    assert sum(ledger.seeds()) == ledger.waiting(SINK) > 0
    calls = len(list(ledger.calls()))
    assert calls == (1 + later) * ledger.waiting(SINK), "what had started was finished"


@pytest.mark.slow
def test_a_round_with_passes_is_ended_early_for_tokens_too(ledger: Ledger) -> None:
    most = 600_000
    runner = in_rounds(ledger, Limits(8, max_tokens=most))
    assert spend(runner.go()) is End.BUDGET
    assert sum(ledger.seeds()) == ledger.waiting(SINK) > 0
    assert 0.9 * most <= 100 * len(list(ledger.calls())) <= most


def test_rounds_that_were_ended_early_leave_no_seed_out_and_take_none_twice(
    ledger: Ledger,
) -> None:
    for deadline_s in (20, 30, 40):
        spend(in_rounds(ledger, Limits(8, deadline_s=deadline_s), n=500).go())
    assert len(ledger.rounds()) > 3
    assert spend(in_rounds(ledger, Limits(8), n=500).go()) is End.MET
    assert [number(r) for r in ledger.accepted()] == list(range(500))
    assert len(list(ledger.calls())) == 3 * 500


def test_a_round_with_seeds_done_behind_the_cut_is_left_as_it_is(ledger: Ledger) -> None:
    killed = in_rounds(ledger, Limits(8), n=500, stops_at=3)
    with pytest.raises(LedgerError):
        spend(killed.go())
    before = ledger.rounds()
    assert spend(in_rounds(ledger, Limits(8, deadline_s=1e-6), n=500).go()) is End.BUDGET
    assert ledger.rounds() == before
    assert spend(in_rounds(ledger, Limits(8), n=500).go()) is End.MET
    assert [number(r) for r in ledger.accepted()] == list(range(500))


def test_the_view_knows_that_a_run_closes_before_it_stops(ledger: Ledger) -> None:
    chat = Slow(lognormal(0.2))
    runner = chained(ledger, chat, Limits(4, deadline_s=10))
    seen: list[tuple[bool, bool, int]] = []

    async def watched() -> None:
        going = asyncio.ensure_future(runner.go())
        while not going.done():
            at = runner.progress
            seen.append((at.closing, at.stopping, at.growing))
            await asyncio.sleep(0.1)

    spend(watched())
    closing = [growing for closing, stopping, growing in seen if closing and not stopping]
    assert 2 <= len(closing) <= 30
    assert closing == sorted(closing, reverse=True), "nothing new is started any more"
