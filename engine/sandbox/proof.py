"""Whether code passes its tests, and the tests mean something: one program, run up to three times.

It has to come to its end with an assertion that ran. Then it must not pass with the bodies of its
functions taken out (the tests would prove nothing), nor with one assertion taken as failed (its
failures would be hidden).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from engine.sandbox.limits import Limits, Program, Ran
from engine.sandbox.pool import Sandbox, SandboxError

PROVEN, EMPTY, HIDDEN = "proven", "tests_prove_nothing", "failures_are_hidden"


async def proof(box: Sandbox, program: Program, limits: Limits) -> str:
    """``proven``; or why not: how it ended, ``tests_prove_nothing`` or ``failures_are_hidden``.

    Raises:
        SandboxError: the sandbox broke, so nothing is known.
    """
    ran = await settled(box, program, limits)
    if ran.ended != "passed":
        return ran.ended
    emptied, doubted = await asyncio.gather(
        settled(box, replace(program, change="emptied"), limits),
        settled(box, replace(program, change="doubted", doubt=ran.assertions), limits),
    )
    if emptied.ended == "passed":
        return EMPTY
    return HIDDEN if doubted.ended == "passed" else PROVEN


async def settled(box: Sandbox, program: Program, limits: Limits) -> Ran:
    """How a program ended; a broken sandbox is no end.

    Raises:
        SandboxError: the sandbox broke, so nothing is known.
    """
    ran = await box.run(program, limits)
    if ran.ended == "error":
        raise SandboxError(f"the sandbox broke: {ran.detail or ran.stderr[-500:]}")
    return ran
