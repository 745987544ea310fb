"""Seeds from an earlier run: the records that a step of it kept, as they were.

What took many calls to grow (a tree of subjects and syllabi, a pool of questions) is used again
by another job, without a call. A run's folder holds the records that left each of its streaming
parts: those that a pass kept, those that a step handed to a pass, and those that were accepted.
Messages, facts and lineage come along, so that a rehearsal stays known as one; ids are new, and
one more hop leads to the old one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from pydantic import Field

from engine.core import Hop, JobError, LedgerError, Record
from engine.fields import Provenance
from engine.jobfile import did_you_mean, parse
from engine.kit import InputPath, Source, Well
from engine.ledger import Ledger

OF_THE_RUN = ("source", "split")
"""Facts that are this job's to say anew."""


class Params(Provenance):
    """Which run, and which of its records."""

    path: InputPath
    """The run's folder, e.g. ``outputs/glan``, relative to the job file."""
    step: str = Field(default="", max_length=100)
    """The step or pass that kept them; empty: the accepted ones."""


def read(well: Well[Params]) -> Iterator[Record]:
    """The records in seed order.

    Raises:
        JobError: there is no run, it has no such step, or nothing of the step was kept there.
    """
    params = well.params
    try:
        ledger = Ledger(params.path)
    except LedgerError as error:
        raise JobError(f"{params.path}: {error}; want the folder of a run") from error
    with closing(ledger):
        found = False
        for record in _kept(ledger, params):
            found = True
            facts = {key: value for key, value in record.facts.items() if key not in OF_THE_RUN}
            lineage = (*record.lineage, Hop(well.name, record.id))
            facts |= params.facts(well.name)
            yield replace(record, id=well.id(record.id), facts=facts, lineage=lineage)
        if not found:
            raise JobError(_none(ledger, params))


def _kept(ledger: Ledger, params: Params) -> Iterator[Record]:
    """What the step sent on, once, whichever step took it; what reached the sink for none."""
    if not params.step:
        yield from ledger.accepted()
        return
    steps = _steps(ledger)
    if params.step not in steps:
        hint = did_you_mean(params.step, steps)
        raise JobError(f"{params.path}: this run has no step {params.step!r}: {hint}")
    for to in (*steps, ""):
        sent = ledger.kept(params.step, to, sys.maxsize)
        if (first := next(sent, None)) is not None:
            yield first
            yield from sent
            return


def _steps(ledger: Ledger) -> list[str]:
    return list(parse(ledger.meta("job") or "steps: {}", str(ledger.path)).value["steps"])


def _none(ledger: Ledger, params: Params) -> str:
    steps = _steps(ledger)
    some = [at for at in steps if any(_sent(ledger, at, to) for to in (*steps, ""))]
    of = f"step {params.step!r}" if params.step else "what was accepted"
    return f"{params.path}: nothing of {of} is kept there; there is of {', '.join(some) or 'none'}"


def _sent(ledger: Ledger, at: str, to: str) -> bool:
    return next(ledger.kept(at, to, sys.maxsize), None) is not None


SOURCE = Source(read, Params)
