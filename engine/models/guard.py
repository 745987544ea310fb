"""Keeps a server from outliving the engine: a small process between the two.

The engine holds the other end of this process's standard input. When that closes, because the
engine is done or because somebody killed it, the server is ended with its whole process group;
so is what the server leaves behind when it dies by itself. Only a process of its own can do
that for an engine that was killed with SIGKILL, and one that knows nothing but the standard
library starts in 20 ms and cannot fail on what is installed.

    python -I -S guard.py GRACE_S COMMAND ...

Its exit code is the server's, with 128 added to the number of a signal.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

DEATH_SIGNAL, ADOPTS_ORPHANS = 1, 36
"""Linux's prctl options PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER."""
LOOK_S = 1.0
"""How often it is looked whether the engine is still the parent: a fork may hold the pipe open."""
ORPHANS_S = 5.0


def main(grace_s: float, command: list[str]) -> int:
    """Run the command until it or the engine ends; its exit code."""
    parent, bell = os.getppid(), _bell()
    _prctl(ADOPTS_ORPHANS, 1)
    try:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _prctl(DEATH_SIGNAL, signal.SIGKILL),  # where this one is killed
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror or error}", file=sys.stderr)
        return 127
    with contextlib.suppress(_Told):
        while not _exited(server.pid) and os.getppid() == parent:
            heard, _, _ = select.select([sys.stdin, bell], [], [], LOOK_S)
            if sys.stdin in heard:
                break
            if heard:
                os.read(bell, 64)
    _end(server, grace_s)
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


class _Told(Exception):
    """Somebody told this process to end."""


def _bell() -> int:
    """A file that becomes readable when a child ends; SIGTERM raises, once."""

    def told(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise _Told

    heard, rung = os.pipe()
    os.set_blocking(rung, False)
    signal.set_wakeup_fd(rung, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return heard


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _exited(pid: int) -> bool:
    """Whether it has ended; its entry stays, so that its group's number is nobody else's yet."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(server: subprocess.Popen[bytes], grace_s: float) -> None:
    """Ask the group to end, then end it, then whatever left the group."""
    _signal_group(server.pid, signal.SIGTERM)
    until = time.monotonic() + grace_s
    while not _exited(server.pid) and time.monotonic() < until:
        time.sleep(0.02)
    _signal_group(server.pid, signal.SIGKILL)
    server.wait()
    until = time.monotonic() + ORPHANS_S
    while (orphans := _children()) and time.monotonic() < until:
        for pid in orphans:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(OSError):  # nobody is left in it
        os.killpg(group, number)


def _children() -> list[int]:
    """Processes that came to this one when their parents died; only Linux tells."""
    try:
        return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1]), sys.argv[2:]))
