"""Peak memory of a run of 200,000 seeds against one of 10,000.

    python tests/benchmarks/flat_memory.py [--few 10000] [--many 200000]

Each size is a whole run in a process of its own: JSONL in, one filter that calls nothing and one
step that asks an instant model, journal, ledger, a pass, and the parquet sink with its card.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

JOB = """
version: 1
job: memory
models: {sim: {use: rehearsal}}
source: {use: jsonl, with: {path: seeds.jsonl, language: en}}
steps:
  length: {use: length}
  judge: {use: rubric_judge, with: {min_score: 1, min_each: 1}}
  split: {use: split}
"""


class Instant:
    """Gives every criterion four points, at once."""

    async def chat(self, request):  # type: ignore[no-untyped-def]
        from engine.models.chat import Reply

        graded = {"reason": "It answers what was asked.", "score": 4}
        names = request.schema["properties"]
        return Reply(json.dumps(dict.fromkeys(names, graded)), "instant", 300, 80)


async def one_run(folder: Path) -> None:
    from engine import outputs
    from engine.job import load
    from engine.ledger import Ledger
    from engine.models.journal import Journal
    from engine.runner import Runner
    from engine.wiring import plan, wire

    wiring = wire(load(folder / "job.yaml"))
    with contextlib.closing(Ledger(folder / "run", write=True)) as ledger:
        runner = Runner(plan(wiring, {"sim": Journal(Instant(), "instant", ledger)}), ledger)
        await runner.go()
        outputs.write(wiring, ledger, folder / "run")
        assert ledger.waiting("") + sum(n for *_, n in ledger.reasons()) > 0
        print(ledger.waiting(""), "kept", ledger.reasons(), file=sys.stderr)


def measure(n: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "job.yaml").write_text(JOB)
        with (folder / "seeds.jsonl").open("w") as lines:
            for i in range(n):
                turns = [
                    {"role": "user", "content": f"Name the {i}th place on the old river road."},
                    {"role": "assistant", "content": f"It is the mill at milestone {i}. " * 6},
                ]
                lines.write(json.dumps({"messages": turns}) + "\n")
        job = (folder / "job.yaml").read_text()
        (folder / "job.yaml").write_text(
            job.replace("language: en", "language: en, messages: messages")
        )
        began = time.perf_counter()
        out = subprocess.run(
            [sys.executable, __file__, "--child", name], check=True, capture_output=True, text=True
        )
        return float(out.stdout), time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=200_000)
    parser.add_argument("--child")
    args = parser.parse_args()
    if args.child:
        asyncio.run(one_run(Path(args.child)))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    few, few_s = measure(args.few)
    many, many_s = measure(args.many)
    print(f"{args.few:>8} seeds: peak {few:.0f} MB, {few_s:.0f} s")
    print(f"{args.many:>8} seeds: peak {many:.0f} MB, {many_s:.0f} s")
    print(f"   ratio: {many / few:.2f}")


if __name__ == "__main__":
    main()
