"""A run on several processes is the run of one: the same records, whoever is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.core import JobError
from engine.entries import decode
from engine.ledger import Ledger
from engine.rounds import End
from tests.crash.server import Server
from tests.crash.test_crash import Starts, dataset, journal, kill
from tests.shards.beside import Agency, grown

pytestmark = pytest.mark.slow

FEW = ("target.accepted=30", "target.candidates=100")


def content(folder: Path) -> tuple[Any, ...]:
    """Units and outcomes of a run, and the keys of its calls: all but times and attempts."""
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as book:
        ask = book.execute
        outcomes = "SELECT * FROM outcomes ORDER BY round, stage, pos, ord"
        return (
            ask("SELECT round, stage, pos, id, status FROM units ORDER BY 1, 2, 3").fetchall(),
            [(*row[:-1], decode(row[-1])) for row in ask(outcomes)],  # less a check's seconds
            ask("SELECT * FROM tallies ORDER BY round, stage, step").fetchall(),
            sorted(ask("SELECT key, text FROM calls").fetchall()),
        )


def same(folder: Path, whole: Path) -> bool:
    """The datasets are the same; the card repeats the job, with its run.shards."""
    mine, other = dataset(folder), dataset(whole)
    assert mine.keys() == other.keys() and len(mine) > 2
    return all(mine[name] == other[name] for name in other if not name.endswith("README.md"))


def children(pid: int) -> list[int]:
    """The processes that this one has started, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *children(child)]
    return found


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


@pytest.mark.parametrize("passing", ["near_duplicate", "rouge_novelty"])
async def test_eight_shards_leave_the_same_ledger_as_one_process(
    passing: str, job: Path, server: Server, tmp_path: Path
) -> None:
    novelty = ("steps.unique={use: rouge_novelty, with: {field: response, threshold: 0.4}}",)
    changes = (*FEW, *(novelty if passing == "rouge_novelty" else ()))
    alone, agency = tmp_path / "alone", Agency()
    await grown(job, alone, None, server.url, *changes)
    await grown(job, tmp_path / "eight", agency, server.url, "run.shards=8", *changes)
    assert agency.hired == list(range(8))
    assert content(tmp_path / "eight") == content(alone)
    with contextlib.closing(Ledger(alone)) as ledger:
        assert any(step == "unique" for step, *_ in ledger.reasons()), "the pass drops some"
        assert any("poison" in str(f["error"]) for f in ledger.failures()), "and seeds fail"


async def test_a_worker_that_dies_is_replaced_and_its_seeds_are_grown_by_the_next(
    job: Path, server: Server, tmp_path: Path
) -> None:
    await grown(job, tmp_path / "alone", None, server.url, *FEW)
    agency = Agency(dies_after=20)
    await grown(job, tmp_path / "three", agency, server.url, "run.shards=3", *FEW)
    assert sorted(agency.hired) == [0, 0, 1, 1, 2, 2]
    assert content(tmp_path / "three") == content(tmp_path / "alone")


async def test_workers_that_always_die_end_the_run_with_a_reason(
    job: Path, server: Server, tmp_path: Path
) -> None:
    with pytest.raises(JobError, match=r"died 5 times in a row.*told to die"):
        await grown(job, tmp_path, Agency(0, always=True), server.url, "run.shards=2", *FEW)


async def test_tokens_and_calls_are_added_up_over_the_workers(
    job: Path, server: Server, tmp_path: Path
) -> None:
    end, runner = await grown(
        job, tmp_path, Agency(), server.url, "run.shards=3", "run.max_tokens=2000", *FEW
    )
    assert end is End.BUDGET
    assert runner.progress.seeds > 0
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        spent = sum(row[3] + row[4] for row in ledger.called())
    assert 2000 <= spent < 2000 + 24 * 4 * 32, "at most what was on its way comes on top"


def test_four_processes_make_the_same_dataset(starts: Starts, whole: Path, tmp_path: Path) -> None:
    starts.whole(tmp_path / "run", "run.shards=4")
    assert same(tmp_path / "run", whole)


def test_a_killed_worker_changes_nothing_and_repeats_no_journalled_call(
    starts: Starts, server: Server, whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    server.asked.clear()
    process = starts.start(folder, "run.shards=2")
    assert process.pid
    until(lambda: server.asked.total() > 60)
    _, *workers = children(process.pid)
    assert len(workers) == 2, "the nursery and a worker a shard"
    os.kill(workers[0], signal.SIGSTOP)  # what it has asked to be written down, is
    before = journal(folder)
    server.asked.clear()
    os.kill(workers[0], signal.SIGKILL)
    process.join(120)
    assert process.exitcode == 0
    assert len(before) > 30 and not before & server.asked.keys()
    assert same(folder, whole)


def test_a_killed_run_goes_on_with_any_number_of_shards_and_leaves_no_process_behind(
    starts: Starts, server: Server, whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    for shards, more in (("run.shards=3", 40), ("run.shards=2", 40)):
        before = journal(folder)
        server.asked.clear()
        process = starts.start(folder, shards)
        assert process.pid
        until(lambda more=more: server.asked.total() > more)  # type: ignore[misc]
        others = children(process.pid)
        kill(process)
        until(lambda others=others: not any(map(alive, others)))  # type: ignore[misc]
        assert not before & server.asked.keys()
    before = journal(folder)
    server.asked.clear()
    starts.whole(folder)
    assert not before & server.asked.keys()
    assert same(folder, whole)


def test_ctrl_c_winds_all_of_it_down(starts: Starts, server: Server, tmp_path: Path) -> None:
    server.asked.clear()
    server.answered.clear()
    process = starts.start(tmp_path, "run.shards=2")
    assert process.pid
    until(lambda: server.asked.total() > 40)
    others = children(process.pid)
    for pid in (*others, process.pid):  # as a terminal does: to the whole group
        os.kill(pid, signal.SIGINT)
    process.join(60)
    assert process.exitcode == 0
    until(lambda: not any(map(alive, others)))
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        assert ledger.meta("end") == "INTERRUPTED"
    assert len(server.answered) > 30
    assert journal(tmp_path) == server.answered.keys(), "every answer that came is kept"


def alive(pid: int) -> bool:
    """Whether a process runs: a dead child of a killed parent may wait to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
