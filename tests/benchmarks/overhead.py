"""CPU per call at zero latency through real HTTP: the engine against the openai client alone.

    python tests/benchmarks/overhead.py [--rows 2000] [--times 3]

The engine runs with everything on: LangGraph, journal, ledger, retries, dataset and report. The
openai client with its aiohttp transport does the same calls and keeps nothing. Both in turn, in
one sitting; CPU is the whole process's, imports included.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.simserver import Manner
from tests.benchmarks.sitting import Sat, sit, table

NAMES = ("openai, aiohttp transport", "engine")
INFLIGHT = 64


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    manner = Manner(prefill_s=0, token_s=0)
    sat: dict[str, list[Sat]] = {name: [] for name in NAMES}
    for _ in range(given.times):
        for name in NAMES:
            sat[name].append(sit(name, manner, given.rows, INFLIGHT))
    each_ms = {
        name: [1000 * one.cpu_s / one.stats["different"] for one in ones]
        for name, ones in sat.items()
    }
    lines = [
        (
            name,
            f"{median(each_ms[name]):.2f}",
            ", ".join(f"{ms:.2f}" for ms in each_ms[name]),
            f"{max(one.peak_mb for one in ones):.0f}",
            sum(one.found.lost + one.found.doubled + one.found.wrong for one in ones),
            sum(one.stats["asked_again"] for one in ones),
        )
        for name, ones in sat.items()
    ]
    print(f"{given.rows} rows, {sat['engine'][0].stats['different']} calls, {given.times} times\n")
    head = ("client", "CPU ms a call", "each time", "peak MB", "rows wrong", "asked again")
    print(table(head, lines))
    floor, engine = (median(each_ms[name]) for name in NAMES)
    print(f"\nratio {engine / floor:.2f}")


if __name__ == "__main__":
    main()
