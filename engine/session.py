"""One start of a job in a folder: connect, run, write what it came to.

A folder belongs to one job. The same command run again goes on where the last one stopped; a
job that has changed in anything that decides its records is refused with the names of what
changed. What an earlier start wrote is never overwritten by less.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from engine import batching, deadline, garbage, loops, outputs, quiet, shards
from engine import job as jobs
from engine.batching import Batch
from engine.connect import Answerer, connect, identities, journals
from engine.core import Drop, JobError, Record
from engine.job import TargetPart
from engine.ledger import Ledger
from engine.models.journal import Brake, Counts, Said
from engine.on_ray import Cluster
from engine.plan import Plan
from engine.result import Result
from engine.rounds import End
from engine.runner import Progress, Runner
from engine.shard_process import Nursery
from engine.wiring import Wiring, fingerprint, mix, plan, wire

if TYPE_CHECKING:
    from engine.training.tuning import Tuner

OUTPUTS = Path("outputs")
LOGS = "logs"
"""Where in a run's folder the servers it started write."""
T = TypeVar("T")

quiet.hush()  # before anything imports langgraph or the hub client, whoever uses the engine


@dataclass(frozen=True, slots=True)
class Live:
    """A run while it runs, for whoever shows its progress."""

    name: str
    folder: Path
    plan: Plan
    progress: Progress
    models: Mapping[str, Counts]
    """Model -> what it has done since this start."""
    answers: Mapping[str, str]
    """Model -> one sentence on who answers for it."""
    states: Callable[[], Mapping[str, str]] = dict
    """Server -> what it is doing, for each that the run started and that is not up."""


