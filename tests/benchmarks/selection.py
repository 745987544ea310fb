"""Passes that choose: seconds and memory for many records.

``python tests/benchmarks/selection.py [ROWS] [PASS ...]``: makes ROWS records (100,000) in a few
hundred loose clusters, with vectors of 512 numbers, scores, tasks and languages, and runs each
pass over them in a process of its own. Prints the time of the pass without that of making the
records, how many were kept, and the peak memory of the process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine.core import Message, Record, stable_id  # noqa: E402
from engine.kit import Desk  # noqa: E402
from engine.text.embedding import embedding_fact  # noqa: E402

NUMBERS, CLUSTERS, BLOCK = 512, 300, 2000
LANGUAGES = ["en"] * 60 + ["de"] * 20 + ["zh"] * 12 + ["sw"] * 6 + ["yo"] * 2
PASSES: dict[str, dict[str, Any]] = {
    "deita_select": {"score": "scores.mean", "size": 10_000},
    "k_center": {"size": 1000, "start": 100},
    "weighted_coreset": {"size": 5000, "weights": ["scores.mean", "difficulty"]},
    "facility_location": {"size": 10_000},
    "submodular_mix": {"size": 10_000, "task": "topic"},
    "balance": {"by": ["language", "topic"], "cap": 100},
    "temperature_mix": {"size": 20_000, "temperature": 3.3},
}


class Maker:
    """Records, and the seconds that it took to make them."""

    def __init__(self, rows: int) -> None:
        self.rows, self.seconds = rows, 0.0

    def __iter__(self) -> Iterator[Record]:
        rng = np.random.default_rng(4)
        centres = rng.normal(size=(CLUSTERS, NUMBERS)).astype(np.float32)
        started = time.perf_counter()
        for begin in range(0, self.rows, BLOCK):
            topics = rng.integers(CLUSTERS, size=BLOCK)
            vectors = centres[topics] + 1.2 * rng.normal(size=(BLOCK, NUMBERS)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            scores = rng.random((BLOCK, 2))
            for at in range(min(BLOCK, self.rows - begin)):
                number = begin + at
                facts = {
                    "embedding": embedding_fact(vectors[at], "bench", "instruction"),
                    "scores": {"mean": float(scores[at, 0])},
                    "difficulty": float(scores[at, 1]),
                    "topic": f"t{topics[at]}",
                }
                language = LANGUAGES[number % len(LANGUAGES)]
                turns = (Message("user", f"Question {number}"), Message("assistant", "Answer"))
                record = Record(stable_id(str(number)), language, turns, facts)
                self.seconds += time.perf_counter() - started
                yield record
                started = time.perf_counter()


def measure(name: str, rows: int) -> None:
    kind = import_module(f"engine.passes.{name}").PASS
    maker = Maker(rows)
    started = time.perf_counter()
    desk = Desk(kind.params(**PASSES[name]), name, "1")
    kept = sum(isinstance(each, Record) for each in kind.settle(maker, iter(()), desk))
    seconds = time.perf_counter() - started - maker.seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:18} {rows:,} records, {kept:,} kept: {seconds:6.1f} s, peak {peak:,.0f} MB")


def main(rows: int, names: list[str]) -> None:
    for name in names or PASSES:
        subprocess.run([sys.executable, __file__, "measure", name, str(rows)], check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["measure", name, rows]:
            measure(name, int(rows))
        case [rows, *names] if rows.isdecimal():
            main(int(rows), names)
        case names:
            main(100_000, names)
