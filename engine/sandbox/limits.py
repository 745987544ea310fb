"""What is run, what it may use, and how it ended: the words that both sides of the wall speak.

Standard library only: the inside is a bare interpreter that imports this before it is walled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["namespaces", "landlock"]
MODES: tuple[Mode, ...] = ("namespaces", "landlock")
"""The ways to wall a program in, the stronger first."""

Change = Literal["none", "emptied", "doubted"]
"""What is done to a program before it runs, to see whether its verdict means anything.

``emptied``: the bodies of its solution's functions are gone. ``doubted``: one assertion is taken
as failed whatever it finds. Neither may pass.
"""

Ended = Literal[
    "passed",
    "failed",
    "no_assertion",
    "exited",
    "unparsable",
    "timeout",
    "memory",
    "disk",
    "output",
    "killed",
    "error",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use."""

    wall_s: float = 10.0
    """Seconds from start to end, asleep or not."""
    cpu_s: int = 5
    """Seconds of processor time of each of its processes, 1 or more."""
    memory_mib: int = 512
    """MiB of address space of each process, and of resident memory of all of them together."""
    processes: int = 16
    """Processes and threads at one time, the first included."""
    disk_mib: int = 16
    """MiB that its private folder holds."""
    files: int = 1000
    """Files and folders that its private folder holds."""
    open_files: int = 64
    """File descriptors of each process, 16 or more."""
    output_kib: int = 64
    """KiB that it may write to standard output and standard error together."""


@dataclass(frozen=True, slots=True)
class Program:
    """Python source: a solution and the tests that follow it in the same module."""

    code: str
    tests: str = ""
    """Run after ``code``; where empty, the assertions of ``code`` are the tests."""
    change: Change = "none"
    doubt: int = 0
    """Which assertion of those that run is taken as failed, from 1, where the change says so."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, as seen from outside."""

    ended: Ended
    """``passed``: it came to its end, nothing was raised, and an assertion ran.

    ``failed``: an exception came out. ``no_assertion``: it came to its end, but none ran.
    ``exited``: it left before its end, whatever its exit code. ``unparsable``: it is no Python.
    ``timeout``, ``memory``, ``disk``, ``output``: it was ended at that limit. ``killed``: a
    signal ended it. ``error``: the sandbox broke; nothing is known about the program.
    """
    code: int | None = None
    """Exit code; ``None`` where it was killed."""
    signal: int = 0
    """Number of the signal that ended it; 0 for none."""
    raised: str = ""
    """Name of the exception that came out, e.g. ``AssertionError``."""
    assertions: int = 0
    """Assertions of the tests that were evaluated."""
    stdout: str = ""
    stderr: str = ""
    """With the traceback; what is no UTF-8 is escaped. Both end at the limit of output."""
    seconds: float = 0.0
    detail: str = ""
    """More about an ``error`` or a limit, for a person."""


@dataclass(frozen=True, slots=True)
class Walls:
    """What holds programs in on this machine."""

    mode: Mode
    weaker: tuple[str, ...] = ()
    """Sentences that say what is weaker than it could be; none where nothing is."""
