"""A run that is killed at any moment loses no finished call and ends with the same bytes."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.core import LedgerError
from engine.ledger import Ledger
from tests.crash import start
from tests.crash.server import Server, mark

pytestmark = pytest.mark.slow

KILLS = 20
JOB = Path(__file__).parent / "job"
PRELOAD = ["engine.session", "engine.sinks.parquet", "langgraph.graph", "openai", "datasets"]


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The job with its seeds: every tenth one a repetition, every fifteenth one poison."""
    here = tmp_path_factory.mktemp("crash") / "job"
    shutil.copytree(JOB, here)
    draw = random.Random(3)
    with (here / "seeds.jsonl").open("w") as lines:
        for i in range(400):
            topic = " ".join(
                draw.choice(["tide", "loom", "ferry", "salt", "kiln"]) for _ in range(4)
            )
            text = f"Explain number {i} about {topic}." if i % 10 else "Explain how bread rises."
            lines.write(json.dumps({"instruction": text + " POISON" * (i % 15 == 7)}) + "\n")
    return here / "job.yaml"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(latency_s=0.01) as running:
        yield running


class Starts:
    """Starts the engine from a process that has the libraries loaded already."""

    def __init__(self, job: Path, url: str) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOAD)
        self._job, self._url = job, url

    def start(self, folder: Path, *changes: str) -> multiprocessing.process.BaseProcess:
        process = self._context.Process(
            target=start.go, args=(self._job, folder, self._url, changes), daemon=True
        )
        process.start()
        return process

    def whole(self, folder: Path, *changes: str) -> None:
        process = self.start(folder, *changes)
        process.join(120)
        assert process.exitcode == 0


def dataset(folder: Path) -> dict[str, bytes]:
    files = (folder / "dataset").rglob("*")
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(files) if p.is_file()}


@pytest.fixture(scope="module")
def starts(job: Path, server: Server) -> Starts:
    return Starts(job, server.url)


@pytest.fixture(scope="module")
def whole(starts: Starts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    starts.whole(folder)
    return folder


def test_the_mix_has_everything_in_it(whole: Path) -> None:
    ledger = Ledger(whole)
    reasons = {(step, reason) for step, reason, _, _ in ledger.reasons()}
    assert reasons >= {
        ("first", "unusable"),
        ("length", "response_too_short"),
        ("unique", "near_duplicate"),
        ("again", "unusable"),
    }
    assert len(ledger.rounds()) > 2 and list(ledger.failures())
    assert ledger.waiting("") > 110, "a surplus stays in the ledger"
    ledger.close()


def test_twenty_kills_change_nothing_and_no_journalled_call_is_made_twice(
    starts: Starts, server: Server, whole: Path, tmp_path: Path
) -> None:
    draw, killed, runs = random.Random(11), 0, 0
    while killed < KILLS:  # a run that got through is compared, and another one begun
        runs += 1
        folder, ended = tmp_path / f"killed-{runs}", False
        while killed < KILLS and not ended:
            before = start_cleanly(folder, server)
            process = starts.start(folder)
            process.join(draw.uniform(0.1, 0.7))
            ended = process.exitcode is not None
            if not ended:
                kill(process)
                killed += 1
                if killed % 5 == 0:
                    tear(folder / "run.sqlite-wal", draw)
            check_nothing_repeated(before, server)
        before = start_cleanly(folder, server)
        starts.whole(folder)
        check_nothing_repeated(before, server)
        assert dataset(folder) == dataset(whole)


def start_cleanly(folder: Path, server: Server) -> set[str]:
    server.asked.clear()
    return journal(folder)


def kill(process: multiprocessing.process.BaseProcess) -> None:
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def tear(log: Path, draw: random.Random) -> None:
    """Cut the last write in the middle, as a dying disk does."""
    if log.is_file() and log.stat().st_size > 10_000:
        os.truncate(log, log.stat().st_size - draw.randrange(1, 4000))


def check_nothing_repeated(journalled: set[str], server: Server) -> None:
    """What was in the journal at this start was not asked since."""
    again = journalled & server.asked.keys()
    assert not again, f"{len(again)} journalled calls were made again"


def journal(folder: Path) -> set[str]:
    """The server's marks of the calls in the journal; none before there is one."""
    try:
        ledger = Ledger(folder)
    except LedgerError:
        return set()
    found = set(marks(ledger))
    ledger.close()
    return found


def marks(ledger: Ledger) -> Iterator[str]:
    for said in ledger.calls():
        asked = json.loads(said.asked)
        schema = asked["schema"]
        yield mark(
            {
                "messages": asked["messages"],
                "seed": asked["seed"],
                "temperature": asked["sampling"]["temperature"],
                "response_format": schema
                and {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}},
            }
        )


@pytest.mark.parametrize("in_flight", [1, 7, 512])
def test_the_dataset_does_not_depend_on_concurrency(
    in_flight: int, starts: Starts, whole: Path, tmp_path: Path
) -> None:
    starts.whole(tmp_path / "run", f"run.in_flight={in_flight}")
    mine, other = dataset(tmp_path / "run"), dataset(whole)
    for name in other:
        if not name.endswith("README.md"):  # the card repeats the job, with its in_flight
            assert mine[name] == other[name]


def test_a_second_start_of_a_finished_run_asks_nothing(
    starts: Starts, server: Server, whole: Path
) -> None:
    before = dataset(whole)
    server.asked.clear()
    starts.whole(whole)
    assert not server.asked
    assert dataset(whole) == before
