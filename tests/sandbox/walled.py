"""What the tests of the sandbox share: which walls this machine has, and who runs behind them."""

from __future__ import annotations

import asyncio
import os
import select
import sys
import time
from collections.abc import Collection
from functools import cache
from pathlib import Path

import pytest

from engine.sandbox.limits import Mode
from engine.sandbox.pool import Sandbox, SandboxError

LANDLOCK_PYTHON = (
    "/usr/bin/python3" if os.geteuid() == 0 and Path("/usr/bin/python3").exists() else ""
)
"""Root's programs run as another user, who may not reach an interpreter in root's home."""


def sandbox(mode: Mode, **more: object) -> Sandbox:
    python = LANDLOCK_PYTHON if mode == "landlock" else ""
    return Sandbox(modes=(mode,), python=python, **more)  # type: ignore[arg-type]


@cache
def missing(mode: Mode) -> str:
    """Why this machine cannot wall programs in that way; empty where it can."""
    if sys.platform != "linux":
        return "only Linux can wall programs in"

    async def tried() -> str:
        async with sandbox(mode, workers=1):
            return ""

    try:
        return asyncio.run(tried())
    except SandboxError as error:
        return str(error)


def needs(mode: Mode) -> None:
    """Skip where the walls cannot stand."""
    if why := missing(mode):
        pytest.skip(f"the sandbox has no {mode} here: {why}")


def best() -> Mode:
    """The strongest walls of this machine; a skip where it has none."""
    if not missing("namespaces"):
        return "namespaces"
    needs("landlock")
    return "landlock"


def workers(besides: Collection[int] = ()) -> list[int]:
    """The workers that this process has started and not ended, but for those of other tests."""
    mine = (pid for pid, above in _sandboxed().items() if above == os.getpid())
    return [pid for pid in mine if pid not in besides]


def processes(parent: int) -> list[int]:
    """The processes of sandboxes below this one, the nearest first."""
    parents, found = _sandboxed(), [parent]
    for pid in found:
        found += [child for child, above in parents.items() if above == pid]
    return found[1:]


def _sandboxed() -> dict[int, int]:
    """Every process of a sandbox on this machine, and its parent."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            fields = stat.rpartition(")")[2].split()
            if b"engine.sandbox" in command and fields[0] != "Z":
                parents[int(folder.name)] = int(fields[1])
    return parents


def at_least(count: int, parent: int) -> list[int]:
    """The processes below ``parent``, as soon as there are so many."""
    until = time.monotonic() + 30
    while len(found := processes(parent)) < count:
        assert time.monotonic() < until, f"only {found} below {parent}"
    return found


def gone(pids: list[int], within_s: float = 20.0) -> bool:
    """Whether all of these processes have ended, or do so in time."""
    until = time.monotonic() + within_s
    for pid in pids:
        try:
            watched = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            left = max(0.0, until - time.monotonic())
            if not select.select([watched], [], [], left)[0]:
                return False
        finally:
            os.close(watched)
    return True
