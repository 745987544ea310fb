"""The watcher's eyes: what a program writes, uses and how it ends, and what that is called.

Nothing that the program says is believed alone. Its exit status comes from the warden, which
waited for it; its output is bytes; its testimony counts only with the run's token.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import struct
import time

from engine.sandbox.limits import Ended, Limits, Ran
from engine.sandbox.walls import Standing

STARTED = struct.Struct("=i")
"""What the warden says first: the program's process id, as the warden sees it."""
ENDED = struct.Struct("=id")
"""What the warden says last: wait status, seconds of processor time."""
_TICK_S = 0.05
_CALM_S = 0.1
"""Most programs are over by then; only later ones are looked at."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_READY = 64
"""Bytes kept of its beginning, where it says that the walls have closed."""
_TESTIMONY = 8192
"""Bytes kept of the testimony channel's end."""
_OUT, _ERRORS, _TOLD, _STATUS = range(4)
_HOW: dict[str, Ended] = {
    "end": "passed",
    "raised": "failed",
    "exited": "exited",
    "unparsable": "unparsable",
}


class Watch:
    """One program under watch."""

    def __init__(
        self, standing: Standing, limits: Limits, warden: int, pipes: list[int], folder: str
    ) -> None:
        self._standing, self._limits, self._warden = standing, limits, warden
        self._pipes, self._folder = pipes, folder
        self._read = [bytearray() for _ in pipes]
        self._open = set(pipes)
        self._stopped: Ended | None = None
        for pipe in pipes:
            os.set_blocking(pipe, False)

    def until_it_ends(self, token: str, started: float) -> Ran:
        """Watch until the program has ended or a limit ends it; then nothing of it is left."""
        poll = select.poll()
        for pipe in self._pipes:
            poll.register(pipe, select.POLLIN)
        poll.register(0, 0)  # the engine hung up
        while self._pipes[_STATUS] in self._open and not self._stopped:
            waited = time.monotonic() - started
            self._stopped = "timeout" if waited >= self._limits.wall_s else None
            if waited > _CALM_S:
                self._stopped = self._stopped or self._too_much()
            pause = _CALM_S if waited < _CALM_S else _TICK_S
            pause = max(0.0, min(pause, self._limits.wall_s - waited))
            for pipe, event in [] if self._stopped else poll.poll(pause * 1000 + 1):
                if pipe == 0 and event:
                    self._stopped = "killed"
                elif not self._take(pipe):
                    poll.unregister(pipe)
            self._stopped = self._stopped or self._too_long()
        self._end_all()
        seconds = time.monotonic() - started
        for pipe in list(self._open):
            self._take(pipe)
        self._stopped = self._stopped or self._too_long()
        return self._told(token, seconds)

    def _take(self, pipe: int) -> bool:
        """Read what is there, bounded; whether more can come."""
        kept = self._read[self._pipes.index(pipe)]
        try:
            part = os.read(pipe, 1 << 16)
        except BlockingIOError:
            return True
        kept += part
        if pipe == self._pipes[_TOLD]:
            del kept[_READY:-_TESTIMONY]  # the first line and the last ones
        if not part:
            self._open.discard(pipe)
        return bool(part)

    def _end_all(self) -> None:
        """Kill every process of the program and wait until they are gone."""
        said = bytes(self._read[_STATUS])
        if not self._standing.namespaces and len(said) == STARTED.size:  # and not ended
            end_group(STARTED.unpack(said)[0])
        _kill(self._warden)
        with contextlib.suppress(ChildProcessError):
            while True:
                gone, _ = os.waitpid(-1, 0 if self._standing.namespaces else os.WNOHANG)
                if not gone:  # killed with the warden before it could name them
                    for pid in self._family(os.getpid())[1:]:
                        _kill(pid)
                    time.sleep(_TICK_S / 10)

    def _too_long(self) -> Ended | None:
        written = len(self._read[_OUT]) + len(self._read[_ERRORS])
        return "output" if written > self._limits.output_kib << 10 else None

    def _too_much(self) -> Ended | None:
        pages = sum(_resident(self._standing.proc, pid) for pid in self._family(self._warden))
        if pages * _PAGE > self._limits.memory_mib << 20:
            return "memory"
        if self._folder and _held(self._folder, self._limits):
            return "disk"
        return None

    def _family(self, first: int) -> list[int]:
        """A process and its descendants, as the machine numbers them."""
        children: dict[int, list[int]] = {}
        for name in os.listdir(self._standing.proc):
            if name.isdigit() and (stat := _proc(self._standing.proc, f"{name}/stat")):
                parent = int(stat.rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
        found = [first]
        for pid in found:
            found += children.get(pid, [])
        return found

    def _told(self, token: str, seconds: float) -> Ran:
        said = bytes(self._read[_STATUS])[STARTED.size :]
        out, errors = (
            bytes(self._read[at]).decode("utf-8", "backslashreplace") for at in (_OUT, _ERRORS)
        )
        room = self._limits.output_kib << 10
        out, errors = out[:room], errors[:room]
        told = bytes(self._read[_TOLD])
        how, assertions, raised = _testimony(told, token)
        whole = len(said) == ENDED.size and told.startswith(ready(token))
        if self._stopped or not whole:
            ended = self._stopped or "error"
            detail = "" if self._stopped else "the sandbox broke around the program"
            return Ran(ended, None, 0, raised, assertions, out, errors, seconds, detail)
        status, cpu_s = ENDED.unpack(said)
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = None if number else os.WEXITSTATUS(status)
        ended = self._named(how, code, number, cpu_s, assertions, raised)
        return Ran(ended, code, number, raised, assertions, out, errors, seconds)

    def _named(
        self,
        how: str,
        code: int | None,
        number: int,
        cpu_s: float,
        assertions: int,
        raised: str,
    ) -> Ended:
        if number:
            late = number == signal.SIGXCPU or cpu_s >= self._limits.cpu_s
            return "timeout" if late else "killed"
        ended = _HOW.get(how, "exited")
        if ended == "passed" and code != 0:
            return "exited"
        if ended == "passed" and not assertions:
            return "no_assertion"
        return "memory" if ended == "failed" and raised == "MemoryError" else ended


def _testimony(said: bytes, token: str) -> tuple[str, int, str]:
    """How, assertions and exception of the one line with the token; nothing where there is none."""
    for line in said.decode("utf-8", "replace").split("\n"):
        words = line.split(" ", 3)
        if len(words) == 4 and words[0] == token and words[1] in _HOW and words[2].isdecimal():
            return words[1], int(words[2]), words[3][:100]
    return "", 0, ""


def ready(token: str) -> bytes:
    """What is said before the program gets to say anything."""
    return f"{token} ready\n".encode()


def end_group(leader: int) -> None:
    """Kill a session whole: its members cannot have left it, the filter forbids that."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def remove(folder: str) -> None:
    """Remove a private folder; what resists goes with the worker's own."""
    if folder:
        with contextlib.suppress(OSError, RecursionError):
            shutil.rmtree(folder)


def _resident(proc: int, pid: int) -> int:
    """Pages that a process holds."""
    sizes = _proc(proc, f"{pid}/statm").split()
    return int(sizes[1]) if len(sizes) > 1 else 0


def _proc(proc: int, path: str) -> bytes:
    """A file of ``/proc``; empty where the process has ended."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    except OSError:
        return b""
    try:
        return os.read(opened, 4096)
    except OSError:
        return b""
    finally:
        os.close(opened)


def _held(folder: str, limits: Limits) -> bool:
    """Whether the folder holds more files or bytes than allowed."""
    files = used = 0
    left = [folder]
    while left:
        with contextlib.suppress(OSError), os.scandir(left.pop()) as entries:
            for entry in entries:
                files += 1
                used += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                if files > limits.files or used > limits.disk_mib << 20:
                    return True
    return False
