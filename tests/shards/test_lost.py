"""A worker that is gone is known to be gone, whatever one was about to do with it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from engine import loops
from engine.shard_process import Process
from engine.shards import Lost


async def gone(pid: int, log: Path) -> Process:
    """The link to a worker whose end has come and been noticed."""
    mine, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=mine)
    theirs.close()
    while not writer.is_closing():  # as when a worker is killed while answers come for it
        writer.write(b"x")
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)
    return Process(reader, writer, pid, log)


@pytest.mark.parametrize("run", [loops.run, asyncio.run])
def test_whoever_sends_to_a_dead_worker_is_told_that_it_is_lost(
    run: Callable[[Coroutine[Any, Any, None]], None], tmp_path: Path
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    log = tmp_path / "shard.log"
    log.write_text("its last words")

    async def work() -> None:
        link = await gone(ended.pid, log)
        for _ in range(2):
            with pytest.raises(Lost, match="its last words"):
                await link.send([("call", 1)])
        await link.close()

    run(work())