Watch = Callable[[Live], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a few seeds came to, in a folder that is gone again."""

    records: list[Record]
    drops: list[tuple[str, Drop]]
    failures: list[dict[str, Any]]
    calls: list[Said]
    """Every model call, in the order in which the replies came."""
    answers: Mapping[str, str]
    grown_s: float = 0.0
    """Seconds in which seeds grew: what models take to be there is none of it."""


@dataclass(frozen=True, slots=True)
class Job(jobs.Job):
    """A job that has been read; see ``engine.load``."""

    def preview(self, n: int = 3, *, rehearse: bool = False) -> Preview:
        """Run ``n`` seeds through everything, and leave nothing behind.

        Raises:
            JobError: the job is wrong.
        """
        return _finish(lambda signals: _preview(self, n, rehearse))


def load(
    path: str | Path, changes: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Job:
    """Read a job file, or a shipped job by its name; see ``engine.job.load``."""
    read = jobs.load(path, changes, environment)
    return Job(read.file, read.sheet, read.base, read.environment)


def run(
    job: jobs.Job,
    folder: str | Path | None = None,
    *,
    rehearse: bool = False,
    fresh: bool = False,
    watch: Watch | None = None,
    batch: Batch | None = None,
    began: datetime | None = None,
    on: str = "",
) -> Result:
    """Run a job until it ends, and write its dataset; Ctrl-C saves and returns.

    Args:
        job: from ``engine.load``.
        folder: where its ledger and dataset are; ``outputs/<job>`` by default.
        rehearse: let the embedded model answer, without a GPU; the records are not real data.
        fresh: forget the progress of earlier starts; replies already paid for serve again.
        watch: awaited beside the run and cancelled at its end.
        batch: ask by files instead of by server; ends with ``End.WAITING`` where they wait.
        began: from when a deadline that is a duration counts; now, where left out.
        on: ``"ray"`` puts the workers of ``run.shards`` on a Ray cluster.

    Raises:
        JobError: the job or its input is wrong.
        LedgerError: the folder cannot be used, or the disk is full.
    """
    with garbage.rarely():  # from here: langgraph, too, makes many objects when it is loaded
        return _finish(
            lambda signals: arun(
                job,
                folder,
                rehearse=rehearse,
                fresh=fresh,
                watch=watch,
                batch=batch,
                began=began,
                on=on,
                signals=signals,
            )
        )


async def arun(
    job: jobs.Job,
    folder: str | Path | None = None,
    *,
    rehearse: bool = False,
    fresh: bool = False,
    watch: Watch | None = None,
    batch: Batch | None = None,
    began: datetime | None = None,
    on: str = "",
    signals: bool = False,
) -> Result:
    """The same within a running event loop; ``signals`` makes Ctrl-C and SIGTERM wind it down."""
    job = _begun(job, began or datetime.now().astimezone())
    where = Path(folder) if folder else OUTPUTS / job.name
    wiring = wire(job)
    waves = batch.waves(rehearse=rehearse) if batch else None
    if waves:
        answerers = batching.connect(job, wiring.models_used(), waves)
    else:
        answerers = await connect(job, wiring.models_used(), rehearse=rehearse, logs=where / LOGS)
    marks = fingerprint(wiring, identities(answerers))
    with contextlib.closing(Ledger(where, write=True)) as ledger:
        try:
            _claim(ledger, marks, job, fresh=fresh)
            _note(wiring, answerers, ledger)
            drive = partial(_drive, wiring, answerers, ledger, where, watch, signals)
            if batch and waves:
                guard: batching.Guard = _signals if signals else contextlib.nullcontext
                sweep = partial(drive, sweeping=True)
                end = await batching.through(batch, waves, job, ledger, sweep, guard)
            else:
                end = await drive(_agency(wiring, where / LOGS, on))
            ledger.note(end=end.name)
            if end not in (End.INTERRUPTED, End.WAITING):
                with garbage.rarely():
                    await asyncio.to_thread(outputs.write, wiring, ledger, where)
            return _result(job, where, end, ledger)
        finally:
            for answerer in answerers.values():
                await answerer.close()


def _note(wiring: Wiring, answerers: Mapping[str, Answerer], ledger: Ledger) -> None:
    """Write down who answers, and how many records of which language are wanted."""
    wanted = mix(wiring)
    ledger.note(
        answers=_json({name: each.why for name, each in answerers.items()}),
        quotas=_json(wanted.quotas if wanted else {}),
    )


def _result(job: jobs.Job, where: Path, end: End, ledger: Ledger) -> Result:
    wanted, accepted = job.file.target.accepted, ledger.waiting("")
    return Result(where, end, min(accepted, wanted) if wanted else accepted, wanted)


def _agency(wiring: Wiring, logs: Path, on: str) -> shards.Agency | None:
    """Where workers come from, if the job is to have any."""
    if on == "ray":
        return Cluster(wiring)
    if on:
        raise JobError(f"a run can be put on `ray`, found {on!r}")
    return Nursery(logs) if wiring.job.file.run.shards > 1 else None


def _begun(job: jobs.Job, now: datetime) -> jobs.Job:
    """The job with its deadline as a moment: what models take to be there counts, too."""
    run = job.file.run
    if not run.deadline:
        return job
    run = run.model_copy(update={"deadline": deadline.moment(run.deadline, now).isoformat()})
    return replace(job, file=job.file.model_copy(update={"run": run}))


def _claim(ledger: Ledger, marks: Mapping[str, str], job: jobs.Job, *, fresh: bool) -> None:
    """Make sure that the folder's progress is this job's.

    Raises:
        JobError: it is another's, or the job has changed; names what.
    """
    before = ledger.meta("fingerprint")
    if fresh:
        ledger.wipe()
    elif before is not None and (changed := _changed(orjson.loads(before), marks)):
        raise JobError(
            f"{ledger.path.parent} holds a run of this job from before it changed:\n"
            + "\n".join(f"  {line}" for line in changed)
            + "\nrun it with --fresh to start over (replies to unchanged questions are used again)"
            ", or choose another folder with -o"
        )
    ledger.note(
        fingerprint=_json(dict(marks)),
        job=job.sheet.text,
        file=job.sheet.path,
        name=job.name,
        target=str(job.file.target.accepted),
        end="",
    )


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    lines = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name, "(not there)"), now.get(name, "(not there)")
        if old != new:
            lines.append(f"{name}: {_short(old)} -> {_short(new)}")
    return lines


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


async def _drive(
    wiring: Wiring,
    answerers: Mapping[str, Answerer],
    ledger: Ledger,
    folder: Path,
    watch: Watch | None,
    signals: bool,
    agency: shards.Agency | None = None,
    *,
    sweeping: bool = False,
) -> End:
    brake = Brake()
    tuner = _tuner(wiring, answerers, folder)
    chats = journals(tuner.below() if tuner else answerers, ledger, brake)
    counts = {name: chat.counts for name, chat in chats.items()}
    wired = plan(wiring, tuner.above(chats) if tuner else chats)
    wired = replace(wired, between=tuner.between) if tuner else wired
    crew = shards.workers(agency, wiring.job, answerers, ledger, brake, counts)
    async with crew as grow:
        runner = Runner(wired, ledger, brake, grow, sweeping=sweeping)
        live = Live(
            wiring.job.name,
            folder,
            wired,
            runner.progress,
            counts,
            {name: a.why for name, a in answerers.items()},
            next((a.fleet.states for a in answerers.values() if a.fleet), dict),
        )
        watching = asyncio.ensure_future(watch(live)) if watch else None
        try:
            with garbage.rarely(), _signals(runner) if signals else contextlib.nullcontext():
                return await runner.go()
        finally:
            if watching:
                watching.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watching


def _tuner(wiring: Wiring, answerers: Mapping[str, Answerer], folder: Path) -> Tuner | None:
    """What trains models between rounds, where the job wants that."""
    if wiring.job.file.train is None:
        return None
    from engine.training.tuning import Tuner

    return Tuner(wiring, answerers, folder)


@contextlib.contextmanager
def _signals(runner: Runner) -> Iterator[None]:
    """Ctrl-C and SIGTERM wind the run down; a second one stops waiting for calls."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGINT, signal.SIGTERM)
    for number in caught:
        loop.add_signal_handler(number, partial(runner.stop, End.INTERRUPTED))
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


async def _preview(job: Job, n: int, rehearse: bool) -> Preview:
    few = replace(job, file=job.file.model_copy(update={"target": TargetPart(candidates=n)}))
    wiring = wire(few)
    logs = Path(tempfile.gettempdir()) / f"engine-preview-{job.name}"
    answerers = await connect(few, wiring.models_used(), rehearse=rehearse, logs=logs)
    with (
        tempfile.TemporaryDirectory(prefix="engine-preview-") as folder,
        contextlib.closing(Ledger(Path(folder), write=True)) as ledger,
    ):
        try:
            await _drive(wiring, answerers, ledger, Path(folder), None, False)
        finally:
            for answerer in answerers.values():
                await answerer.close()
        return Preview(
            list(ledger.accepted()),
            list(ledger.drops()),
            list(ledger.failures()),
            list(ledger.calls()),
            {name: a.why for name, a in answerers.items()},
            float(ledger.meta("grown_s") or 0),
        )


def _finish(work: Callable[[bool], Coroutine[Any, Any, T]]) -> T:
    """Run to the end; in a thread of its own where an event loop is running (a notebook).

    ``work`` is told whether it may catch signals, which only the main thread can.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return loops.run(work(threading.current_thread() is threading.main_thread()))
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(lambda: loops.run(work(False))).result()


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
