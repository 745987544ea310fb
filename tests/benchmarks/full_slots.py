"""Full slots: how near a client comes to the time that the server's slots alone need.

    python tests/benchmarks/full_slots.py [--sizes 64x1000,256x4000,512x8000] [--times 1]
    python tests/benchmarks/full_slots.py --sizes 256x20000
    python tests/benchmarks/full_slots.py --kill

Rows of three chained calls with lognormal lengths (see ``work``) on a simulated server with so
many slots. Plain asyncio programs and the engine, through its public API with everything on, do
the same work in turn, in one sitting. Efficiency is ideal / measured; ideal is what the slots
need at the least, or the longest chain, so near the end of so few rows nobody reaches 1. From
512 slots on the engine takes two processes (``run.shards``).

``--kill`` ends the engine with SIGKILL half-way, starts it again, and counts at the server what
was asked for twice although it had been answered.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import work
from tests.benchmarks.simserver import Manner
from tests.benchmarks.sitting import CLIENTS, Sat, begin, rows_of, server, sit, table, told

SURPLUS = 1.25
"""Rows in flight for each slot."""
MANY = 512
"""Slots from which one process is not enough."""


def one_size(slots: int, rows: int, times: int, names: list[str]) -> None:
    """All clients in turn on servers of one size."""
    manner = Manner(slots=slots)
    ideal_s = work.load(rows, manner.prefill_s, manner.token_s).ideal_s(slots)
    sat: dict[str, list[Sat]] = {name: [] for name in names}
    for _ in range(times):
        for name in names:
            shards = {"shards": 2} if name == "engine" and slots >= MANY else {}
            sat[name].append(sit(name, manner, rows, int(SURPLUS * slots), **shards))
    reached = {name: [ideal_s / one.measured_s for one in ones] for name, ones in sat.items()}
    best = max(median(reached[name]) for name in names if name != "engine") if len(names) > 1 else 0
    lines = [
        (
            name,
            f"{median(reached[name]):.3f}",
            f"{median(reached[name]) / best:.3f}" if best else "",
            ", ".join(f"{one.measured_s:.1f}" for one in ones),
            f"{median(one.cpu_s for one in ones):.1f}",
            f"{max(one.peak_mb for one in ones):.0f}",
            ", ".join(f"{one.stats['slot_s'] / one.stats['span_s'] / slots:.3f}" for one in ones),
            sum(one.found.lost + one.found.doubled + one.found.wrong for one in ones),
            sum(one.stats["asked_again"] for one in ones),
        )
        for name, ones in sat.items()
    ]
    print(f"\nS = {slots}, {rows} rows, ideal {ideal_s:.1f} s\n")
    head = ("client", "efficiency", "of the best floor", "seconds", "CPU s", "peak MB")
    print(table((*head, "slots in use", "rows wrong", "asked again"), lines), flush=True)


def kill(slots: int, rows: int) -> None:
    """SIGKILL half-way, and a restart."""
    needed = work.load(rows, 0, 0).calls
    with tempfile.TemporaryDirectory() as place, server(Manner(slots=slots)) as url:
        folder = Path(place)
        client = begin("engine", url, folder, rows, int(SURPLUS * slots))
        while told(url, "/stats")["answered"] < needed / 2 and client.poll() is None:
            time.sleep(0.05)
        os.killpg(client.pid, signal.SIGKILL)
        client.wait()
        begin("engine", url, folder, rows, int(SURPLUS * slots)).wait()
        stats, found = told(url, "/stats"), work.check(rows_of(folder), rows)
        fresh = told(url, "/again")
    print(f"S = {slots}, {rows} rows, SIGKILL at half of {needed} calls, then a second start:")
    print(f"  asked again {stats['asked_again']}: under way at the kill, or answered just before")
    print(f"  answered again {stats['answered_again']}; their answers' age at the kill, ms:", fresh)
    print(f"  rows lost {found.lost}, doubled {found.doubled}, wrong {found.wrong}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="64x1000,256x4000,512x8000")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--only", choices=CLIENTS, action="append")
    parser.add_argument("--kill", action="store_true")
    given = parser.parse_args()
    if given.kill:
        return kill(64, 1000)
    for size in given.sizes.split(","):
        slots, rows = map(int, size.split("x"))
        one_size(slots, rows, given.times, given.only or list(CLIENTS))
    return None


if __name__ == "__main__":
    main()
