"""Calls answered by files: what a run asks in OpenAI's Batch format, and what came back.

The idea: a call that the journal does not know is written into a request file, and its seed waits
for a later start; that start finds the reply in a result file and hands it to the journal as a
server would have. The request files are the only memory: which calls are on their way, and how
often each was asked, is read from them, so there is nothing to note down beside them and no
moment at which a kill could lose or double a call. A file is there whole (written aside, synced,
renamed) or not at all.

A line is named by the journal's key of its call (``KEY.2`` when it is asked a second time), never
by where it stands: result files may have any name and order, repeat each other, be cut or belong
to somebody else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

from engine.core import Deferred, JobError, ModelError
from engine.models import batch_lines, bodies
from engine.models.bodies import BrokenReply
from engine.models.chat import Count, Reply, Request, Scores, Texts, Vector
from engine.models.journal import Said
from engine.storage import explained

LINES = 10_000
"""Requests in one file: run-batch answers a file as a whole, and a crash of it loses the file."""
FILE_BYTES = 100_000_000
"""A request file is closed when it is so large; the Batch API takes 200 MB."""
WAVE_FILES = 20
"""Files in one wave: what is known about the calls of a wave is kept in memory."""
TRIES = 3
"""How often a call whose line failed is asked in all."""
_STEM = re.compile(r"(\d{5,})-(.+)-(\d+)-([0-9a-f]{8})")
"""Wave, model in the job, number in the wave, mark of the content."""
_WORDS = 500
"""Characters of an error that are kept."""


class Known(Protocol):
    """Who knows the calls that are answered; the ledger is one."""

    def recall(self, key: str) -> Said | None:
        """The call with this key."""
        ...


@dataclass(slots=True)
class _Asked:
    """A call that the journal does not have yet, as the files tell of it."""

    number: int
    """Which try the latest is; the first is 1."""
    limit: int
    """Its ``max_tokens``; 0 where it has none. The only field that the key leaves out."""
    file: str
    """Stem of the request file of the latest try."""
    first: int = 1
    """The earliest try with the same limit: replies to older ones are cut elsewhere."""
    reply: tuple[Path, int] | None = None
    """Result file and offset of the line that answers it."""
    error: str = ""
    """How the latest try failed; empty while it is on its way."""
    refused: bool = False
    """Whether asking again is pointless."""
    wanted: bool = False
    """Whether this start has asked for it: what an older job asked is nobody's any more."""
    final: str = ""
    """The error with which it failed for good in this start."""


@dataclass(frozen=True, slots=True)
class Odd:
    """What was found in result files and left alone."""

    unknown: int = 0
    """Lines with ids that this run never asked."""
    garbled: int = 0
    """Lines that are no result."""
    cut: tuple[str, ...] = ()
    """Files that end in the middle of a line: their missing lines are waited for."""


@dataclass(slots=True)
class _Found:
    """What one reading of the result files came to."""

    unknown: int = 0
    garbled: int = 0
    cut: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    """Stems of request files that have been answered, be it in part."""


