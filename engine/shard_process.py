"""Workers as processes of this machine: how they are started, reached and ended.

The idea: importing what a worker needs takes seconds of a processor and 100 MB, so one process,
the nursery, does it once, and every worker is a fork of it: there at once, also when it takes
the place of a dead one, and sharing that memory. The nursery is a fresh interpreter without
threads or connections; a fork of the run's process would inherit both, and multiprocessing
would run the user's own script a second time.

All of them end with the run's process, even when that is killed: each reads from a channel
whose other end only that process has.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from engine import garbage, loops, quiet
from engine.core import EngineError
from engine.job import Job
from engine.shard_worker import Message, Orders, Worker
from engine.shards import Link, Lost
from engine.wiring import wire

FAREWELL_S = 5.0
"""Seconds that a worker has to end by itself."""
REAP_S = 0.2
"""Seconds in which the nursery writes down how a worker ended."""
SAID = 2000
"""Characters of a dead worker's last words that an error quotes."""
_SIZE = struct.Struct("!Q")


async def receive(reader: asyncio.StreamReader) -> Any:
    """The next value from the other side.

    Raises:
        EOFError: there is no other side any more.
    """
    (size,) = _SIZE.unpack(await reader.readexactly(_SIZE.size))
    return pickle.loads(await reader.readexactly(size))


async def send(writer: asyncio.StreamWriter, value: object) -> None:
    """Send a value to the other side; waits while that is behind.

    Raises:
        ConnectionError: there is no other side any more.
    """
    if writer.is_closing():  # uvloop would call this a RuntimeError
        raise ConnectionResetError("the other side is gone")
    body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    writer.write(_SIZE.pack(len(body)) + body)
    await writer.drain()


# -- in the run's process ------------------------------------------------------------------------


class Process:
    """A worker that is a process of this machine; a ``Link``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pid: int, log: Path
    ) -> None:
        self._reader, self._writer, self._pid, self._log = reader, writer, pid, log

    async def send(self, messages: Sequence[Message]) -> None:
        """See ``Link``."""
        try:
            await send(self._writer, messages)
        except ConnectionError as error:
            raise await self._lost() from error

    async def receive(self) -> Sequence[Message]:
        """See ``Link``."""
        try:
            return cast(Sequence[Message], await receive(self._reader))
        except (EOFError, ConnectionError) as error:
            raise await self._lost() from error

    async def close(self) -> None:
        """See ``Link``: at the end of the channel it ends by itself, else it is killed.

        Its end of the channel is open as long as it lives, so the id is not another's yet.
        """
        with contextlib.suppress(ConnectionError):
            if not self._writer.is_closing() and self._writer.can_write_eof():
                self._writer.write_eof()
            try:
                await asyncio.wait_for(self._reader.read(), FAREWELL_S)
            except TimeoutError:
                os.kill(self._pid, signal.SIGKILL)
        self._writer.close()

    async def _lost(self) -> Lost:
        await asyncio.sleep(REAP_S)
        return Lost(f"process {self._pid}: {_words(self._log)}")


class Nursery:
    """Where the workers of a run come from; its own process is started with the first of them."""

    def __init__(self, folder: Path) -> None:
        """Let what the workers print go to a log each in ``folder``."""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    async def hire(self, number: int, orders: Orders) -> Link:
        """A worker for this shard; see ``engine.shards.Agency``."""
        log = self._folder / f"shard-{number}.log"
        mine, theirs = socket.socketpair()
        with theirs:
            self._ask(number, orders.job, theirs, log)
        reader, writer = await asyncio.open_connection(sock=mine)
        try:
            pid = await receive(reader)
        except (EOFError, ConnectionError) as error:
            writer.close()
            raise Lost(f"it did not start: {_words(self._folder / 'shards.log')}") from error
        link = Process(reader, writer, pid, log)
        await link.send([("orders", orders)])
        return link

    def _ask(self, number: int, job: Job, channel: socket.socket, log: Path) -> None:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._open(job)
        assert self._line
        with log.open("wb") as words, contextlib.suppress(ConnectionError):
            socket.send_fds(self._line, [b"%d\n" % number], [channel.fileno(), words.fileno()])

    def _open(self, job: Job) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            f"from engine.shard_process import main; main({theirs.fileno()})"
        )
        with theirs, (self._folder / "shards.log").open("wb") as words:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,
                stdout=words,
                stderr=words,
            )
        assert self._process.stdin
        with self._process.stdin as job_goes_here, contextlib.suppress(BrokenPipeError):
            pickle.dump(job, job_goes_here)

    def close(self) -> None:
        """End the nursery; workers that are out are not touched."""
        if self._line:
            self._line.close()
        if self._process:
            self._process.wait()
        self._process = self._line = None


def _words(log: Path) -> str:
    return f"{log.read_bytes()[-SAID:].decode(errors='replace').strip()} ({log})"


# -- in the nursery and in the workers -----------------------------------------------------------


def main(descriptor: int) -> None:
    """Be the nursery, and in each fork a worker, until the run's process lets go of the channel.

    Ctrl-C and SIGTERM reach a whole group of processes; the run's process is the one to act.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    quiet.hush()
    line = socket.socket(fileno=descriptor)
    _preload(pickle.load(sys.stdin.buffer))
    gc.freeze()  # a worker's collections need not walk what was imported, nor copy its pages
    logs: dict[int, int] = {}
    while True:
        if select.select([line], [], [], REAP_S / 2)[0]:
            asked, given, _, _ = socket.recv_fds(line, 64, 2)
            if not asked:
                return
            channel, log = given
            pid = os.fork()
            if not pid:
                line.close()
                return _work(channel, log)
            os.close(channel)
            logs[pid] = log
        _reap(logs)


def _preload(job: Job) -> None:
    """Import all that a worker of this job will."""
    with contextlib.suppress(EngineError):  # the worker itself says what is wrong
        wire(job)
    for name in ("aiohttp", "openai"):  # what the first call to a server imports
        importlib.import_module(name)


def _reap(logs: dict[int, int]) -> None:
    for pid in list(logs):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            os.write(
                logs[pid], f"\nended with {f'signal {-code}' if code < 0 else code}\n".encode()
            )
            os.close(logs.pop(pid))


def _work(channel: int, log: int) -> None:
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    with garbage.rarely():
        loops.run(_serve(socket.socket(fileno=channel)))


async def _serve(channel: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=channel)
    try:
        await send(writer, os.getpid())
        ((_, orders),) = await receive(reader)
        worker = Worker(orders)
        speaking = asyncio.ensure_future(_speak(worker, writer))
        await worker.open()
        while True:
            for message in await receive(reader):
                worker.hear(message)
            if speaking.done():
                speaking.result()
    except (EOFError, ConnectionError):
        os._exit(0)  # nothing here has to be saved, and a part may be deep in a computation


async def _speak(worker: Worker, writer: asyncio.StreamWriter) -> None:
    while True:
        await send(writer, await worker.said())
