"""Workers as actors of a Ray cluster.

The idea: Ray is asked for one thing, a place for each worker, and again when it is gone. What
makes a run last stays with the process that owns it, so no disk is shared: units, calls and
outcomes travel as messages, and with a worker's orders go the job's own prompts and parts. Each
machine of the cluster needs this engine installed, and reaches the models by their URLs; a model
that cannot be reached so (see ``engine.shards``) is asked by the run's process.

Ray's own restarts and retries stay off: a worker that came back without its units would only
look alive. ``ray.data.llm`` is not used: its HTTP stage has one or two requests in flight.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from engine.core import JobError
from engine.shard_worker import Message, Orders, Worker
from engine.shards import Link, Lost
from engine.wiring import Wiring

PLACE_S = 600.0
"""Seconds that a worker may wait for a place; a cluster that grows needs minutes."""
MOST_BYTES = 64 << 20
"""Of the job's own files, together: they travel to each worker."""


class Actor:
    """A worker on some machine of the cluster."""

    def __init__(self, orders: Orders, files: Mapping[str, bytes]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="engine-worker-")
        base = Path(self._folder.name)
        for name, content in files.items():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).write_bytes(content)
        self._worker = Worker(replace(orders, job=replace(orders.job, base=base)))

    async def open(self) -> None:
        """Connect."""
        await self._worker.open()

    async def pid(self) -> int:
        """Its process on that machine."""
        return os.getpid()

    async def hear(self, messages: Sequence[Message]) -> None:
        """Act on messages."""
        for message in messages:
            self._worker.hear(message)

    async def said(self) -> Sequence[Message]:
        """The next messages."""
        return await self._worker.said()


class Remote:
    """A worker that is an actor; a ``Link``."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    async def send(self, messages: Sequence[Message]) -> None:
        """See ``Link``."""
        await _from_ray(self.actor.hear.remote(messages))

    async def receive(self) -> Sequence[Message]:
        """See ``Link``."""
        return cast(Sequence[Message], await _from_ray(self.actor.said.remote()))

    async def close(self) -> None:
        """See ``Link``."""
        _ray().kill(self.actor)


class Cluster:
    """Where the workers of a run come from: the cluster of RAY_ADDRESS, or this machine's."""

    def __init__(self, wiring: Wiring) -> None:
        """Join the cluster; where there is none, Ray starts one of this machine alone.

        Raises:
            JobError: there is no Ray, no such cluster, or it is too small for the job.
        """
        self._files = dict(_files(wiring))
        if sum(map(len, self._files.values())) > MOST_BYTES:
            raise JobError(
                f"the job's own prompts, parts and files have more than {MOST_BYTES >> 20} MB, "
                "too much to send to each worker; name large files by a full path that is the "
                "same on each machine"
            )
        self._joined = _join()
        _check_size(wiring.job.file.run.shards, self.close)

    async def hire(self, number: int, orders: Orders) -> Link:
        """A worker for this shard; see ``engine.shards.Agency``."""
        ray = _ray()
        options = {"num_cpus": 1, "scheduling_strategy": "SPREAD", "max_restarts": 0}
        actor = ray.remote(Actor).options(**options).remote(orders, self._files)
        try:
            await asyncio.wait_for(_from_ray(actor.open.remote()), PLACE_S)
        except TimeoutError as error:
            ray.kill(actor)
            raise JobError(
                f"Ray had no place for the worker of shard {number} in {PLACE_S:.0f} s: each "
                "takes one CPU; see `ray status`, and make run.shards smaller or the cluster larger"
            ) from error
        return Remote(actor)

    def close(self) -> None:
        """Leave the cluster, if it was joined for this run."""
        if self._joined:
            _ray().shutdown()


def _ray() -> Any:
    """Ray, which a run on one machine does without."""
    try:
        import ray
    except ImportError as error:
        raise JobError("--on ray needs Ray: pip install 'synth-engine[ray]'") from error
    return ray


def _join() -> bool:
    """Whether the cluster had to be joined first."""
    ray = _ray()
    if ray.is_initialized():
        return False
    try:
        ray.init(logging_level="warning", log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        ask = "is RAY_ADDRESS right, and are RAY_AUTH_MODE and the token those of the cluster?"
        raise JobError(f"the Ray cluster cannot be joined: {error}; {ask}") from error
    return True


def _check_size(shards: int, leave: Any) -> None:
    places = int(_ray().cluster_resources().get("CPU", 0))
    if places < shards:
        leave()
        raise JobError(
            f"run.shards is {shards}, but the Ray cluster has {places} CPUs, one a worker"
        )


async def _from_ray(answer: Any) -> Any:
    """What an actor answers.

    Raises:
        Lost: it is gone, its machine is, or it could not be made.
    """
    try:
        return await answer
    except _ray().exceptions.RayError as error:
        raise Lost(f"{type(error).__name__}: {error}") from error


def _files(wiring: Wiring) -> Iterator[tuple[str, bytes]]:
    """The job's own files that a step may need, by their place beside the job."""
    base = wiring.job.base
    wanted = [base / "prompts", *_named(wiring)]
    own = {part.use.split(".")[0] for part in wiring.job.file.steps.values() if "." in part.use}
    if own:  # a part of one's own may import what lies beside it
        wanted += [*base.glob("*.py"), *(base / name for name in own)]
    for path in dict.fromkeys(wanted):
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield str(file.relative_to(base)), file.read_bytes()


def _named(wiring: Wiring) -> Iterator[Path]:
    """Files and folders beside the job that the settings of its steps name."""
    base = wiring.job.base
    for bound in wiring.steps.values():
        for _, value in bound.params:
            if isinstance(value, Path) and value.is_relative_to(base):
                yield value
