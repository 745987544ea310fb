"""Whether two expressions are equal, said by a library in a process that can be killed.

A computer algebra system hangs on some inputs and eats memory on others, and some inputs are made
by models. So it runs in a process of its own (``algebra_worker``), with a bound on memory, nothing
of this process's environment, and a limit on the time of each comparison: what takes longer is
killed with its process, the next one gets a new one, and nothing is known about the two.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import queue
import selectors
import subprocess
import sys
import tempfile
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from engine.core import EngineError
from engine.text.answers import Answer, same
from engine.text.numerals import written

START_S = 60.0
"""Seconds that the library may take to load; it needs 1 on an idle machine."""
_WORKER = Path(__file__).parent / "algebra_worker.py"
_CLEAN = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}


class AlgebraError(EngineError):
    """Nothing is known about two expressions: it took too long, or the process died."""


class Algebra:
    """Compares expressions; as many at once as it has workers, which stay warm."""

    def __init__(self, workers: int = 1, script: Path = _WORKER) -> None:
        """Nothing is started yet; ``script`` is what the processes run."""
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="algebra")
        self._script = script
        weakref.finalize(self, _end_all, self._idle)

    async def equal(self, one: str, other: str, timeout_s: float) -> bool | None:
        """Whether two expressions are equal; ``None`` where one of them cannot be read.

        Raises:
            AlgebraError: no verdict in ``timeout_s`` seconds, or the process died.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._ask, one, other, timeout_s)

    async def same(self, one: Answer, other: Answer, timeout_s: float) -> bool | None:
        """Whether two final answers are equal; the library is asked only where it must be.

        Raises:
            AlgebraError: as ``equal``.
        """
        certain = same(one, other)
        if certain is not None:
            return certain
        left, right = (e.text if e.value is None else written(e.value) for e in (one, other))
        return await self.equal(left, right, timeout_s)

    def close(self) -> None:
        """Wait for running comparisons, then end the processes."""
        self._threads.shutdown()
        _end_all(self._idle)

    def _ask(self, one: str, other: str, timeout_s: float) -> bool | None:
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = _Worker(self._script)
        try:
            said = worker.ask({"one": one, "other": other, "timeout_s": timeout_s}, timeout_s)
        except (OSError, ValueError) as error:
            raise AlgebraError(f"{error or type(error).__name__} {worker.end()}".strip()) from error
        self._idle.put(worker)
        if "error" in said:
            raise AlgebraError(str(said["error"]))
        equal: bool | None = said["equal"]
        return equal


@functools.lru_cache(maxsize=8)
def shared(workers: int = 1) -> Algebra:
    """One that lives as long as this process and serves whoever asks."""
    return Algebra(workers)


def _end_all(idle: queue.LifoQueue[_Worker]) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            idle.get_nowait().end()


class _Worker:
    """One process that compares one pair after another."""

    def __init__(self, script: Path) -> None:
        # a pipe could fill up and block
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-B", "-X", "utf8", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd="/",
            env=_CLEAN,
            start_new_session=True,
        )
        self._rest = b""
        self._ready = False

    def ask(self, question: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """What it says of a question.

        Raises:
            OSError: it died, or did not answer in time.
            ValueError: what it says makes no sense.
        """
        if not self._ready:
            self._line(START_S)
            self._ready = True
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps(question).encode() + b"\n")
        stdin.flush()
        said: dict[str, Any] = json.loads(self._line(timeout_s))
        return said

    def end(self) -> str:
        """Kill it; the last that it complained about."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        if self._errors.closed:
            return ""
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip()
        self._errors.close()
        return said[-300:]

    def _line(self, within_s: float) -> bytes:
        stdout, until = self._process.stdout, time.monotonic() + within_s
        assert stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not ready.select(max(0.0, until - time.monotonic())):
                    raise TimeoutError(f"no verdict in {within_s:g} s")
                part = os.read(stdout.fileno(), 65536)
                if not part:
                    raise ConnectionError("the process died")
                self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return line