class Waves:
    """The request and result files of one run.

    Args:
        folder: ``requests/`` is written there and ``results/`` read.
        lines: requests in one file.
        tries: how often a call is asked in all before its seed fails.
        wave_files: files in one wave; then the run stops asking for more.
    """

    def __init__(
        self, folder: Path, lines: int = LINES, tries: int = TRIES, wave_files: int = WAVE_FILES
    ) -> None:
        self.folder = folder
        self.requests, self.results = folder / "requests", folder / "results"
        self.odd = Odd()
        self._failed = folder / "failed.jsonl"
        self._lines, self._tries, self._most = lines, tries, wave_files
        self._calls: dict[str, _Asked] = {}
        self._given_up: dict[str, int] = {}
        self._writers: dict[str, _Writer] = {}
        self._wave = self._files = 0

    # -- reading -----------------------------------------------------------------------------

    def scan(self, book: Known) -> None:
        """Learn from the files what is on its way and what has come back.

        Raises:
            JobError: a request file is not as it was written.
        """
        with explained(self.folder):
            self._scan(book)

    def _scan(self, book: Known) -> None:
        for folder in (self.requests, self.results):
            folder.mkdir(parents=True, exist_ok=True)
        for torn in self.requests.glob("*.tmp"):  # a start that was killed while it wrote
            torn.unlink()
        self._calls, self._writers, self._wave, self._files = {}, {}, 1, 0
        self._given_up = dict(self._failures())
        home = self._requested(book)
        found = _Found()
        for path in sorted(self.results.glob("*.jsonl")):
            self._returned(path, home, book, found)
        for call in self._calls.values():
            if not call.error and call.reply is None and call.file in found.answered:
                call.error = "the results hold no line for it"
        self.odd = Odd(found.unknown, found.garbled, tuple(found.cut))

    def _failures(self) -> Iterator[tuple[str, int]]:
        if self._failed.is_file():
            with self._failed.open("rb") as lines:
                yield from (
                    batch_lines.parse_id(row["custom_id"])
                    for row, _, _ in batch_lines.rows(lines)
                    if row
                )

    def _requested(self, book: Known) -> dict[str, str]:
        """Learn what was asked; line -> its file, of the files that are not all in the journal."""
        home: dict[str, str] = {}
        for path in sorted(self.requests.glob("*.jsonl")):
            named = _STEM.fullmatch(path.stem)
            if not named:
                continue
            self._wave = max(self._wave, int(named[1]) + 1)
            ids, settled, mark = [], True, hashlib.blake2b(digest_size=4)
            with path.open("rb") as lines:
                for line in lines:
                    mark.update(line)
                    id_, limit = batch_lines.asked_for(line)
                    ids.append(id_)
                    settled &= self._known(id_, limit, path.stem, book)
            if mark.hexdigest() != named[4]:
                raise JobError(f"{path} is not as it was written; remove it to have it asked anew")
            home |= {} if settled else dict.fromkeys(ids, path.stem)
        return home

    def _known(self, id_: str, limit: int, stem: str, book: Known) -> bool:
        key, number = batch_lines.parse_id(id_)
        said = book.recall(key)
        if said and said.max_tokens == limit:
            return True
        before = self._calls.get(key)
        if before is None or before.number < number:
            first = before.first if before and before.limit == limit else number
            self._calls[key] = _Asked(number, limit, stem, first)
        return False

    def _returned(self, path: Path, home: Mapping[str, str], book: Known, found: _Found) -> None:
        seen, whole = {path.stem}, True
        with path.open("rb") as lines:
            for row, offset, ended in batch_lines.rows(lines):
                id_ = row.get("custom_id")
                if not isinstance(id_, str):
                    found.garbled += ended
                    whole = ended
                    continue
                key, number = batch_lines.parse_id(id_)
                if id_ in home:
                    seen.add(home[id_])
                elif key not in self._calls and book.recall(key) is None:
                    found.unknown += 1
                if key in self._calls:
                    self._take(self._calls[key], number, row, (path, offset))
        if whole:
            found.answered |= seen
        else:
            found.cut.append(path.name)

    @staticmethod
    def _take(call: _Asked, number: int, row: Mapping[str, Any], at: tuple[Path, int]) -> None:
        try:
            batch_lines.reply(row, "")
        except BrokenReply as error:
            if number == call.number:
                call.error = str(error)[:_WORDS] or "failed without a word"
                call.refused = batch_lines.refused(row)
        else:
            call.reply = call.reply or (at if number >= call.first else None)

    @property
    def waiting(self) -> int:
        """Calls of this start that are on their way."""
        return sum(map(_on_its_way, self._calls.values()))

    def unanswered(self) -> list[tuple[Path, str]]:
        """Request files with calls on their way, and the model of the job that is to answer."""
        stems = sorted({call.file for call in self._calls.values() if _on_its_way(call)})
        return [(self.requests / f"{stem}.jsonl", _model_of(stem)) for stem in stems]

    # -- answering ---------------------------------------------------------------------------

    def answer(self, model: str, request: Request, body: Mapping[str, Any]) -> Reply:
        """The reply to a request, where the results have it.

        Args:
            model: its name in the job.
            request: from the journal, with its key.
            body: the request as a server would get it.

        Raises:
            Deferred: it is on its way now.
            ModelError: its line failed too often, or was refused.
        """
        call, limit = self._calls.get(request.key), int(body.get("max_tokens") or 0)
        with explained(self.folder):
            if call and call.limit == limit:
                call.wanted = True
                if call.reply:
                    return self._read(call.reply, str(body["model"]))
                if not call.error:
                    raise Deferred(f"{request.key} is on its way")
                self._give_up(call, request, str(body["model"]))
            self._ask(model, request.key, call.number + 1 if call else 1, limit, body)
        raise Deferred(f"{request.key} is asked for", full=self._files >= self._most)

    def _read(self, at: tuple[Path, int], model: str) -> Reply:
        path, offset = at
        with path.open("rb") as lines:
            lines.seek(offset)
            return batch_lines.reply(json.loads(lines.readline()), model)

    def _give_up(self, call: _Asked, request: Request, model: str) -> None:
        """Fail, if it has been tried enough since it last failed for good.

        Raises:
            ModelError: it has.
        """
        if call.final:  # another seed has asked the same
            raise ModelError(call.final)
        tries = call.number - min(self._given_up.get(request.key, 0), call.number)
        if not tries:  # not tried since it failed for good: the seed was put back in line
            return
        if not call.refused and tries < self._tries:
            return
        line = {"custom_id": batch_lines.id_of(request.key, call.number), "error": call.error}
        with self._failed.open("ab") as failures:
            failures.write(orjson.dumps(line) + b"\n")
        name = f"the batch of model {model}" + (f" for {request.prompt}" if request.prompt else "")
        how = "refused:" if call.refused else f"gave no reply in {tries} tries, at last:"
        call.final = f"{name} {how} {call.error}"
        raise ModelError(call.final)

    # -- writing -----------------------------------------------------------------------------

    def _ask(self, model: str, key: str, number: int, limit: int, body: Mapping[str, Any]) -> None:
        writer = self._writers.get(model)
        if writer is None:
            aside = self.requests / f"{self._wave:05}-{model}.tmp"
            writer = self._writers[model] = _Writer(aside)
        writer.add(batch_lines.request(key, number, body), key)
        self._calls[key] = _Asked(number, limit, writer.aside.stem, number, wanted=True)
        if len(writer.keys) >= self._lines or writer.size >= FILE_BYTES:
            self._close(model)

    def _close(self, model: str) -> None:
        """Put a request file in place, whole."""
        writer = self._writers.pop(model)
        self._files += 1
        stem = f"{self._wave:05}-{model}-{self._files}-{writer.mark.hexdigest()}"
        for key in writer.keys:
            self._calls[key].file = stem
        writer.finish(self.requests / f"{stem}.jsonl")

    def finish(self) -> None:
        """End the wave: what was asked is in its files."""
        with explained(self.folder):
            for model in sorted(self._writers):
                self._close(model)

    def abandon(self) -> None:
        """Forget what is in no file yet; a later start asks for it again."""
        for writer in self._writers.values():
            writer.abandon()
            for key in writer.keys:
                del self._calls[key]
        self._writers = {}


