"""Workers in the event loop of the test: the real worker, and no process."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine import shards
from engine.connect import connect, journals
from engine.ledger import Ledger
from engine.models.journal import Brake
from engine.rounds import End
from engine.runner import Runner
from engine.session import load
from engine.shard_worker import Message, Orders, Worker
from engine.shards import Lost, workers
from engine.wiring import plan, wire


class Beside:
    """A ``Link`` to a worker in this loop; every message is pickled, as between processes.

    It is lost ``dies_after`` so many calls that it wanted to be kept, with the last of them.
    """

    def __init__(self, orders: Orders, dies_after: int = -1) -> None:
        self._worker = Worker(pickle.loads(pickle.dumps(orders)))
        self._opening = asyncio.ensure_future(self._worker.open())
        self._dies_after, self._calls = dies_after, 0

    async def send(self, messages: Sequence[Message]) -> None:
        await self._opening
        for message in pickle.loads(pickle.dumps(messages)):
            self._worker.hear(message)

    async def receive(self) -> Sequence[Message]:
        said: Sequence[Message] = pickle.loads(pickle.dumps(await self._worker.said()))
        self._calls += sum(kind == "keep" for kind, *_ in said)
        if 0 <= self._dies_after <= self._calls:
            raise Lost("it was told to die")
        return said

    async def close(self) -> None:
        await self._opening
        await self._worker.close()


class Agency:
    """Workers in this loop; the first of each shard dies after so many calls."""

    def __init__(self, dies_after: int = -1, *, always: bool = False) -> None:
        self._dies_after, self._always = dies_after, always
        self.hired: list[int] = []
        self.orders: list[Orders] = []

    async def hire(self, number: int, orders: Orders) -> Beside:
        dies = self._always or number not in self.hired
        self.hired.append(number)
        self.orders.append(orders)
        return Beside(orders, self._dies_after if dies else -1)

    def close(self) -> None:
        pass


async def grown(
    job: Path,
    folder: Path,
    agency: shards.Agency | None,
    url: str,
    *changes: str,
    environment: Mapping[str, str] | None = None,
) -> tuple[End, Runner]:
    """Run a job with the workers of an agency, or without; its ledger is in ``folder``."""
    wiring = wire(load(job, changes, {"SIM_URL": url, **(environment or {})}))
    names, logs = wiring.models_used(), folder / "logs"
    answerers = await connect(wiring.job, names, rehearse=False, logs=logs)
    brake = Brake()
    with contextlib.closing(Ledger(folder, write=True)) as ledger:
        chats = journals(answerers, ledger, brake)
        counts = {name: chat.counts for name, chat in chats.items()}
        crew = workers(agency, wiring.job, answerers, ledger, brake, counts)
        try:
            async with crew as grow:
                runner = Runner(plan(wiring, chats), ledger, brake, grow)
                return await runner.go(), runner
        finally:
            for answerer in answerers.values():
                await answerer.close()
