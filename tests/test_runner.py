"""Rounds, targets, failures and resuming, on plans made by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Message, ModelError, Outcome, Record, Stopped, stable_id
from engine.ledger import Ledger
from engine.models.journal import Brake
from engine.plan import SINK, Feed, Limits, Plan, Stage, Target
from engine.rounds import End
from engine.runner import Runner


def seeds(n: int) -> Iterator[Record]:
    return (Record(stable_id(str(i)), "en", (Message("user", f"{i}"),)) for i in range(n))


def number(record: Record) -> int:
    return int(record.messages[0].content)


async def same(record: Record) -> Sequence[Outcome]:
    return [record]


def plan(step: Any = same, n: int = 100, settle: Any = None, **target: int) -> Plan:
    """source -> step [-> a pass] -> sink."""
    stages = [Stage({"step": step})]
    after = {"source": ("step",), "step": (SINK,)}
    if settle:
        stages.append(Stage(settle=settle, name="pass"))
        after |= {"step": ("pass",), "pass": (SINK,)}
    feed = Feed("source", lambda round, start, kept: seeds(n))
    return Plan((feed,), tuple(stages), after, Target(**target), Limits(max_error_rate=1.0))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "run", write=True)
    yield made
    made.close()


def accepted(ledger: Ledger, limit: int = -1) -> list[int]:
    return [number(record) for record in ledger.accepted(limit)]


async def test_without_a_target_everything_goes_through_once(ledger: Ledger) -> None:
    assert await Runner(plan(n=30), ledger).go() is End.MET
    assert accepted(ledger) == list(range(30))


async def test_the_first_n_in_seed_order_are_the_dataset_whatever_came_first(
    ledger: Ledger,
) -> None:
    async def late_first(record: Record) -> Sequence[Outcome]:
        for _ in range(100 - number(record)):
            await asyncio.sleep(0)
        return [record] if number(record) % 2 else [Drop(record, "even")]

    assert await Runner(plan(late_first, accepted=10, round=16), ledger).go() is End.MET
    assert accepted(ledger, 10) == list(range(1, 20, 2))
    assert ledger.waiting(SINK) == 16, "the surplus of the last round stays"


async def test_candidates_bound_the_seeds_and_the_target_is_then_not_met(ledger: Ledger) -> None:
    assert await Runner(plan(accepted=50, candidates=20, round=8), ledger).go() is End.SPENT
    assert accepted(ledger) == list(range(20))


async def test_a_run_that_brings_nothing_gives_up(ledger: Ledger) -> None:
    async def never(record: Record) -> Sequence[Outcome]:
        return [Drop(record, "never")]

    assert await Runner(plan(never, accepted=5, round=4), ledger).go() is End.BARREN
    assert ledger.tallies()["step"] == (12, 0, 12)


async def test_an_endless_source_reads_what_earlier_rounds_kept(ledger: Ledger) -> None:
    seen: list[list[int]] = []

    def read(round: int, start: int, kept: Any) -> Iterator[Record]:
        seen.append([number(record) for record in kept("step")])
        return (
            Record(stable_id(str(round), str(i)), "en", (Message("user", f"{10 * round + i}"),))
            for i in range(1000)
        )

    feed = Feed("source", read, endless=True)
    after = {"source": ("step",), "step": (SINK,)}
    grown = Plan((feed,), (Stage({"step": same}),), after, Target(accepted=6, round=3))
    assert await Runner(grown, ledger).go() is End.MET
    assert seen == [[], [0, 1, 2]]


async def test_a_family_is_committed_whole_or_not_at_all(ledger: Ledger) -> None:
    async def two(record: Record) -> Sequence[Outcome]:
        return [record.child(0), Drop(record.child(1), "second")]

    async def frail(record: Record) -> Sequence[Outcome]:
        if number(record) == 3:
            raise ModelError("no server")
        return [record]

    after = {"source": ("two",), "two": ("frail",), "frail": (SINK,)}
    feed = Feed("source", lambda round, start, kept: seeds(6))
    stages = (Stage({"two": two, "frail": frail}),)
    await Runner(Plan((feed,), stages, after, limits=Limits(max_error_rate=1)), ledger).go()
    assert accepted(ledger) == [0, 1, 2, 4, 5]
    assert [number(drop.record) for _, drop in ledger.drops()] == [0, 1, 2, 4, 5]
    [failure] = ledger.failures()
    assert failure["error"] == "ModelError: no server" and failure["attempts"] == 1


async def test_a_failed_seed_is_retried_alone_and_what_came_after_is_decided_anew(
    ledger: Ledger,
) -> None:
    grown: list[int] = []
    broken = True

    async def frail(record: Record) -> Sequence[Outcome]:
        grown.append(number(record))
        if broken and number(record) in (2, 5):
            raise ModelError("down")
        return [record]

    def odd_ones_out(fresh: Iterable[Record], kept: Iterable[Record]) -> Iterator[Outcome]:
        return (record if number(record) % 3 else Drop(record, "third") for record in fresh)

    await Runner(plan(frail, 9, odd_ones_out), ledger).go()
    assert accepted(ledger) == [1, 4, 7, 8]
    broken = False
    grown.clear()
    assert ledger.retry() == 2
    assert await Runner(plan(frail, 9, odd_ones_out), ledger).go() is End.MET
    assert grown == [2, 5]
    assert accepted(ledger) == [1, 2, 4, 5, 7, 8] and not list(ledger.failures())
    assert ledger.tallies() == {"step": (9, 9, 0), "pass": (9, 6, 3)}


async def test_too_many_failures_stop_the_run(ledger: Ledger) -> None:
    async def broken(record: Record) -> Sequence[Outcome]:
        raise ModelError("down")

    made = plan(broken, 1000)
    stopped = Plan(made.feeds, made.stages, made.after, limits=Limits(8, max_error_rate=0.1))
    assert await Runner(stopped, ledger).go() is End.ERRORS
    assert ledger.seeds()[1] < 100


async def test_a_bug_keeps_its_traceback_in_the_ledger(ledger: Ledger) -> None:
    async def buggy(record: Record) -> Sequence[Outcome]:
        return [record, record.messages[7]]  # type: ignore[list-item]

    await Runner(plan(buggy, 1), ledger).go()
    [failure] = ledger.failures()
    assert "in buggy" in failure["error"] and "IndexError" in failure["error"]


async def test_two_records_with_one_id_are_a_bug_of_the_part(ledger: Ledger) -> None:
    async def twins(record: Record) -> Sequence[Outcome]:
        return [record, record]

    await Runner(plan(twins, 1), ledger).go()
    [failure] = ledger.failures()
    assert "must use child()" in failure["error"]


async def test_a_pass_that_loses_a_record_is_a_crash_not_a_smaller_dataset(
    ledger: Ledger,
) -> None:
    def forgetful(fresh: Iterable[Record], kept: Iterable[Record]) -> Iterator[Outcome]:
        return (record for record in fresh if number(record))

    with pytest.raises(ValueError, match="pass"):
        await Runner(plan(same, 5, forgetful), ledger).go()


async def test_stopping_waits_for_calls_on_their_way_and_a_new_start_goes_on(
    ledger: Ledger,
) -> None:
    brake, full, release = Brake(), asyncio.Event(), asyncio.Event()

    async def slow(record: Record) -> Sequence[Outcome]:
        if brake.on:
            raise Stopped
        if number(record) == 3:
            full.set()
        await release.wait()
        return [record]

    made = plan(slow, 10)
    small = Plan(made.feeds, made.stages, made.after, limits=Limits(in_flight=4))
    runner = Runner(small, ledger, brake)
    going = asyncio.ensure_future(runner.go())
    await full.wait()
    runner.stop()
    release.set()
    assert await going is End.INTERRUPTED
    assert accepted(ledger) == [0, 1, 2, 3]
    assert await Runner(plan(same, 10), ledger).go() is End.MET
    assert accepted(ledger) == list(range(10))


async def test_the_token_budget_winds_the_run_down(ledger: Ledger) -> None:
    brake = Brake()

    async def spends(record: Record) -> Sequence[Outcome]:
        brake.spent += 10
        return [record]

    made = plan(spends, 1000)
    bounded = Plan(made.feeds, made.stages, made.after, limits=Limits(4, max_tokens=200))
    assert await Runner(bounded, ledger, brake).go() is End.BUDGET
    assert 20 <= len(accepted(ledger)) <= 30


async def test_seeds_that_changed_under_a_run_are_noticed(ledger: Ledger) -> None:
    from engine.core import JobError

    await Runner(plan(n=5), ledger).go()
    ledger._now(lambda c: c.execute("UPDATE rounds SET done = 0"))
    other = Feed("source", lambda round, start, kept: (r.child(1) for r in seeds(5)))
    changed = Plan((other,), (Stage({"step": same}),), plan().after)
    with pytest.raises(JobError, match="the input has changed"):
        await Runner(changed, ledger).go()


async def test_branches_meet_again_and_each_record_arrives_once(ledger: Ledger) -> None:
    async def left(record: Record) -> Sequence[Outcome]:
        return [record.child(0)]

    async def right(record: Record) -> Sequence[Outcome]:
        return [record.child(1)]

    stages = (Stage({"left": left, "right": right}), Stage({"last": same}))
    after = {"source": ("left", "right"), "left": ("last",), "right": ("last",), "last": (SINK,)}
    feed = Feed("source", lambda round, start, kept: seeds(4))
    assert await Runner(Plan((feed,), stages, after), ledger).go() is End.MET
    assert sorted(accepted(ledger)) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert ledger.tallies()["last"] == (8, 8, 0)
