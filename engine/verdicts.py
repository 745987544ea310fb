"""What follows from a check: its verdict stands on the record, and the step's policy decides.

The idea: a check says what it found and nothing more; whether a record that failed is dropped,
kept with the mark or repaired is the job's business. A check that broke has found nothing: it
leaves ``error``, which is never a pass. Errors that are not the check's own (no server, a run
that winds down, a full disk) are not its verdict either and pass through.

How a record is repaired is in ``repair``; what is kept in the end has passed, whoever wrote it.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson
from pydantic import BaseModel, Field

from engine.asking import Kit
from engine.core import (
    Drop,
    EngineError,
    Finding,
    JobError,
    LedgerError,
    ModelError,
    Outcome,
    Record,
    ReplyError,
    Stopped,
    Verdict,
)
from engine.prompting import Prompt

log = logging.getLogger(__name__)

REPAIR = Prompt("kit/repair", reply=str)
"""The question with which a response that failed is written anew; see ``repair``."""
EVIDENCE = 500
"""Characters of evidence that are kept."""
BROKEN = "check_error"
"""The reason of records that a broken check lets go."""

Check = Callable[[Record, Kit[Any]], Outcome | Finding | Awaitable[Outcome | Finding]]
Repair = Callable[["Checking", Finding, Kit[Any]], Awaitable[Finding]]


class Policy(BaseModel, extra="forbid"):
    """What a job does with the verdicts of one check."""

    on_fail: Literal["drop", "mark", "repair"] = "drop"
    """A record that fails: ``drop`` it; keep it and ``mark`` it; or ``repair`` it, that is ask the
    role ``writer`` for a better response, and drop it if that fails too."""
    on_error: Literal["drop", "mark", "fail"] = "fail"
    """A check that broke: ``drop`` the record; keep it and ``mark`` it; or ``fail`` its seed,
    which ``engine failures --retry`` tries again and ``max_error_rate`` counts."""
    repairs: int = Field(default=2, ge=1, le=10)
    """How often one record is repaired, at most."""
    timeout_s: float = Field(default=0, ge=0)
    """Seconds after which a check that waits for something counts as broken; 0: never. Calls of
    models have limits of their own."""


class CheckError(EngineError):
    """A check broke, and the policy is to fail the seed."""


@dataclass(frozen=True, slots=True)
class Checking:
    """One check of a job: who, which version of it, and what follows."""

    check: Check
    name: str
    version: str
    policy: Policy

    repair: Repair | None = None
    """Makes the best of a record that fails, where the policy is to."""

    async def work(self, record: Record, kit: Kit[Any]) -> tuple[Sequence[Outcome], Verdict]:
        """The record or its drop, and the verdict to be stamped on it.

        Raises:
            CheckError: it broke, and that is to fail the seed.
        """
        began = time.perf_counter()
        finding = await self.look(record, kit)
        if self.repair and finding.verdict == "fail":
            finding = await self.repair(self, finding, kit)
        seconds = round(time.perf_counter() - began, 6)
        said = Verdict(self.name, self.version, finding.verdict, _told(finding), seconds)
        return [self._follow(finding)], said

    async def look(self, record: Record, kit: Kit[Any]) -> Finding:
        """What the check says of the record, whatever happens to it."""
        try:
            async with asyncio.timeout(self.policy.timeout_s or None):
                found = self.check(record, kit)
                found = await found if inspect.isawaitable(found) else found
        except (Stopped, JobError, LedgerError, ModelError):
            raise
        except ReplyError as error:
            return Finding(record, "error", _short(str(error)), "bad_reply")
        except TimeoutError:
            return Finding(record, "error", "no verdict in time", BROKEN)
        except Exception as error:  # the boundary between the engine and a check
            log.warning("%s broke at record %s", self.name, record.id, exc_info=error)
            return Finding(record, "error", _short(f"{type(error).__name__}: {error}"), BROKEN)
        return _finding(found)

    def _follow(self, finding: Finding) -> Outcome:
        """What the policy makes of the finding."""
        reason = finding.reason or BROKEN
        if finding.verdict in ("pass", "skipped"):
            return finding.record
        if finding.verdict == "fail":
            if self.policy.on_fail == "mark":
                return finding.record
            return Drop(finding.record, reason, finding.evidence)
        if self.policy.on_error == "mark":
            return finding.record
        if self.policy.on_error == "drop" or reason == "bad_reply":
            return Drop(finding.record, reason, finding.evidence)
        raise CheckError(f"{self.name} could not decide: {finding.evidence}")


def decided(outcome: Outcome, name: str, version: str, policy: Policy) -> tuple[Outcome, Verdict]:
    """What the policy makes of a pass's decision, and the verdict to be stamped on it."""
    finding = _finding(outcome)
    said = Verdict(name, version, finding.verdict, _told(finding))
    marked = finding.verdict == "fail" and policy.on_fail == "mark"
    return finding.record if marked else outcome, said


def version(kind: Any, params: BaseModel) -> str:
    """Hash of a check's module and settings, 8 hex digits; settings alone for what has no file."""
    work = getattr(kind, "check", None) or kind.settle
    try:
        text = inspect.getsource(sys.modules[work.__module__])
    except (OSError, KeyError, TypeError):
        text = ""
    settings = orjson.dumps(params.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text.encode() + settings).hexdigest()[:8]


def _finding(found: Outcome | Finding) -> Finding:
    if isinstance(found, Finding):
        return replace(found, evidence=_short(found.evidence))
    if isinstance(found, Drop):
        return Finding(found.record, "fail", _short(found.detail), found.reason)
    return Finding(found, "pass")


def _told(finding: Finding) -> str:
    if finding.verdict != "fail" or not finding.reason:
        return finding.evidence
    return f"{finding.reason}: {finding.evidence}" if finding.evidence else finding.reason


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= EVIDENCE else line[: EVIDENCE - 3] + "..."
