"""The nouns every layer shares: a record, how it came to be, and why one was dropped.

Standard library only. Everything here is immutable, cheap and safe to share between tasks;
nothing here knows about models, graphs, files or YAML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
Json = Any  # a JSON value; checked when a record is written, not at every hop

REHEARSAL = "rehearsal"
"""The model name that marks a reply of the embedded model; see ``engine.models.rehearsal``."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Call:
    """One finished model call, as provenance: enough to find question and answer again."""

    prompt: str
    """Prompt name and content hash, e.g. ``evol_instruct/deepen@9f3c2a``."""
    role: str
    """The role the prompt asked for, e.g. ``writer``."""
    model: str
    """Model name as the server reported it; ``rehearsal`` for the embedded model."""
    key: str
    """The journal's key: the request and the reply are found under it."""
    tokens_in: int = 0
    tokens_out: int = 0


Ruling = Literal["pass", "fail", "error", "skipped"]
"""What a check says: ``error`` if it could not decide, ``skipped`` if it does not apply."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check said of a record."""

    check: str
    """Name of the filter, verifier or pass, e.g. ``rubric_judge``."""
    version: str
    """Hash of its code and settings: another version may have said something else."""
    verdict: Ruling
    evidence: str = ""
    """Why, in a line: the reason's slug and its particulars, or the error."""
    seconds: float = field(default=0.0, compare=False)
    """What it took; kept in the ledger, left out of datasets and of equality: no clock decides."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step a record passed."""

    step: str
    """The step's name in the job."""
    parent: str
    """Id of the record that entered the step; the same id where the step made no new record."""
    calls: tuple[Call, ...] = ()
    verdict: Verdict | None = None
    """What it said of the record, where the step is a check."""


@dataclass(frozen=True, slots=True)
class Record:
    """One training example in the making.

    ``messages`` is the conversation so far (a seed may have none); ``facts`` holds whatever
    sources and steps have learnt about it (topic, source document, scores). ``id`` derives
    from the parent and the position, so that a re-run gives the same ids.
    """

    id: str
    language: str
    """BCP-47 tag, e.g. ``de`` or ``zh-Hans``."""
    messages: tuple[Message, ...] = ()
    facts: Mapping[str, Json] = field(default_factory=dict)
    lineage: tuple[Hop, ...] = ()

    def child(self, index: int, **changes: Any) -> Record:
        """A new record that descends from this one; ``facts`` are merged, not replaced."""
        facts = {**self.facts, **changes.pop("facts", {})}
        return replace(self, id=stable_id(self.id, str(index)), facts=facts, **changes)

    def with_facts(self, **facts: Json) -> Record:
        """The same record, knowing more."""
        return replace(self, facts={**self.facts, **facts})

    def last(self, role: Role) -> str:
        """Content of the latest message with this role; ``""`` when there is none."""
        return next((m.content for m in reversed(self.messages) if m.role == role), "")

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the checks on the way here said, in order."""
        return tuple(hop.verdict for hop in self.lineage if hop.verdict)

    @property
    def rehearsed(self) -> bool:
        """Whether the embedded model answered any call on the way here."""
        return any(call.model == REHEARSAL for hop in self.lineage for call in hop.calls)


@dataclass(frozen=True, slots=True)
class Drop:
    """A record that ends here, and why. Drops are kept, counted and read; never lost."""

    record: Record
    reason: str
    """A short slug that can be counted, e.g. ``copied_seed``; particulars go to ``detail``."""
    detail: str = ""


Outcome = Record | Drop


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says where it has more to say than a record (pass) or a drop (fail)."""

    record: Record
    verdict: Ruling
    evidence: str = ""
    """Why, in a line."""
    reason: str = ""
    """The slug under which the record is dropped, should it be; needed for fail and error."""


def stable_id(*parts: str) -> str:
    """16 hex digits that depend on ``parts`` only: same parts, same id, on every machine."""
    joined = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(joined, digest_size=8).hexdigest()


class EngineError(Exception):
    """Base of every error the engine raises on purpose."""


class JobError(EngineError):
    """The job file or its inputs are wrong; the user can fix it. Shown without a traceback."""


class LedgerError(EngineError):
    """What is on disk cannot be read or written: full, read-only, locked or damaged."""


class ModelError(EngineError):
    """A model server did not answer, after retries, or refused the request."""


class ReplyError(EngineError):
    """A model answered, but not in the shape the prompt asked for."""


class Stopped(EngineError):
    """The run is winding down and makes no new calls; what is unfinished stays unfinished."""


class Deferred(Stopped):
    """The answer comes with a later start (see ``engine.models.batch``); others may go on."""

    def __init__(self, why: str = "", *, full: bool = False) -> None:
        """Say why; ``full`` where no more should be asked in this start."""
        super().__init__(why)
        self.full = full
