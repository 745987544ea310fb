"""The engine as a client of a benchmark: one job run through the public API, everything on.

Reads BENCH_URL, BENCH_IN (JSON Lines: row, topic), BENCH_OUT (JSON Lines to write: row,
instruction, response, judge), BENCH_CONC (calls to keep in flight), BENCH_WORK (a folder that
survives a restart); BENCH_SHARDS, if there, is the number of processes.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import engine
from engine.core import Record

CHAIN = Path(__file__).parent / "chain"


def row(record: Record) -> dict[str, object]:
    """A record as the harness checks it."""
    return {
        "row": record.facts["row"],
        "instruction": record.last("user"),
        "response": record.last("assistant"),
        "judge": record.facts["verdict"],
    }


def main() -> None:
    given = os.environ
    work, inflight = Path(given["BENCH_WORK"]), given["BENCH_CONC"]
    place = work / "job"
    if not place.exists():
        shutil.copytree(CHAIN, work / "copy", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(given["BENCH_IN"], work / "copy" / "in.jsonl")
        (work / "copy").rename(place)
    changes = [f"run.in_flight={inflight}", f"models.sim.max_concurrent={inflight}"]
    if shards := given.get("BENCH_SHARDS"):
        changes.append(f"run.shards={shards}")
    job = engine.load(place / "job.yaml", changes, {"SIM_URL": given["BENCH_URL"]})
    result = engine.run(job, work / "run")
    out = Path(given["BENCH_OUT"])
    with out.open("w") as lines:
        lines.writelines(json.dumps(row(record)) + "\n" for record in result.records())
    print(result.end.value, result.accepted, len(result.failures()))


if __name__ == "__main__":
    main()
