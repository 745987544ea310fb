"""The outside: a pool of walled-in workers that run programs, and what is known of their walls.

``async with Sandbox() as box: ran = await box.run(Program(code, tests))``. Each worker is a
process of its own with nothing of this process's environment, files or descriptors; one thread
waits for each, so the sandbox serves any event loop. Whatever goes wrong with a worker is
``error`` for its program, the worker is killed with all below it, and the next program gets a new
one. A worker is first given a program that tries the walls; where they do not hold, it is not
used.

Idea: what counts is decided outside the program's process and, for verdicts, by running it again
changed (see ``verifiers/execution``).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import queue
import selectors
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Self, TypeVar

from engine.core import EngineError, JobError
from engine.sandbox.limits import MODES, Limits, Mode, Program, Ran, Walls

T = TypeVar("T")

GRACE_S = 30.0
"""Seconds that a worker may take beyond a program's limit before it counts as broken."""
_LEAVE_S = 5.0
"""Seconds that a worker has to leave by itself."""
LARGEST = 4 << 20
"""Characters of source that are run; more is no program."""
_BOOT = (  # the package itself would import the whole engine: only its folder is needed
    "import sys, types; e = sys.modules['engine'] = types.ModuleType('engine'); "
    "e.__path__ = [sys.argv[1]]; from engine.sandbox import worker; worker.main()"
)
_CLEAN = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    "PYTHONHASHSEED": "0",
}
_HERE = Path(__file__).parent.parent
_PROBE = """
import os, socket
outside = {path!r}
def opens():
    try:
        return os.listdir(outside) is not None
    except OSError:
        return False
def connects():
    try:
        return not socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("192.0.2.1", 9))
    except OSError:
        return False
def forks():
    for at in range({processes}):
        try:
            if os.fork() == 0:
                os.read(os.pipe()[0], 1)
        except OSError:
            return at
assert not opens(), "files can be read"
assert not connects(), "the network can be reached"
assert 0 < (forks() or 0), "processes are not limited"
"""
"""What every worker is tried with; ``192.0.2.1`` is an address that belongs to nobody."""


class SandboxError(EngineError):
    """The sandbox is broken, or its walls do not hold: nothing is known about any program."""


class NoWalls(SandboxError, JobError):
    """This machine has no walls of the kind that is asked for; another machine may."""


