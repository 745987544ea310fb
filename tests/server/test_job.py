"""Whole runs with ``serve:``, as a user starts them: a job, a death in mid-run, and kills."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import pytest

from tests.conftest import ROOT

MODEL = """
    serve: {model}
    args:
      max-model-len: 2048
      enforce-eager: true
{more}      structured-outputs-config: {{backend: guidance, disable_any_whitespace: true}}
    max_concurrent: 2
    sampling: {{max_tokens: 64, temperature: 1.5}}
"""
JOB = """
version: 1
job: served
models:
  writer: {writer}
  judge: {judge}
source: {{use: jsonl, with: {{path: seeds.jsonl, language: en}}}}
steps:
  first: {{use: own_parts.chain}}
  unique: {{use: near_duplicate, with: {{field: response}}}}
  halves: {{use: split, with: {{validation: 0.2}}}}
run: {{in_flight: 16}}
"""
SEEDS = 16
WITHOUT_SLEEP = ["--set", "models.writer.args.enable-sleep-mode=false"]


@pytest.fixture
def job(tmp_path: Path, tiny: Path) -> Path:
    """Two models that do not fit together; the first is asked whether it knows sleep mode."""
    shutil.copytree(ROOT / "tests" / "crash" / "job", tmp_path, dirs_exist_ok=True)
    without_sleep = "      enable-sleep-mode: false\n"
    writer, judge = (MODEL.format(model=tiny, more=more) for more in ("", without_sleep))
    (tmp_path / "job.yaml").write_text(JOB.format(writer=writer, judge=judge))
    with (tmp_path / "seeds.jsonl").open("w") as lines:
        for i in range(SEEDS):
            lines.write(json.dumps({"instruction": f"Explain number {i} about bread."}) + "\n")
    return tmp_path / "job.yaml"


@contextlib.contextmanager
def running(job: Path, environment: dict[str, str], *more: str) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-m", "engine.cli", "run", str(job), "-o", str(job.parent / "run")]
    engine = subprocess.Popen(
        [*words, *more],
        cwd=job.parent,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield engine
    finally:
        engine.kill()
        engine.communicate()


def servers(tiny: Path) -> list[int]:
    """Every process that has the model in its words: the server, its guard, and their engine."""
    found = []
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(tiny).encode() in words.read_bytes():
                found.append(int(words.parent.name))
    return found


def group(pid: int) -> list[int]:
    """All processes of the session that this one leads."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def until(true: Callable[[], object], within_s: float, engine: subprocess.Popen[str]) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert engine.poll() is None, engine.stdout and engine.stdout.read()
        assert time.monotonic() < end, f"not within {within_s} s"
        time.sleep(0.1)


def calls(job: Path) -> list[str]:
    """The keys of all journalled calls."""
    file = f"file:{job.parent}/run/run.sqlite?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as book:
        return [key for (key,) in book.execute("SELECT key FROM calls")]


def leader(tiny: Path, before: set[int]) -> int:
    """The main process of the server that is new: it leads its session, and is no guard."""
    return next(
        pid
        for pid in set(servers(tiny)) - before
        if os.getsid(pid) == pid and b"guard.py" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    )


def test_two_models_take_turns_a_death_costs_no_record_and_no_process_is_left(
    job: Path, tiny: Path, environment: dict[str, str]
) -> None:
    logs = job.parent / "run" / "logs"
    writer, judge = logs / "writer-0.log", logs / "judge-0.log"
    before = set(servers(tiny))
    with running(job, environment) as engine:
        until(lambda: writer.exists() and "engine: ready" in writer.read_text(), 300, engine)
        until(lambda: len(calls(job)) >= 3, 60, engine)
        os.kill(leader(tiny, before), signal.SIGKILL)
        said, _ = engine.communicate(timeout=400)
    assert engine.returncode == 0, said
    lived, judged = writer.read_text(), judge.read_text()
    assert "Sleep mode is not supported" in lived, "it was tried, and then done without"
    assert lived.count("engine: ready") == 2, "it was started again"
    assert lived.count("devices are another's") == 1, "it ended when all waited for the judge"
    assert judged.count("engine: ready") == 1 and "Sleep mode" not in judged
    rows = datasets.load_dataset(str(job.parent / "run" / "dataset"))
    kept, dropped = sum(map(len, rows.values())), re.findall(r"dropped +(\d+)", said)
    assert kept >= 3 and kept + int(dropped[0]) == 2 * SEEDS, said
    found = calls(job)
    assert len(found) == len(set(found)) == 4 * SEEDS, "two answers a seed, and a verdict on each"
    assert set(servers(tiny)) <= before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_engine_that_is_killed_leaves_no_process(
    job: Path, tiny: Path, environment: dict[str, str], number: signal.Signals
) -> None:
    log = job.parent / "run" / "logs" / "writer-0.log"
    before = set(servers(tiny))
    with running(job, environment, *WITHOUT_SLEEP) as engine:
        until(lambda: log.exists() and "non-default args" in log.read_text(), 120, engine)
        session = group(leader(tiny, before))
        assert session
        engine.send_signal(number)
        engine.wait(60)
        end = time.monotonic() + 30
        while any(Path(f"/proc/{pid}").exists() for pid in session) and time.monotonic() < end:
            time.sleep(0.1)
        assert set(servers(tiny)) <= before


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("models.writer.args.no-such-flag=1", "unrecognized arguments: --no-such-flag"),
        ("models.writer.args.max-model-len=99999", r"max_model_len \(?=?99999"),
        ("models.writer.serve=no/such-model", "no/such-model|offline|outgoing traffic"),
    ],
    ids=["bad flag", "too long a context", "missing model"],
)
def test_a_mistake_ends_the_run_with_the_servers_own_words(
    job: Path, environment: dict[str, str], change: str, why: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "engine.cli", "run", str(job), "-o", "run", "--set", change,
         *WITHOUT_SLEEP],
        cwd=job.parent, env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert re.search(why, ran.stderr.splitlines()[-1]), ran.stderr
    assert "writer-0.log" in ran.stderr.splitlines()[-1]
