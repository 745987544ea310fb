"""A run that is answered by batch files: sweep what can move, write the wave, wait or have it done.

A sweep is an ordinary start of the run whose models answer from files: every seed goes as far as
the replies that are there, and asks for the next one. When no seed can move the wave is closed,
and the run either ends as waiting or, with somebody named to answer, has the files answered and
sweeps again, until it is done.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from engine.connect import Answerer
from engine.core import JobError, ModelError
from engine.job import Job, ModelPart
from engine.ledger import Ledger
from engine.models import command
from engine.models.batch import LINES, BatchChat, Waves
from engine.models.batch_answers import Answers, RunBatch, Uploaded, run_batch_words
from engine.rounds import End
from engine.storage import explained, lock

OWNER = ".run"
"""File in a folder of waves: whose they are."""
By = Literal["", "vllm", "api"]
Guard = Callable[[Any], contextlib.AbstractContextManager[None]]
"""While it is open, Ctrl-C stops what it is given instead of killing the process."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Ask by files instead of by server."""

    folder: Path
    by: By = ""
    """Who answers them: the user, ``vllm run-batch``, or the Batch API at the models' ``url``."""
    lines: int = LINES
    """Requests in one file."""
    tell: Callable[[str], None] = lambda said: None
    """Told a line whenever something happens that takes its time."""

    @property
    def words(self) -> list[str]:
        """The same, on the command line."""
        by = ["--with", self.by] if self.by else []
        lines = ["--batch-lines", str(self.lines)] if self.lines != LINES else []
        return ["--batch", str(self.folder), *by, *lines]

    def waves(self, *, rehearse: bool) -> Waves:
        """Its files.

        Raises:
            JobError: the rehearsal was asked for, which answers at once.
        """
        if rehearse:
            raise JobError("--batch with --rehearse: the rehearsal answers at once, without files")
        return Waves(self.folder, self.lines)


def chosen(
    folder: Path | None, by: str | None, lines: int, tell: Callable[[str], None]
) -> Batch | None:
    """What the command line says of batch files; ``None`` where it says nothing.

    Raises:
        JobError: it says how, and not where.
    """
    if folder is None:
        if by or lines:
            raise JobError("--with and --batch-lines say how --batch DIR is done; add --batch DIR")
        return None
    return Batch(folder, _by(by), lines or LINES, tell)


def _by(name: str | None) -> By:
    known: dict[str, By] = {"vllm": "vllm", "api": "api"}
    return known[name] if name else ""


def connect(job: Job, names: list[str], waves: Waves) -> dict[str, Answerer]:
    """An answerer by files for each of these models.

    Raises:
        JobError: a model is not one that a server would answer for, or has no name.
    """
    answerers: dict[str, Answerer] = {}
    for name in names:
        part = job.file.models[name]
        if part.use != "openai":
            why = f"with --batch a model is named by `model`; there are no files for {part.use!r}"
            raise job.error(("models", name, "use"), why)
        model, identity = _model(part)
        if not model:
            why = "`model` is missing: with --batch every request names it"
            raise job.error(("models", name), why)
        why = f"{model}, by batch files in {waves.folder}"
        answerers[name] = Answerer(BatchChat(waves, name, model), identity, why, part)
    return answerers


def _model(part: ModelPart) -> tuple[str, str]:
    """The name in the requests and the identity: those that a live run would use."""
    if part.serve:
        return part.model or command.served_as(part), f"{part.identity()} {part.model}".rstrip()
    return part.model, part.model


async def through(
    batch: Batch,
    waves: Waves,
    job: Job,
    ledger: Ledger,
    sweep: Callable[[], Awaitable[End]],
    guard: Guard,
) -> End:
    """Sweep and have the waves answered until the run has ended or waits.

    Args:
        batch: where the files are and who answers them.
        waves: the same files, known to the models that ``sweep`` asks.
        job: whose models they are.
        ledger: the run's.
        sweep: one start of the runner.
        guard: see ``Guard``.

    Raises:
        JobError: the folder is another run's, or a file could not be answered.
        LedgerError: the folder cannot be written.
    """
    answers = _answers(batch, job) if batch.by else {}
    left = job.file.run.deadline_s
    until = asyncio.get_running_loop().time() + left if left else None
    with _held(batch.folder, ledger):
        while True:
            waves.scan(ledger)
            _tell_odd(batch, waves)
            end = await sweep()
            if end is not End.WAITING:
                waves.abandon()
                return end
            waves.finish()
            _note(ledger, waves)
            if not answers:
                return end
            if ended := await _answer(batch, waves, answers, until, ledger, guard):
                return ended


