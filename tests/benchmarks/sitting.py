"""One client against one fresh simulated server, measured: what all the benchmarks here do.

Time is the server's, from the first request to the finished dataset; CPU and memory are the
client's, with all its processes, from its start to its end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tests.benchmarks import work
from tests.benchmarks.simserver import Manner

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOOK_S = 0.1
"""Seconds between two looks at the client's memory."""
CLIENTS = {
    "raw asyncio": ("floor.py", "raw"),
    "openai, aiohttp transport": ("floor.py", "openai"),
    "engine": ("client.py",),
}


@dataclass(frozen=True)
class Sat:
    """What came of one client."""

    name: str
    measured_s: float
    """From the first request to the finished dataset."""
    whole_s: float
    """From the start of the process to its end."""
    cpu_s: float
    peak_mb: float
    """Of all its processes together."""
    stats: dict[str, Any]
    found: work.Found
    said: str


@contextmanager
def server(manner: Manner) -> Iterator[str]:
    """A fresh server in a process of its own; where it is."""
    flags: list[str] = []
    for each in fields(Manner):
        value, name = getattr(manner, each.name), each.name.replace("_", "-")
        if value != each.default:
            flags += [f"--no-{name}"] if value is False else [f"--{name}", str(value)]
    command = [sys.executable, str(HERE / "simserver.py"), *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def told(url: str, what: str) -> Any:
    """What the server says of itself."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url.removesuffix("/v1") + what, timeout=30) as answer:
        return json.load(answer)


def begin(
    name: str, url: str, folder: Path, rows: int, inflight: int, **more: object
) -> subprocess.Popen[bytes]:
    """Start a client in a process group of its own; what it says goes to ``folder/log``."""
    seeds = folder / "in.jsonl"
    if not seeds.exists():
        seeds.write_text("".join(json.dumps(seed) + "\n" for seed in work.seeds(rows)))
    given = {
        "BENCH_URL": url,
        "BENCH_IN": str(seeds),
        "BENCH_OUT": str(folder / "out.jsonl"),
        "BENCH_CONC": str(inflight),
        "BENCH_WORK": str(folder),
        **{f"BENCH_{key.upper()}": str(value) for key, value in more.items()},
    }
    script, *arguments = CLIENTS[name]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(HERE / script), *arguments],
            env={**os.environ, "PYTHONPATH": paths, **given},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def sit(
    name: str, manner: Manner, rows: int, inflight: int, limit_s: float = 900, **more: object
) -> Sat:
    """Run one client from its start to its end."""
    with tempfile.TemporaryDirectory(prefix="sitting-") as place, server(manner) as url:
        folder = Path(place)
        began = time.monotonic()
        client = begin(name, url, folder, rows, inflight, **more)
        peak_mb, cpu_s = _watch(client, began + limit_s)
        ended = time.monotonic()
        stats = told(url, "/stats")
        done = _finished(folder) if (folder / "out.jsonl").exists() else ended
        said = (folder / "log").read_text()[-2000:].strip()
        found = work.check(rows_of(folder), rows)
        return Sat(name, done - stats["first"], ended - began, cpu_s, peak_mb, stats, found, said)


def rows_of(folder: Path) -> list[Any]:
    """The rows that a client has written."""
    out = folder / "out.jsonl"
    return [json.loads(line) for line in out.open()] if out.exists() else []


def _finished(folder: Path) -> float:
    """When the dataset was complete: the engine's own, else the file that was asked for."""
    own = list((folder / "run" / "dataset").glob("*.jsonl"))
    written = max(path.stat().st_mtime for path in own or [folder / "out.jsonl"])
    return written - time.time() + time.monotonic()


def _watch(client: subprocess.Popen[bytes], until: float) -> tuple[float, float]:
    """Peak memory (MB) and CPU (s) of a process and its children, when it has ended."""
    before = os.times()
    peak = 0.0
    while True:
        try:
            client.wait(LOOK_S)
            break
        except subprocess.TimeoutExpired:
            peak = max(peak, _memory_mb(client.pid))
        if time.monotonic() > until:
            os.killpg(client.pid, 9)
    after = os.times()
    cpu_s = after.children_user - before.children_user
    return peak, cpu_s + after.children_system - before.children_system


def _memory_mb(group: int) -> float:
    """Resident memory of a process group."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(parts[2]) == group:
            total += int(parts[21])
    return total * os.sysconf("SC_PAGE_SIZE") / 1e6


def table(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)
