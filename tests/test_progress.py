from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from engine import progress
from engine.models.journal import Counts
from engine.plan import Limits, Plan, Stage, Target
from engine.progress import Meter, duration, line, roughly, view
from engine.runner import Progress
from engine.session import Live, Watch


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def nothing(record: object) -> list[object]:
    return []


def running(accepted: int = 0, target: int = 200, candidates: int = 0) -> Live:
    """A job of two streaming steps and a pass, one model."""
    stages = (
        Stage({"invent": nothing, "längé 检查": nothing}),  # type: ignore[dict-item]
        Stage(settle=lambda fresh, kept: iter(()), name="novel"),
    )
    plan = Plan((), stages, {}, Target(target, candidates))
    at = Progress(accepted=accepted, stage="invent", steps={"invent": [1200, 800, 400]})
    counts = {"writer": Counts()}
    return Live("tides", Path("outputs/tides"), plan, at, counts, {"writer": "toy [bold] at x"})


def drawn(live: Live, meter: Meter, *, width: int = 100, height: int = 40) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    console.print(view(live, meter, 83.0))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_rates_are_those_of_the_last_seconds_and_a_stall_shows() -> None:
    clock, live = Hands(), running()
    meter, counts = Meter(clock), live.models["writer"]
    meter.read(live)
    for _ in range(100):  # ten calls a second for ten seconds
        clock.now += 0.1
        counts.calls += 1
        counts.tokens_in += 50
        counts.tokens_out += 20
        meter.read(live)
    assert meter.rates(live, "writer") == pytest.approx((10, 500, 200), rel=0.02)
    for _ in range(120):
        clock.now += 0.1
        meter.read(live)
    assert meter.rates(live, "writer") == (0, 0, 0)


def test_time_left_follows_the_yield_and_nothing_is_promised_before_there_is_one() -> None:
    clock, live = Hands(), running(target=300)
    meter = Meter(clock)
    meter.read(live)
    assert meter.left_s(live) is None
    clock.now += 60
    meter.read(live)
    assert meter.left_s(live) is None
    live.progress.accepted = 100
    assert meter.left_s(live) == pytest.approx(120)
    live.progress.accepted = 320
    assert meter.left_s(live) == 0


def test_what_an_earlier_start_accepted_does_not_make_this_one_look_fast() -> None:
    clock, live = Hands(), running(accepted=250, target=300)
    meter = Meter(clock)
    meter.read(live)
    clock.now += 100
    live.progress.accepted = 260
    assert meter.left_s(live) == pytest.approx(400)


def test_the_view_tells_how_far_the_deadline_lets_a_run_get() -> None:
    clock, live = Hands(), running(target=300)
    live = replace(live, plan=replace(live.plan, limits=Limits(deadline_s=160)))
    meter = Meter(clock)
    meter.read(live)
    assert progress.deadline(live, meter, 0) == "deadline in 3 min"
    clock.now += 60
    live.progress.accepted = 60
    meter.read(live)  # one a second, and 240 are missing
    assert "deadline in 2 min: about 160 of 300 by then" in line(live, meter, 60)
    assert "deadline in 1 min: about 137 of 300 by then" in drawn(live, meter)
    live.progress.accepted = 290
    assert "about 300 of 300 by then" in line(live, meter, 60)
    assert progress.deadline(live, meter, 161) == ""
    assert "deadline" not in line(running(), meter, 60)


def test_a_round_tells_how_many_seeds_are_still_to_come() -> None:
    clock, live = Hands(), running(target=300)
    at, meter = live.progress, Meter(clock)
    at.accepted, at.seeds, at.settled, at.planned = 100, 200, (200, 100), 100
    meter.read(live)
    assert meter.left_s(live) is None, "no seed of this round is done yet"
    clock.now += 50
    at.seeds = 250  # one a second: 50 of this round, and 300 for the 150 that it leaves missing
    assert meter.left_s(live) == pytest.approx(350)


