"""Who answers a request file: vLLM's ``run-batch`` as a process, or a Batch API by upload.

Both turn one request file into one result file of the same name, whole or not at all, and can be
cut at any moment: what a later start does again is never more than one file. A batch that was
uploaded is known by the name of its file, on this side in a note and on the other in its
metadata, so that a kill between the two does not have it paid for twice.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.core import JobError, ModelError
from engine.models import command, guard
from engine.models.batch_lines import put

if TYPE_CHECKING:
    import openai
    from openai.types import Batch

GRACE_S = 20
"""Seconds that run-batch has to end when it is told to."""
POLL_S = (5.0, 300.0)
"""Shortest and longest pause between two questions whether a batch is done; they double."""
LISTED = 300
"""Batches of an account that are looked through for one of ours."""
MARK = "synth_engine"
"""Key in a batch's metadata: the name of its request file."""
OVER = frozenset({"completed", "expired", "cancelled", "failed"})


class Answers(Protocol):
    """Turns a request file into a result file."""

    async def __call__(self, asked: Path, to: Path) -> None:
        """Answer ``asked``; ``to`` is there, whole, when it returns.

        Raises:
            ModelError: the file could not be answered; says why.
        """
        ...


class RunBatch:
    """vLLM without a server: loads the model, answers a file, ends."""

    def __init__(
        self, words: Sequence[str], logs: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Run ``words``, a ``run_batch_words``, once a file; what it prints goes to ``logs``."""
        self._words, self._logs, self._environment = list(words), logs, environment

    async def __call__(self, asked: Path, to: Path) -> None:
        """Answer a file; see ``Answers``. Cancelled, it ends the process with all its children."""
        self._logs.mkdir(parents=True, exist_ok=True)
        log, aside = self._logs / f"{asked.stem}.log", to.with_suffix(".tmp")
        between = [sys.executable, "-I", "-S", guard.__file__, str(GRACE_S)]
        with log.open("wb") as said:
            process = await asyncio.create_subprocess_exec(
                *between, *self._words, "-i", str(asked), "-o", str(aside),
                stdin=asyncio.subprocess.PIPE, stdout=said, stderr=said, env=self._environment,
            )  # fmt: skip
            try:
                code = await process.wait()
            finally:
                if process.stdin:
                    process.stdin.close()  # the guard's word to end all it has started
                if process.returncode is None:
                    await asyncio.shield(process.wait())
        if code or not aside.is_file():
            words = command.last_words(log.read_text(encoding="utf-8", errors="replace"))
            raise ModelError(f"{asked.name}: {self._words[0]} ended with {code}: {words} ({log})")
        await asyncio.to_thread(put, aside, to)


def run_batch_words(words: Sequence[str], model: str, serving: command.Serving) -> list[str]:
    """The words that answer a file with ``model``.

    Args:
        words: those that start a server, from ``command.find``.
        model: a folder or a hub id.
        serving: whose ``args`` hold here, too, where the job says ``serve``.

    Raises:
        JobError: it cannot be told from these words how run-batch is called.
    """
    own = ["--model", model]
    if serving.serve:  # host and port, which come first, are a server's
        flags = command.arguments(serving, model, 0, 0)
        own += flags[flags.index("--served-model-name") :]
    if words[-1] == "serve":
        return [*words[:-1], "run-batch", *own]
    server = "vllm.entrypoints.openai.api_server"
    if server in words:
        return [*words[: words.index(server)], "vllm.entrypoints.openai.run_batch", *own]
    raise JobError(f"{command.COMMAND}: {' '.join(words)} starts a server; run-batch is not known")


class Uploaded:
    """A Batch API: upload, wait, download."""

    def __init__(
        self,
        url: str,
        api_key: str,
        notes: Path,
        tell: Callable[[str], None] = lambda said: None,
        poll_s: tuple[float, float] = POLL_S,
    ) -> None:
        """Talk to the API at ``url``; which batch a file became is kept in ``notes``."""
        self._url, self._key, self._notes = url, api_key or "-", notes
        self._tell, self._poll_s = tell, poll_s

    async def __call__(self, asked: Path, to: Path) -> None:
        """Answer a file; see ``Answers``. Cancelled, the batch goes on and is found again."""
        import openai

        self._notes.mkdir(parents=True, exist_ok=True)
        try:
            async with openai.AsyncOpenAI(base_url=self._url, api_key=self._key) as sdk:
                batch = await self._over(sdk, await self._started(sdk, asked), asked)
                await self._fetch(sdk, batch, to)
        except openai.APIStatusError as error:
            said = f"{error.status_code} {error.message}".replace(self._key, "***")
            raise ModelError(f"{self._url} refused the batch {asked.name}: {said}") from error
        except openai.APIConnectionError as error:
            why = error.__cause__ or error
            raise ModelError(f"{self._url} does not answer ({asked.name}): {why}") from error

    async def _started(self, sdk: openai.AsyncOpenAI, asked: Path) -> Batch:
        """The batch of a file: the one it became before, else a new one."""
        note = self._note(asked)
        if note.is_file():
            return await sdk.batches.retrieve(note.read_text(encoding="utf-8").strip())
        batch = await self._known(sdk, asked) or await self._upload(sdk, asked)
        aside = note.with_suffix(".tmp")
        aside.write_text(batch.id, encoding="utf-8")
        await asyncio.to_thread(put, aside, note)
        return batch

    def _note(self, asked: Path) -> Path:
        return self._notes / f"{asked.stem}.id"

    async def _known(self, sdk: openai.AsyncOpenAI, asked: Path) -> Batch | None:
        """A batch that a start made which was killed before it could note it."""
        import openai

        seen = 0
        try:
            async for batch in sdk.batches.list(limit=100):
                mine = (batch.metadata or {}).get(MARK) == asked.name
                if mine and batch.status not in ("failed", "cancelled"):
                    return batch
                seen += 1
                if seen >= LISTED:
                    break
        except (openai.NotFoundError, openai.BadRequestError):
            return None  # a server that keeps no list
        return None

    async def _upload(self, sdk: openai.AsyncOpenAI, asked: Path) -> Batch:
        self._tell(f"{asked.name}: uploading to {self._url}")
        file = await sdk.files.create(file=asked, purpose="batch")
        return await sdk.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",  # the only one that there is
            metadata={MARK: asked.name},
        )

    async def _over(self, sdk: openai.AsyncOpenAI, batch: Batch, asked: Path) -> Batch:
        """The batch when it has ended, with whatever it came to.

        Raises:
            ModelError: the API refused it as a whole; it is forgotten, so that a later start
                uploads the file anew.
        """
        wait, last = self._poll_s[0], ""
        while batch.status not in OVER:
            said = _progress(batch)
            if said != last:
                wait, last = self._poll_s[0], said
                self._tell(f"{asked.name}: {said}")
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._poll_s[1])
            batch = await sdk.batches.retrieve(batch.id)
        self._tell(f"{asked.name}: {_progress(batch)}")
        if batch.status == "failed" or not (batch.output_file_id or batch.error_file_id):
            self._note(asked).unlink(missing_ok=True)
            errors = (batch.errors.data if batch.errors else None) or []
            why = "; ".join(str(e.message) for e in errors[:3]) or "it gave no result"
            raise ModelError(f"{self._url}: the batch {batch.id} ({asked.name}) failed: {why}")
        return batch

    async def _fetch(self, sdk: openai.AsyncOpenAI, batch: Batch, to: Path) -> None:
        aside = to.with_suffix(".tmp")
        with aside.open("wb") as lines:
            for file in filter(None, (batch.output_file_id, batch.error_file_id)):
                async with sdk.files.with_streaming_response.content(file) as content:
                    last = b"\n"
                    async for part in content.iter_bytes():
                        lines.write(part)
                        last = part[-1:] or last
                if last != b"\n":
                    lines.write(b"\n")
        await asyncio.to_thread(put, aside, to)


def _progress(batch: Any) -> str:
    counts = batch.request_counts
    if not counts:
        return str(batch.status)
    return f"{batch.status}, {counts.completed} of {counts.total} done, {counts.failed} failed"