class _Writer:
    """One request file while it grows."""

    def __init__(self, aside: Path) -> None:
        self.aside = aside
        self.keys: list[str] = []
        self.size = 0
        self.mark = hashlib.blake2b(digest_size=4)
        self._file: IO[bytes] = aside.open("wb")

    def add(self, line: bytes, key: str) -> None:
        self._file.write(line)
        self.mark.update(line)
        self.size += len(line)
        self.keys.append(key)

    def finish(self, place: Path) -> None:
        self._file.close()
        batch_lines.put(self.aside, place)

    def abandon(self) -> None:
        self._file.close()
        self.aside.unlink()


class BatchChat:
    """One model of a job, answered by files: the ``Chat`` below its journal."""

    def __init__(self, waves: Waves, name: str, model: str) -> None:
        """Ask by ``waves`` for the model that the job calls ``name`` and servers ``model``."""
        self._waves, self._name, self._model = waves, name, model

    async def chat(self, request: Request) -> Reply:
        """Answer from the results, or write the request down.

        Raises:
            Deferred: the answer comes with a later start.
            ModelError: the call failed for good.
        """
        return self._waves.answer(self._name, request, bodies.body(request, self._model, {}))

    async def score(self, request: Request) -> Scores:
        """Refuse: a file holds chats, and a score takes two calls that are none."""
        raise self._live("score")

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """Refuse, as ``score`` does."""
        raise self._live("embed")

    async def count(self, request: Request) -> Count:
        """Refuse, as ``score`` does."""
        raise self._live("count tokens")

    def _live(self, ability: str) -> ModelError:
        return ModelError(
            f"a batch file holds chats only: model {self._name} cannot {ability} by one; "
            "run the job with a server, without --batch"
        )


def _on_its_way(call: _Asked) -> bool:
    return call.wanted and call.reply is None and not call.error


def _model_of(stem: str) -> str:
    named = _STEM.fullmatch(stem)
    return named[2] if named else ""