def test_a_job_without_a_target_is_shown_without_one() -> None:
    live, meter = running(accepted=7, target=0), Meter(Hands())
    meter.read(live)
    assert meter.left_s(live) is None
    assert "7 accepted" in drawn(live, meter)
    assert "left" not in drawn(live, meter)


def test_memory_of_the_past_is_bounded() -> None:
    clock, live = Hands(), running()
    meter = Meter(clock)
    for _ in range(20_000):
        clock.now += 0.25
        meter.read(live)
    assert len(meter._fast) < 150
    assert len(meter._slow) < 150


def test_the_view_says_where_everything_is() -> None:
    clock, live = Hands(), running(accepted=50, candidates=4000)
    live.progress.seeds, live.progress.growing, live.progress.failed = 1234, 20, 2
    live.progress.last_error = "ModelError('[red]no answer')"
    live.models["writer"] = Counts(calls=1500, recalled=3, waiting=20)
    meter = Meter(clock)
    meter.read(live)
    shown = drawn(live, meter)
    for part in (
        "50 of 200 accepted (25%)",
        "1,234 of 4,000 seeds done, 20 growing, 2 failed",
        "round 1: invent",
        "last error: ModelError('[red]no answer')",
        "1,500",
        "längé 检查",
    ):
        assert part in shown
    table = shown.index("\nstep ")
    order = [shown.index(name, table) for name in ("invent", "längé", "novel")]
    assert order == sorted(order)
    assert "1,200" in shown[order[0] : order[1]]


def test_surplus_is_not_counted_as_accepted() -> None:
    live, meter = running(accepted=250), Meter(Hands())
    assert "200 of 200 accepted (100%)" in line(live, meter, 1)


@pytest.mark.parametrize("width", [20, 40, 200])
def test_the_view_fits_any_terminal(width: int) -> None:
    live, meter = running(accepted=5), Meter(Hands())
    meter.read(live)
    assert max(map(len, drawn(live, meter, width=width).splitlines())) <= width


async def watched(watch: Watch, live: Live, turns: int) -> None:
    """Let a watch have some turns of the event loop, then end the run."""
    watching = asyncio.ensure_future(watch(live))
    for _ in range(turns):
        await asyncio.sleep(0)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching


async def test_lines_name_the_models_and_end_with_the_last_state() -> None:
    live, file = running(accepted=3), io.StringIO()
    watch = progress.lines(Console(file=file, width=40), Hands(), first_s=0, every_s=3600)
    await watched(watch, live, 5)
    first, *rest = file.getvalue().splitlines()
    assert first == "writer: toy [bold] at x"
    assert len(rest) == 2
    assert all("3 of 200 accepted (2%)" in each for each in rest)
    assert "invent 1,200>800-400" in rest[-1]


async def test_without_a_terminal_nothing_is_said_before_the_first_interval() -> None:
    live, file = running(), io.StringIO()
    await watched(progress.lines(Console(file=file), Hands(), first_s=3600), live, 5)
    assert len(file.getvalue().splitlines()) == 2  # who answers, and the end


async def test_the_screen_leaves_its_last_state_behind() -> None:
    live, file = running(accepted=3), io.StringIO()
    console = Console(file=file, width=100, force_terminal=True, color_system=None)
    watching = asyncio.ensure_future(progress.screen(console, Hands(), redraw_s=3600)(live))
    await asyncio.sleep(0)
    live.progress.accepted = 199
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert "199 of 200 accepted" in file.getvalue()
    assert "\x1b[?25h" in file.getvalue()  # the cursor is back


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (5.9, "0:05"), (754, "12:34"), (10_800, "3:00:00"), (180_000, "50:00:00")],
)
def test_time_gone_is_a_clock(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (40, "40 s"), (754, "13 min"), (11_400, "3 h 10 min"), (400_000, "4 d")],
)
def test_time_left_is_no_finer_than_an_estimate(seconds: float, text: str) -> None:
    assert roughly(seconds) == text
