"""What the runner does between two rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from engine.core import Message, Outcome, Record, Stopped, stable_id
from engine.ledger import Ledger
from engine.plan import SINK, Between, Feed, Plan, Stage, Target
from engine.rounds import End
from engine.runner import Runner


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "run", write=True)
    yield made
    made.close()


def plan(between: Between, grown: list[str]) -> Plan:
    async def step(record: Record) -> Sequence[Outcome]:
        grown.append(record.messages[0].content)
        return [record]

    texts = [f"{n}" for n in range(6)]
    seeds = [Record(stable_id(t), "en", (Message("user", t),)) for t in texts]
    feed = Feed("source", lambda round, start, kept: iter(seeds))
    after = {"source": ("step",), "step": (SINK,)}
    return Plan(
        (feed,), (Stage({"step": step}),), after, Target(candidates=6, round=2), between=between
    )


async def test_before_every_round_it_is_told_what_earlier_ones_kept(ledger: Ledger) -> None:
    seen: list[tuple[int, list[str], int]] = []
    grown: list[str] = []

    async def between(
        round: int, kept: Callable[[str], Iterator[Record]], stopping: Callable[[], bool]
    ) -> None:
        seen.append((round, [r.messages[0].content for r in kept("step")], len(grown)))
        assert not stopping()

    assert await Runner(plan(between, grown), ledger).go() is End.MET
    assert seen == [(0, [], 0), (1, ["0", "1"], 2), (2, ["0", "1", "2", "3"], 4)]


async def test_a_run_that_is_stopped_meanwhile_goes_on_with_the_same_round(
    ledger: Ledger,
) -> None:
    rounds: list[int] = []
    grown: list[str] = []
    runner: list[Runner] = []

    async def between(
        round: int, kept: Callable[[str], Iterator[Record]], stopping: Callable[[], bool]
    ) -> None:
        rounds.append(round)
        if round == 1 and rounds.count(1) == 1:
            runner[0].stop()
            assert stopping()
            raise Stopped

    runner.append(Runner(plan(between, grown), ledger))
    assert await runner[0].go() is End.INTERRUPTED and grown == ["0", "1"]
    assert await Runner(plan(between, grown), ledger).go() is End.MET
    assert rounds == [0, 1, 1, 2] and grown == [f"{n}" for n in range(6)]


async def test_whoever_looks_meanwhile_is_told_that_a_model_learns(ledger: Ledger) -> None:
    stages: list[str] = []
    runner: list[Runner] = []

    async def between(
        round: int, kept: Callable[[str], Iterator[Record]], stopping: Callable[[], bool]
    ) -> None:
        stages.append(runner[0].progress.stage)

    runner.append(Runner(plan(between, []), ledger))
    await runner[0].go()
    assert stages == ["", "training", "training"]
