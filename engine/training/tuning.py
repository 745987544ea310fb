"""Between two rounds: from what is kept to adapters that the next round speaks through.

Each role learns from all pairs that earlier rounds kept, anew from the model's own weights. An
adapter is named after its role and a digest of all it was made of, so that a run that is resumed
finds the one it had, and a reply of one adapter is never taken for that of another.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from engine.core import REHEARSAL, Record, Stopped
from engine.models.adapters import Adapted, Address, Speaking
from engine.models.chat import Chat
from engine.training.lessons import Lesson, digest, lessons, written
from engine.training.settings import RolePart, TrainPart

if TYPE_CHECKING:
    from engine.connect import Answerer
    from engine.wiring import Wiring

EXTRA = ("torch", "transformers", "trl", "peft")
LOOK_S = 1.0
"""Seconds between two looks whether the run winds down while a model is trained."""
WORDS = 600
"""Characters of a failed training's last words that an error quotes."""

Kept = Callable[[str], Iterator[Record]]
"""A step -> what earlier rounds kept there."""
ADAPTERS = "adapters"
"""Where in a run's folder adapters are."""


@dataclass(slots=True)
class Tuner:
    """The training of one run."""

    wiring: Wiring
    answerers: Mapping[str, Answerer]
    folder: Path
    """The run's."""
    trainer: tuple[str, ...] = (sys.executable, "-m", "engine.training.lora")
    """The words that train, in front of the file that says what."""
    find: Callable[[str], object] = find_spec
    """How it is found out whether a package is there."""
    current: dict[str, str] = field(default_factory=dict)
    """Role -> the adapter that it speaks through; none in the first round."""
    _folders: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        job, part = self.wiring.job, self.train
        if job.file.run.shards > 1:
            raise job.error(("run", "shards"), "a job that trains runs in one process")
        for role in part.roles:
            model = self._model(role)
            if self._rehearsed(model):
                continue
            if missing := [name for name in EXTRA if self.find(name) is None]:
                why = f"needs {', '.join(missing)}: pip install 'synth-engine[train]'"
                raise job.error(("train",), why)
            answerer = self.answerers[model]
            if answerer.fleet is None and answerer.elsewhere is None:
                raise job.error(("train",), f"no server of {model} can be given an adapter")
            served = answerer.part
            if served.serve and not served.flag("enable-lora", False):
                why = f"to be trained it needs {{enable-lora: true, max-lora-rank: {part.rank}}}"
                raise job.error(("models", model), f"args: {why}")

    @property
    def train(self) -> TrainPart:
        """What the job says."""
        part = self.wiring.job.file.train
        assert part is not None
        return part

    def below(self) -> dict[str, Answerer]:
        """The answerers, whose servers load adapters as they are asked for."""
        trained = {self._model(role) for role in self.train.roles}
        return {
            name: replace(a, chat=Adapted(a.chat, self._folders, partial(servers, name, a)))
            if name in trained
            else a
            for name, a in self.answerers.items()
        }

    def above(self, chats: Mapping[str, Chat]) -> dict[str, Chat]:
        """The journals, behind what names the adapter of a role."""
        return {name: Speaking(chat, self.current) for name, chat in chats.items()}

    async def between(self, round: int, kept: Kept, stopping: Callable[[], bool]) -> None:
        """Train every role for which earlier rounds kept enough.

        Raises:
            JobError: a training failed; quotes its last words.
            Stopped: the run winds down.
        """
        for role, part in self.train.roles.items():
            if not round or self._rehearsed(self._model(role)):
                continue
            found = lessons(kept(self.train.reads), part, self.wiring.library)
            if len(found) >= self.train.min_pairs:
                self.current[role] = await self._adapter(role, part, found, stopping)

    async def _adapter(
        self, role: str, part: RolePart, found: list[Lesson], stopping: Callable[[], bool]
    ) -> str:
        """The name of the adapter of these lessons, which is there afterwards."""
        spec = self._spec(role, part)
        taught = written(found)
        name = f"{role}-{digest(orjson.dumps(spec, option=orjson.OPT_SORT_KEYS), taught)}"
        there = (self.folder / ADAPTERS / name).absolute()
        if not there.is_dir():
            making = there.with_name(f"{name}.part")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True)
            (making / "lessons.jsonl").write_bytes(taught)
            files = {"lessons": str(making / "lessons.jsonl"), "out": str(making / "adapter")}
            (making / "spec.json").write_bytes(orjson.dumps({**spec, **files}))
            await self._trained(role, making, stopping)
            (making / "adapter").rename(there)
            shutil.rmtree(making)
        self._folders[name] = there
        return name

    def _spec(self, role: str, part: RolePart) -> dict[str, object]:
        job, served = self.wiring.job, self.answerers[self._model(role)].part
        base = part.base or served.serve
        if not base:
            why = "say which weights are trained: a folder or a hub id"
            raise job.error(("train", "roles", role), f"base: {why}")
        beside = job.base / Path(base).expanduser()
        settings = self.train.model_dump(mode="json", exclude={"reads", "roles", "devices"})
        where = str(beside.resolve()) if beside.is_dir() else base
        return {**settings, "base": where, "seed": job.file.seed}

    async def _trained(self, role: str, making: Path, stopping: Callable[[], bool]) -> None:
        """Run the process that trains, until it ends or the run winds down."""
        job, devices = self.wiring.job, self.train.devices
        seen = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, devices))} if devices else {}
        log = making.parent / f"{making.stem}.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *(*self.trainer, str(making / "spec.json")),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**job.environment, **seen},
            )
            try:
                while process.returncode is None:
                    if stopping():
                        raise Stopped("the run winds down")
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(process.wait(), LOOK_S)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode:
            last = " ".join(log.read_text(encoding="utf-8", errors="replace").split())[-WORDS:]
            raise job.error(("train", "roles", role), f"the training failed ({log}): {last}")

    def _model(self, role: str) -> str:
        """The one model that plays the role; the wiring has seen to it."""
        return next(by[role] for by in self.wiring.roles.values() if role in by)

    def _rehearsed(self, model: str) -> bool:
        return self.answerers[model].identity.startswith(REHEARSAL)


def servers(model: str, answerer: Answerer) -> list[Address]:
    """The servers of a model that are up, as far as is known."""
    if answerer.fleet:
        own = (s for s in answerer.fleet.servers if s.spec.name.rpartition("-")[0] == model)
        return [(server.root, server.key) for server in own if server.up]
    there = answerer.elsewhere
    urls = [] if there is None else [there.url] if isinstance(there.url, str) else there.url
    key = there.api_key if there else ""
    return [(url.rstrip("/").removesuffix("/v1"), key) for url in urls]
