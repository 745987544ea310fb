"""SIGKILL at any moment: what was answered is not asked again, by the server's own count."""

from __future__ import annotations

import json
import math
import random
import shutil
import time
from pathlib import Path

import pytest

from engine.result import Result
from engine.rounds import End
from tests.benchmarks import work
from tests.benchmarks.simserver import Call, Manner, Server, running
from tests.crash.test_crash import Starts, kill
from tests.faults.test_faults import CHAIN, found

pytestmark = pytest.mark.slow

ROWS, KILLS = 90, 3
COMMIT_S = 0.05
"""The longest that an answer may take to be durable, on a machine that keeps up."""


@pytest.fixture
def job(tmp_path: Path) -> Path:
    place = tmp_path / "job"
    shutil.copytree(CHAIN, place, ignore=shutil.ignore_patterns("__pycache__"))
    seeds = "".join(json.dumps(seed) + "\n" for seed in work.seeds(ROWS))
    (place / "in.jsonl").write_text(seeds)
    return place / "job.yaml"


def test_after_a_kill_only_the_last_answers_are_asked_for_again(job: Path, tmp_path: Path) -> None:
    draw, folder = random.Random(5), tmp_path / "run"
    killed: list[float] = []
    with running(Manner(slots=24, prefill_s=0.005, token_s=0.0002)) as server:
        starts, calls = Starts(job, server.url), server.counts.calls
        while len(killed) < KILLS:
            process = starts.start(folder)
            wanted = len(calls) + draw.randint(10, 50)  # so many further, whatever the machine
            while len(calls) < wanted and process.exitcode is None:
                process.join(0.002)
            assert process.exitcode is None, "the work is long enough for all kills"
            kill(process)
            killed.append(time.monotonic())
        starts.whole(folder)
    assert_only_the_last_answers_were_asked_again(server, killed)
    made = found(Result(folder, End.MET, ROWS, 0))
    assert (made.lost, made.doubled, made.wrong) == (0, 0, 0)


def assert_only_the_last_answers_were_asked_again(server: Server, killed: list[float]) -> None:
    """An answer that was asked for again led to no further call, and was fresh at the kill.

    Fresh means younger than a commit takes; on a machine so busy that the client needs longer
    to make its next call of an answer, younger than twice the longest that this took.
    """
    asked: dict[str, list[Call]] = {}
    for call in server.counts.calls:
        asked.setdefault(call.key, []).append(call)
    took_s, again = [COMMIT_S], 0
    lost: list[tuple[Call, float]] = []
    for calls in asked.values():
        nexts = [call.arrived for call in asked.get(f"{calls[0].row}.{calls[0].call + 1}", ())]
        for call, until in zip(calls, [*(c.arrived for c in calls[1:]), math.inf], strict=True):
            followed = [at for at in nexts if call.answered < at < until]
            if call.answered and followed:
                took_s.append(2 * (followed[0] - call.answered))
            again += until < math.inf
            if call.answered and until < math.inf:
                assert not followed, f"{call.key} had been used, and was asked for again"
                lost.append((call, max(at for at in killed if at < until)))
    assert again, "what was in flight at a kill is asked for again"
    ages = [at - call.answered for call, at in lost]
    assert max(ages, default=0) < max(took_s), f"{ages} with commits in {max(took_s)}"
