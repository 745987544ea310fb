"""What a run leaves for people: the dataset with its card, and the report.

Written from the ledger alone, so that it can be written again at any time and always says what
is durably there.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import networkx as nx

import engine
from engine import jobfile, parts, report
from engine.card import About, Stage, card
from engine.core import Record
from engine.fields import Provenance
from engine.job import Job, JobFile
from engine.ledger import Ledger
from engine.prompting import Library
from engine.result import DATASET
from engine.selection.mixing import Mixes
from engine.wiring import Bound, Wiring

TRAIN = "train"
"""The split of a record that no pass has put into one."""


def write(wiring: Wiring, ledger: Ledger, folder: Path) -> None:
    """Write every sink of the job, each with a card, and ``report.html``.

    Raises:
        JobError: a format cannot express a record, or the hub refuses.
        LedgerError: the folder cannot be written, or the disk is full.
    """
    with contextlib.closing(ledger.reader()) as book:
        found = Census(wiring, book)
        for i, bound in enumerate(wiring.sinks):
            name = wiring.job.sinks[i].use
            place = folder / (DATASET if i == 0 else f"{DATASET}-{name}")
            about = found.about(bound)
            splits = {split: partial(found.records, split) for split in found.splits}
            bound.kind.write(splits, place, bound.params, card(about))
        report.write(book, found.about(wiring.sinks[0]), folder / "report.html")


class Census:
    """One reading of the accepted records: what the card and the sinks have to know beforehand."""

    def __init__(self, wiring: Wiring, book: Ledger) -> None:
        self._wiring, self._book = wiring, book
        self._wanted = wiring.job.file.target.accepted or -1
        self.splits: Counter[str] = Counter()
        self.sizes: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.rehearsal = False
        self.mixes = Mixes()
        self._models: dict[str, set[str]] = {}
        self._prompts: set[str] = set()
        for record in book.accepted(self._wanted):
            self._count(record)
        self.splits = self.splits or Counter({TRAIN: 0})

    def records(self, split: str) -> Iterator[Record]:
        """The accepted records of one split, in seed order."""
        accepted = self._book.accepted(self._wanted)
        return (record for record in accepted if _split(record) == split)

    def about(self, sink: Bound) -> About:
        """What the card of a sink says."""
        job = self._wiring.job
        return About(
            name=job.name,
            job=job.sheet.text,
            engine=engine.__version__,
            format=sink.params.format,
            splits=dict(self.splits),
            sizes=dict(self.sizes),
            pattern=sink.kind.pattern,
            languages=dict(sorted(self.languages.items())),
            models={name: sorted(found) for name, found in sorted(self._models.items())},
            prompts=sorted(self._prompts),
            funnel=funnel(self._book, self._wiring),
            licences={
                name: str(getattr(bound.params, "licence", "") or "")
                for name, bound in self._wiring.sources.items()
            },
            rehearsal=self.rehearsal,
            target=job.file.target.accepted or None,
            stated={name: part.licence for name, part in job.file.models.items() if part.licence},
            mixes=self.mixes.tables(),
        )

    def _count(self, record: Record) -> None:
        split = _split(record)
        self.splits[split] += 1
        self.sizes[split] += sum(len(m.content.encode(errors="replace")) for m in record.messages)
        self.languages[record.language] += 1
        self.rehearsal |= record.rehearsed
        self.mixes.add(record)
        for hop in record.lineage:
            roles: Mapping[str, str] = self._wiring.roles.get(hop.step, {})
            for call in hop.calls:
                self._models.setdefault(roles.get(call.role, call.role), set()).add(call.model)
                self._prompts.add(call.prompt)


def funnel(book: Ledger, wiring: Wiring) -> list[Stage]:
    """What entered, left and was dropped, step by step in the job's order."""
    tallies = book.tallies()
    reasons: dict[str, Counter[str]] = {}
    for step, reason, _, count in book.reasons():
        reasons.setdefault(step, Counter())[reason] += count
    return [
        Stage(name, *tallies.get(name, (0, 0, 0))[:2], dict(reasons.get(name, {})))
        for name in wiring.steps
    ]


def _split(record: Record) -> str:
    return str(record.facts.get("split", TRAIN))


def export(folder: Path, format: str, sink: str, to: Path) -> list[Path]:
    """Write the accepted records of a run anew: in another format, with a card, to ``to``.

    The run's folder is enough: the job is the one that its ledger keeps, and nothing that the
    job reads has to be there any more.

    Raises:
        JobError: the format cannot express a record.
        LedgerError: there is no run, or ``to`` cannot be written.
    """
    with contextlib.closing(Ledger(folder)) as book:
        kind = parts.find(sink, parts.SINKS, folder)
        bound = Bound(kind, kind.params(format=format))
        found = Census(_kept(book), book)
        splits = {split: partial(found.records, split) for split in found.splits}
        return list(kind.write(splits, to, bound.params, card(found.about(bound))))


def _kept(book: Ledger) -> Wiring:
    """As much of the job's wiring as a card needs, from the job's text in the ledger."""
    sheet = jobfile.parse(book.meta("job") or "", str(book.path))
    job = Job(JobFile.model_validate(sheet.value), sheet, book.path.parent)
    models = list(job.file.models)
    alone = dict.fromkeys(("writer", "judge"), models[0]) if len(models) == 1 else {}
    licences = {part.name: str(part.settings.get("licence", "")) for part in job.sources}
    return Wiring(
        job,
        Library(),
        {name: Bound(None, Provenance(licence=licence)) for name, licence in licences.items()},
        {name: Bound(None, None) for name in job.file.steps},
        (),
        nx.DiGraph(),
        {name: {**alone, **part.models} for name, part in job.file.steps.items()},
    )