@contextlib.contextmanager
def _held(folder: Path, ledger: Ledger) -> Any:
    """Hold the folder of waves for this run.

    Raises:
        JobError: it is another run's, or this run has waves elsewhere.
        LedgerError: another process holds it.
    """
    run = str(ledger.path.parent.resolve())
    before = orjson.loads(ledger.meta("batch") or "{}")
    there = Path(before.get("folder", ""))
    if before.get("calls") and there != folder.resolve() and (there / OWNER).is_file():
        raise JobError(
            f"this run waits for {before['calls']:,} calls in {there}; use --batch {there}"
        )
    with explained(folder), contextlib.closing(lock(folder)):
        mark = folder / OWNER
        owner = mark.read_text(encoding="utf-8") if mark.is_file() else run
        if owner != run and Path(owner).is_dir():
            raise JobError(
                f"{folder} holds the batch files of the run in {owner}; use another folder"
            )
        mark.write_text(run, encoding="utf-8")
        yield


def _tell_odd(batch: Batch, waves: Waves) -> None:
    odd = waves.odd
    if odd.unknown:
        batch.tell(
            f"{odd.unknown:,} lines of results are for calls that this run never made; ignored"
        )
    if odd.garbled:
        batch.tell(f"{odd.garbled:,} lines of results are no JSON; ignored")
    for name in odd.cut:
        batch.tell(f"results/{name} ends in the middle of a line; its other lines are waited for")


def _note(ledger: Ledger, waves: Waves) -> None:
    """Write down what the run waits for, for whoever shows it."""
    odd = waves.odd
    ledger.note(
        batch=orjson.dumps(
            {
                "folder": str(waves.folder.resolve()),
                "files": [path.name for path, _ in waves.unanswered()],
                "calls": waves.waiting,
                "unknown": odd.unknown,
                "garbled": odd.garbled,
                "cut": list(odd.cut),
            }
        ).decode()
    )


# -- having a wave answered -------------------------------------------------------------------


def _answers(batch: Batch, job: Job) -> dict[str, Answers]:
    """Model of the job -> who answers its files.

    Raises:
        JobError: there is no vllm, or the model has no ``url``.
    """
    if batch.by == "api":
        return {name: _uploaded(batch, job, name) for name in job.file.models}
    words = command.find(job.environment)
    return {name: _run_batch(batch, job, words, name) for name in job.file.models}


def _uploaded(batch: Batch, job: Job, name: str) -> Answers:
    part = job.file.models[name]
    url = part.url if isinstance(part.url, str) else part.url[0]
    if not url:
        why = "`url` is missing: `--with api` uploads to the server there"
        raise job.error(("models", name), why)
    url = job.expand(url, ("models", name, "url"))
    key = job.expand(part.api_key, ("models", name, "api_key"))
    return Uploaded(url, key, batch.folder / "uploaded", batch.tell)


def _run_batch(batch: Batch, job: Job, words: list[str], name: str) -> Answers:
    part = job.file.models[name]
    beside = (job.base / Path(part.serve).expanduser()).resolve()
    model = str(beside) if part.serve and beside.is_dir() else part.serve or part.model
    called = run_batch_words(words, model, part)
    environment = command.environment(job.environment, "", part.share(0))
    return RunBatch(called, batch.folder / "logs", environment)


async def _answer(
    batch: Batch,
    waves: Waves,
    answers: Mapping[str, Answers],
    until: float | None,
    ledger: Ledger,
    guard: Guard,
) -> End | None:
    """Have every waiting file answered; why that was cut short, or ``None``.

    Raises:
        JobError: a file could not be answered; what was answered is kept.
    """
    work = asyncio.ensure_future(_all(batch, waves, answers))
    stop = _Stop(work)
    try:
        with guard(stop):
            async with asyncio.timeout_at(until):
                await work
    except asyncio.CancelledError:
        if not stop.told:
            raise
        return End.INTERRUPTED
    except TimeoutError:
        ledger.note(bound="deadline")
        return End.BUDGET
    except ModelError as error:
        raise JobError(f"{error}; run the same command again to go on") from error
    return None


class _Stop:
    """What Ctrl-C stops while files are being answered."""

    def __init__(self, work: asyncio.Future[None]) -> None:
        self._work, self.told = work, False

    def stop(self, why: End) -> None:
        """Cut the work short; it goes on with the next start."""
        self.told = True
        self._work.cancel()


async def _all(batch: Batch, waves: Waves, answers: Mapping[str, Answers]) -> None:
    files = [(asked, answers[name]) for asked, name in waves.unanswered()]
    batch.tell(f"{waves.waiting:,} calls in {len(files)} files; {batch.by} answers them")
    if batch.by == "vllm":  # one at a time: each has the GPU for itself
        for asked, answer in files:
            batch.tell(f"{asked.name}: vllm run-batch")
            await answer(asked, waves.results / asked.name)
        return
    ways = [answer(asked, waves.results / asked.name) for asked, answer in files]
    for failed in await asyncio.gather(*ways, return_exceptions=True):
        if isinstance(failed, BaseException):
            raise failed