class Sandbox:
    """Runs programs, each behind walls and under limits; as many at once as it has workers."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        workers: int = 2,
        modes: tuple[Mode, ...] = MODES,
        python: str = "",
    ) -> None:
        """Nothing is started yet.

        Args:
            limits: of every program.
            workers: how many programs run at once, 1 or more.
            modes: which walls will do, the preferred first.
            python: the interpreter of programs, 3.11 or later; this one where empty.
        """
        self.limits = limits or Limits()
        self._workers = _Workers(modes, python or getattr(sys, "_base_executable", sys.executable))
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="sandbox")
        weakref.finalize(self, self._workers.close)

    async def __aenter__(self) -> Self:
        await self.walls()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Wait for running programs, then end the workers."""
        self._threads.shutdown()
        self._workers.close()

    async def walls(self) -> Walls:
        """What holds programs in here, and what is weaker than it could be.

        Raises:
            NoWalls: this machine has none of the kinds that will do.
            SandboxError: those that it has do not hold.
        """
        return await self._apart(self._workers.walls)

    async def run(self, program: Program, limits: Limits | None = None) -> Ran:
        """Run one program to its end or its limit.

        Cancelled, the call returns at once; the program still ends at its limit at the latest.

        Raises:
            NoWalls: nothing can be walled in here.
            SandboxError: the walls do not hold.
        """
        if len(program.code) + len(program.tests) > LARGEST:
            return Ran("unparsable", detail=f"more than {LARGEST:,} characters of source")
        return await self._apart(self._workers.run, program, limits or self.limits)

    async def _apart(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


def shared(workers: int = 2, modes: tuple[Mode, ...] = MODES) -> Sandbox:
    """A sandbox that lives as long as this process and serves whoever asks with these settings.

    Its workers stay warm; nothing about a program depends on who used them before.
    """
    return _kept(workers, modes)


@functools.lru_cache(maxsize=8)
def _kept(workers: int, modes: tuple[Mode, ...]) -> Sandbox:
    return Sandbox(workers=workers, modes=modes)


class _Workers:
    """Warm workers at rest. Taken and put back by the threads that wait for them."""

    def __init__(self, modes: tuple[Mode, ...], python: str) -> None:
        self._modes, self._python = modes, python
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()

    def walls(self) -> Walls:
        worker = self._taken()
        self._idle.put(worker)
        return worker.walls

    def run(self, program: Program, limits: Limits) -> Ran:
        worker = self._taken()
        try:
            ran = worker.run(program, limits)
        except (OSError, ValueError, TypeError, struct.error) as error:
            why = worker.end()
            return Ran("error", detail=f"{type(error).__name__}: {error}; {why}".strip("; "))
        self._idle.put(worker)
        return ran

    def _taken(self) -> _Worker:
        with contextlib.suppress(queue.Empty):
            while True:
                worker = self._idle.get_nowait()
                if worker.alive:
                    return worker
                worker.end()
        return _Worker(self._modes, self._python)

    def close(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().end()


class _Worker:
    """One process that runs programs one after another."""

    def __init__(self, modes: tuple[Mode, ...], python: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="sandbox-")
        os.chmod(self._folder, 0o755)  # programs reach their folders in it by name
        # a pipe could fill up and block
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        command = [python, "-s", "-S", "-B", "-P", "-X", "utf8", "-c", _BOOT]
        self._process = subprocess.Popen(
            [*command, str(_HERE), self._folder, ",".join(modes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd="/",
            env=_CLEAN,
            start_new_session=True,
        )
        try:
            self.walls = self._tried()
        except (OSError, ValueError) as error:
            raise SandboxError(f"the sandbox does not start: {error}; {self.end()}") from error
        except SandboxError as error:
            raise type(error)(f"{error} {self.end()}".strip()) from error

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    def run(self, program: Program, limits: Limits) -> Ran:
        """How the program ended.

        Raises:
            OSError: the worker broke.
            ValueError: what it says makes no sense.
        """
        message = {"program": asdict(program), "limits": asdict(limits)}
        body = json.dumps(message).encode()
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(struct.pack("!I", len(body)) + body)
        stdin.flush()
        return Ran(**self._receive(limits.wall_s + GRACE_S))

    def end(self) -> str:
        """Kill it, with all that it runs; the last of what it complained about."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()  # it and its watcher see that and end what runs
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LEAVE_S)
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._errors.closed:
            return ""
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip()
        self._errors.close()
        return said[-1000:]

    def _tried(self) -> Walls:
        hello = self._receive(GRACE_S)
        if "refused" in hello:
            raise NoWalls(
                "untrusted code cannot be run on this machine: it needs Linux with namespaces or "
                f"Landlock ({hello['refused']})"
            )
        walls = Walls(hello["walls"]["mode"], tuple(hello["walls"]["weaker"]))
        limits = Limits(processes=8)
        probe = _PROBE.format(path=self._folder, processes=64)
        ran = self.run(Program(probe), limits)
        if ran.ended != "passed":
            why = f"{ran.ended} {ran.detail} {ran.stderr[-500:]}"
            raise SandboxError(f"the walls of the sandbox ({walls.mode}) do not hold: {why}")
        if walls.mode == "namespaces":  # private folders are in memory
            shutil.rmtree(self._folder, ignore_errors=True)
        return walls

    def _receive(self, within_s: float) -> dict[str, Any]:
        until = time.monotonic() + within_s
        size = struct.unpack("!I", self._exactly(4, until))[0]
        received: dict[str, Any] = json.loads(self._exactly(size, until))
        return received

    def _exactly(self, size: int, until: float) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None
        parts = bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ)
            while len(parts) < size:
                if not ready.select(max(0.0, until - time.monotonic())):
                    raise TimeoutError("the worker does not answer")
                part = os.read(stdout.fileno(), size - len(parts))
                if not part:
                    raise ConnectionError("the worker has ended")
                parts += part
        return bytes(parts)
