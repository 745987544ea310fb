"""Seconds for many short programs in the sandbox, one run each and verified (three runs each).

    python tests/benchmarks/sandbox.py [--programs 1000] [--workers 2] [--mode namespaces]

Each program defines a function of its own and asserts three results; one in ten is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import time
from dataclasses import replace

from engine.sandbox.limits import MODES, Limits, Program, Ran
from engine.sandbox.pool import Sandbox


def program(at: int) -> Program:
    code = f"import math\n\ndef f{at}(x):\n    return math.isqrt(x * x) + {at}\n"
    wrong = at % 10 == 0
    return Program(code, "".join(f"assert f{at}({x}) == {x + at + wrong}\n" for x in range(3)))


async def verified(box: Sandbox, each: Program) -> str:
    ran = await box.run(each)
    if ran.ended != "passed":
        return ran.ended
    changed: list[Ran] = await asyncio.gather(
        box.run(replace(each, change="emptied")),
        box.run(replace(each, change="doubted", doubt=ran.assertions)),
    )
    return "verified" if all(c.ended == "failed" for c in changed) else "not verified"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--mode", choices=MODES, default=MODES[0])
    parser.add_argument("--python", default="", help="interpreter of the programs")
    asked = parser.parse_args()
    programs = [program(at) for at in range(asked.programs)]
    started = time.perf_counter()
    async with Sandbox(
        Limits(), workers=asked.workers, modes=(asked.mode,), python=asked.python
    ) as box:
        print(await box.walls())
        print(f"start       {time.perf_counter() - started:6.2f} s")
        started = time.perf_counter()
        ends = [r.ended for r in await asyncio.gather(*map(box.run, programs))]
        print(f"run once    {time.perf_counter() - started:6.2f} s", collections.Counter(ends))
        started = time.perf_counter()
        found = await asyncio.gather(*(verified(box, each) for each in programs))
        print(f"verified    {time.perf_counter() - started:6.2f} s", collections.Counter(found))


asyncio.run(main())
