"""Execution: the code of the response runs together with its tests, and the tests mean something.

The code stands in the response's fenced blocks; the tests stand there, too, or in a fact. It runs
in the sandbox (no network, nothing of the user's, limits on everything) and passes where it comes
to its end, nothing is raised and at least one assertion of the tests ran. What passes runs twice
more: with the bodies of the solution's functions taken out, and with the last assertion taken as
failed. Neither may pass: the first would pass where the tests prove nothing, the second where
failures are swallowed or the program speaks its own verdict. A sandbox that breaks is an error,
never a verdict on the code. Assertions are Python's ``assert``; other languages are no code here.

Source: Wei, Cassano, Liu, Ding, Jain, Mueller, de Vries, von Werra, Guha, Zhang, "SelfCodeAlign:
Self-Alignment for Code Generation", 2024, arXiv:2410.24198 (filtering by
execution).
Differs: there the exit code decides, so that ``sys.exit(0)`` and no test at all pass; and the
program is not tried without its solution. Only the block of a ``__main__`` guard is cut where
input is read. Objects that claim to be equal to everything are not found out.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pydantic import BaseModel, Field

from engine.core import Drop, Outcome, Record
from engine.kit import Kit, Verifier
from engine.sandbox.limits import MODES, Ended, Limits, Program, Ran
from engine.sandbox.pool import SandboxError, shared
from engine.text.code_blocks import PYTHON, code_blocks

_REASONS: dict[Ended, str] = {
    "failed": "tests_failed",
    "no_assertion": "no_assertion_ran",
    "exited": "left_before_the_end",
    "unparsable": "unparsable_code",
    "timeout": "code_timed_out",
    "memory": "code_took_memory",
    "disk": "code_took_disk",
    "output": "code_wrote_too_much",
    "killed": "code_was_killed",
}


class Params(BaseModel, extra="forbid"):
    """How long, how much and behind which walls."""

    timeout_s: float = Field(10.0, gt=0, le=600)
    """Seconds from start to end of one run."""
    cpu_s: int = Field(5, ge=1, le=600)
    """Seconds of processor time of one run, 1 or more."""
    memory_mib: int = Field(512, ge=64, le=65536)
    """MiB of memory of one run, 64 or more."""
    workers: int = Field(2, ge=1, le=64)
    """How many programs run at once; about one for each core."""
    need_namespaces: bool = False
    """Whether only the strongest walls will do: an error where the machine has no namespaces."""
    tests: str = "tests"
    """The fact that holds the tests; where a record has none, they are in the response."""


async def check(record: Record, kit: Kit[Params]) -> Outcome:
    """The record with the number of assertions that ran, or a drop that says what went wrong.

    Raises:
        SandboxError: the sandbox broke; as ``NoWalls``, this machine has none.
    """
    program = _program(record, kit.params.tests)
    if program is None:
        return Drop(record, "no_code", "no fenced block of Python in the response")
    ran = await _run(program, kit.params)
    if ran.ended != "passed":
        return Drop(record, _REASONS[ran.ended], _told(ran))
    emptied, doubted = await asyncio.gather(
        _run(replace(program, change="emptied"), kit.params),
        _run(replace(program, change="doubted", doubt=ran.assertions), kit.params),
    )
    if emptied.ended == "passed":
        return Drop(record, "tests_prove_nothing", "they pass without the solution's bodies")
    if doubted.ended == "passed":
        return Drop(record, "failures_are_hidden", "it passes although an assertion failed")
    return record.with_facts(execution={"assertions": ran.assertions})


def _program(record: Record, fact: str) -> Program | None:
    code = _python(record.last("assistant"))
    given = record.facts.get(fact) or ""
    tests = given if isinstance(given, str) else "\n".join(map(str, given))
    return Program(code, _python(tests) or tests) if code else None


def _python(text: str) -> str:
    return "\n".join(block.code for block in code_blocks(text, PYTHON)).strip()


async def _run(program: Program, params: Params) -> Ran:
    box = shared(params.workers, MODES[:1] if params.need_namespaces else MODES)
    limits = Limits(params.timeout_s, params.cpu_s, params.memory_mib)
    ran = await box.run(program, limits)
    if ran.ended == "error":
        raise SandboxError(f"the sandbox broke: {ran.detail or ran.stderr[-500:]}")
    return ran


def _told(ran: Ran) -> str:
    """The end of what it complained about: the exception and where."""
    how = f"exit code {ran.code}" if ran.code is not None else f"signal {ran.signal}"
    return (ran.detail or ran.stderr.strip()[-500:] or how).strip()


VERIFIER = Verifier(check, Params)
