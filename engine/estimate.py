"""What a job will take, before it is run: calls, tokens, hours, disk, and how sure that is.

A sample of its seeds goes through the whole job in a temporary folder, answered by the rehearsal
model (or, to measure, by the real one); or the ledger of an earlier run of the same job tells.
Everything is counted per seed and scaled to the target in the rounds that a run would take. The
interval of each figure is the bootstrap's over the seeds of the sample: it says how far chance
in that sample may be off, not how unlike the real model the rehearsal is. That is why each
figure says as well what it rests on, and in a word how sure it is.

What it does not know: whether later rounds yield less than the first (a pool that has been
grown from finds less that is new), and how well a server holds its speed.
"""

from __future__ import annotations

import contextlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from engine import rounds
from engine.core import Drop, JobError, ModelError, Record
from engine.job import RunPart
from engine.ledger import FILE, Ledger
from engine.models.chat import Reply, Request
from engine.models.journal import Said
from engine.session import Job
from engine.wiring import Wiring, fingerprint, plan, wire

SURE = ("low", "fair", "high")
WIDTHS = {"high": 0.1, "fair": 0.3}
"""How far the interval of a figure that is so sure may reach from it, as a share of it."""
DRAWS = 400
"""Samples of the bootstrap; 2.5 % of 400 is 10 on either side."""
MOST_SEEDS = 1_000_000
"""Seeds of a source that are counted, and after which a target is held to be out of reach."""
ROW, PAGES = 150, 1.15
"""Bytes of a row beside its text, and what pages and indices add: by the ledger of a rehearsal
of 2,000 seeds."""
Value = dict[str, Any]


@dataclass(slots=True)
class Asked:
    """What one model was asked with one prompt in the sample."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    most_out: int = 0
    """Tokens that the replies could have had: each call's ``max_tokens``; its reply without one."""
    bounded: bool = True
    """Whether every call had such a limit."""

    def add(self, said: Said) -> None:
        """Count a call."""
        self.calls += 1
        self.tokens_in += said.tokens_in
        self.tokens_out += said.tokens_out
        self.most_out += said.max_tokens or said.tokens_out
        self.bounded = self.bounded and said.max_tokens > 0


@dataclass(slots=True)
class Sample:
    """What some seeds came to, however they were run."""

    of: str
    """``rehearsal``, ``measured`` or ``run``."""
    why: str
    """What the figures rest on, in words."""
    seeds: int
    failed: int
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Seed -> calls that its family made."""
    accepted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    asked: dict[tuple[str, str], Asked] = field(default_factory=lambda: defaultdict(Asked))
    """(model of the job, prompt) -> what it was asked."""
    call_bytes: int = 0
    record_bytes: int = 0
    accepted_bytes: int = 0
    seconds: float = 0.0
    """How long the model was at work; 0 where that says nothing of the real one."""

    @property
    def rehearsed(self) -> bool:
        """Whether no real model answered."""
        return self.of == "rehearsal"

    @property
    def all_calls(self) -> int:
        """Calls of all seeds, those included that no outcome names (retries, failed seeds)."""
        return sum(asked.calls for asked in self.asked.values())

    def table(self) -> np.ndarray[Any, Any]:
        """(calls, accepted) of each seed; calls that no outcome names are spread over all."""
        ids = sorted(self.calls.keys() | self.accepted.keys())
        rows = [(self.calls.get(i, 0), self.accepted.get(i, 0)) for i in ids]
        rows += [(0, 0)] * max(0, self.seeds - len(rows))
        table = np.array(rows or [(0, 0)], dtype=float)
        table[:, 0] += (self.all_calls - table[:, 0].sum()) / len(table)
        return table


# -- samples --------------------------------------------------------------------------------


def sample(job: Job, n: int, *, measure: bool) -> Sample:
    """Run ``n`` seeds through everything in a temporary folder.

    Raises:
        JobError: the job is wrong, or no seed came through.
    """
    wiring = wire(job)
    unbounded = _unbounded(job)
    shown = unbounded.preview(n, rehearse=not measure)
    if not shown.records and not shown.drops:
        errors = [str(f["error"]).strip().splitlines()[-1] for f in shown.failures]
        raise JobError(
            f"no seed of the sample came through: {errors[-1] if errors else 'no seeds'}"
        )
    rehearsed = any(r.rehearsed for r in (*shown.records, *(d.record for _, d in shown.drops)))
    seeds = {_seed(r) for r in (*shown.records, *(d.record for _, d in shown.drops))}
    found = Sample(
        "rehearsal" if rehearsed else "measured",
        f"{n} seeds answered by {'the rehearsal model' if rehearsed else 'the real model'}",
        seeds=min(n, max(len(seeds) + len(shown.failures), 1)),
        failed=len(shown.failures),
        seconds=0.0 if rehearsed else shown.grown_s,
    )
    _count(found, wiring, shown.records, shown.drops, shown.calls)
    return found


def _unbounded(job: Job) -> Job:
    """The job without its budgets: they are what an estimate is made to set."""
    run = RunPart(in_flight=job.file.run.in_flight, max_error_rate=1.0)
    return replace(job, file=job.file.model_copy(update={"run": run}))


def earlier(job: Job, folder: Path) -> Sample | None:
    """What an earlier run of the same job with a real model tells; ``None`` where there is none."""
    if not (folder / FILE).is_file():
        return None
    wiring = wire(job)
    with contextlib.closing(Ledger(folder)) as ledger:
        done, failed = ledger.seeds()
        first = next(ledger.accepted(1), None)
        if first is None or first.rehearsed or not _same(wiring, ledger):
            return None
        found = Sample(
            "run", f"{done + failed:,} seeds of the run in {folder}", done + failed, failed
        )
        found.seconds = float(ledger.meta("grown_s") or 0)
        _count(found, wiring, ledger.accepted(), ledger.drops(), ledger.calls())
        return found


def _same(wiring: Wiring, ledger: Ledger) -> bool:
    """Whether the ledger is of this job, but for its models and its target."""
    was, now = orjson.loads(ledger.meta("fingerprint") or "{}"), fingerprint(wiring, {})
    marks = ({k: v for k, v in m.items() if _decides(k)} for m in (was, now))
    return next(marks) == next(marks)


def _decides(mark: str) -> bool:
    return not mark.startswith(("models", "target", "seed"))


def _count(
    found: Sample,
    wiring: Wiring,
    records: Iterable[Record],
    drops: Iterable[tuple[str, Drop]],
    calls: Iterable[Said],
) -> None:
    """Read what the seeds came to; each call once, however many records it led to."""
    step_of: dict[str, str] = {}
    outcomes = chain(((r, 1) for r in records), ((drop.record, 0) for _, drop in drops))
    for record, kept in outcomes:
        seed, size = _seed(record), len(orjson.dumps(record)) + ROW
        found.accepted[seed] += kept
        found.record_bytes += size
        found.accepted_bytes += size * kept
        for hop in record.lineage:
            fresh = [call.key for call in hop.calls if call.key not in step_of]
            step_of.update(dict.fromkeys(fresh, hop.step))
            found.calls[seed] += len(fresh)
    for said in calls:
        prompt = said.prompt.partition("@")[0]
        found.asked[_model(wiring, step_of.get(said.key, ""), said.role), prompt].add(said)
        found.call_bytes += len(said.asked) + len(said.text.encode()) + ROW


def _seed(record: Record) -> str:
    return record.lineage[0].parent if record.lineage else record.id


def _model(wiring: Wiring, step: str, role: str) -> str:
    """The job's model that played a role: in that step, or where no outcome names it, in any."""
    by_step = [wiring.roles[step]] if step in wiring.roles else list(wiring.roles.values())
    return next((roles[role] for roles in by_step if role in roles), role)


# -- figures --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, the interval that it is in with 95 % confidence, and what it rests on."""

    value: float
    low: float
    high: float | None
    """``None`` where nothing bounds it."""
    basis: str
    sure: str
    """``high``, ``fair`` or ``low``: by the interval, and by what it rests on."""

    def times(self, by: float, basis: str = "", most: str = "high") -> Figure:
        """As many times as much, and at most so sure."""
        high = None if self.high is None else self.high * by
        sure = min(self.sure, most, key=SURE.index)
        return Figure(self.value * by, self.low * by, high, basis or self.basis, sure)


def figures(job: Job, found: Sample, speeds: Mapping[str, float]) -> Value:
    """All that can be said of a job from a sample; ``speeds`` are tokens out a second by model."""
    supply = Supply(wire(_unbounded(job)))
    table = found.table()
    rng, n = np.random.default_rng(0), len(table)  # fixed: the same estimate at every call
    draws = np.array([table[rng.integers(n, size=n)].mean(axis=0) for _ in range(DRAWS)])
    cost, rate = (float(mean) for mean in table.mean(axis=0))
    # what never happened in n trials happens in fewer than 3/n of them, with 95 % confidence
    draws[:, 1] = np.maximum(draws[:, 1], 0.5 / n) if rate else 3 / n
    runs = np.array([supply.seeds(each) for _, each in draws])
    seeds = supply.seeds(rate or 3 / n)
    judged = "verdicts of a rehearsal are drawn, not judged" if found.rehearsed else ""
    none = f"none of {n}, so fewer than 3 of {n}"
    whole = "by the yield of a seed, in the rounds of the job"
    made = supply.accepted(rate, seeds), supply.accepted(draws[:, 1], runs)
    calls = _figure(seeds * cost, runs * draws[:, 0], "seeds times calls a seed", found, "low")
    share = calls.times(1 / max(found.all_calls, 1))
    asked = [_asked(*key, each, share, found) for key, each in sorted(found.asked.items())]
    return {
        "job": job.name,
        "basis": found.why,
        "sample": {"of": found.of, "seeds": found.seeds, "failed": found.failed},
        "target": job.file.target.accepted,
        "accepted_per_seed": _figure(rate, draws[:, 1], judged, found, "low")
        if rate
        else Figure(0, 0, 3 / n, "; ".join(filter(None, (none, judged))), "low"),
        "calls_per_seed": _figure(cost, draws[:, 0], "retries included", found),
        "seeds": _figure(seeds, runs, whole, found, "low"),
        "accepted": _figure(*made, whole, found, "low"),
        "calls": calls,
        "asked": asked,
        "models": {name: _model_of(asked, name) for name in sorted({a["model"] for a in asked})},
        "hours": _hours(asked, speeds),
        "disk_bytes": _disk(found, calls, seeds / n),
    }


def _figure(
    value: float,
    draws: np.ndarray[Any, Any],
    basis: str,
    found: Sample,
    rehearsed: str = "fair",
) -> Figure:
    """A figure with the interval of its draws; of a rehearsal it is at most so sure."""
    low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
    low, high = min(low, value), max(high, value)
    basis = basis or "its share among the seeds of the sample"
    most = rehearsed if found.rehearsed and low < high else "high"
    return Figure(float(value), low, high, basis, _sure(value, low, high, most))


def _sure(value: float, low: float, high: float | None, most: str = "high") -> str:
    """How sure a figure is: by the width of its interval, and at most so."""
    off = math.inf if high is None or not value else max(high - value, value - low) / value
    by_width = next((word for word, width in WIDTHS.items() if off <= width), "low")
    return min(by_width, most, key=SURE.index)


class Supply:
    """How many seeds a job has, and how many a run takes of them."""

    def __init__(self, wiring: Wiring) -> None:
        """Count the seeds of every source that ends."""
        self._plan = plan(wiring, dict.fromkeys(wiring.models_used(), Nobody()))
        target = wiring.job.file.target
        most = target.candidates or MOST_SEEDS
        self._there = {
            feed.name: math.inf
            if feed.endless
            else sum(1 for _ in islice(feed.read(0, 0, lambda step: iter(())), most))
            for feed in self._plan.feeds
        }
        if not target.accepted and not target.candidates and math.inf in self._there.values():
            why = "its source has no end, and `target` sets none: nothing can be estimated"
            raise JobError(f"{wiring.job.sheet.path}: {why}")

    def seeds(self, rate: float) -> float:
        """Seeds that a run takes where each brings ``rate`` records, in its rounds."""
        taken: dict[str, dict[str, Any]] = {}
        while True:
            past = [(taken, True)] if taken else []
            total = sum(each["count"] for each in taken.values())
            if rounds.ending(self._plan, past, int(rate * total), 0) or total >= MOST_SEEDS:
                return float(total)
            wants = rounds.feeds(self._plan, past, int(rate * total))
            taken = {name: self._take(name, taken.get(name), wants) for name in self._there}

    def _take(self, name: str, before: Value | None, wants: Value) -> Value:
        had, there = (before or {}).get("count", 0), self._there[name]
        want = wants.get(name, {"count": 0})["count"]
        count = min(there, had + want if want >= 0 else math.inf)
        return {"count": int(count), "spent": count >= there}

    def accepted(self, rate: Any, seeds: Any) -> Any:
        """Records that come out; no more than the target."""
        return np.minimum(rate * seeds, self._plan.target.accepted or math.inf)


class Nobody:
    """The model of a plan that is only counted."""

    async def chat(self, request: Request) -> Reply:
        """Refuse."""
        raise ModelError("an estimate asks nobody")


def _asked(model: str, prompt: str, each: Asked, share: Figure, found: Sample) -> Value:
    """Calls and tokens of one prompt; of a rehearsal, whose replies are short, the most as well."""
    basis = f"{each.calls / max(found.all_calls, 1):.0%} of the calls of the sample"
    counted = "rough: a token is taken as 4 bytes" if found.rehearsed else "as the server counts"
    out = share.times(each.tokens_out, counted)
    if found.rehearsed:
        most = (share.high or 0) * each.most_out if each.bounded else None
        limit = f"max_tokens {each.most_out / each.calls:,.0f}" if each.bounded else "no max_tokens"
        basis_out = f"rough: replies of a rehearsal are short; at most {limit} a call"
        out = Figure(out.value, out.low, most, basis_out, "low")
    return {
        "model": model,
        "prompt": prompt,
        "calls": share.times(each.calls, basis),
        "tokens_in": share.times(each.tokens_in, counted, "fair" if found.rehearsed else "high"),
        "tokens_out": out,
    }


def _model_of(asked: list[Value], name: str) -> Value:
    """Calls and tokens of one model; its prompts have the same seeds, so bounds add up."""
    mine = [each for each in asked if each["model"] == name]
    return {key: _sum([each[key] for each in mine]) for key in ("calls", "tokens_in", "tokens_out")}


def _sum(parts: list[Figure]) -> Figure:
    highs = [part.high for part in parts if part.high is not None]
    high = sum(highs) if len(highs) == len(parts) else None
    sure = min((part.sure for part in parts), key=SURE.index)
    value, low = sum(part.value for part in parts), sum(part.low for part in parts)
    return Figure(value, low, high, f"the sum of {len(parts)} prompts", sure)


def measured(found: Sample) -> dict[str, float]:
    """Tokens out a second by model, as a sample with the real model has shown; else nothing."""
    out: dict[str, int] = defaultdict(int)
    for (model, _), each in found.asked.items():
        out[model] += each.tokens_out
    return {m: n / found.seconds for m, n in out.items() if n} if found.seconds else {}


def _hours(asked: list[Value], speeds: Mapping[str, float]) -> Value:
    """Hours by model at these tokens out a second; models that share no GPU work side by side."""
    hours: Value = {}
    for model in sorted({each["model"] for each in asked} & speeds.keys()):
        out = _model_of(asked, model)["tokens_out"]
        basis = f"its tokens out at {speeds[model]:,.0f} a second, prompts read on the side"
        hours[model] = out.times(1 / speeds[model] / 3600, basis, "fair")
    return hours


def _disk(found: Sample, calls: Figure, by: float) -> Figure:
    """Bytes of the ledger, and of the dataset before compression."""
    records = found.record_bytes * PAGES + found.accepted_bytes
    per_call = found.call_bytes * PAGES / max(found.all_calls, 1)
    basis = f"{per_call:,.0f} bytes a call, {records / max(len(found.table()), 1):,.0f} a seed"
    part, rest = calls.times(per_call), records * by
    value, low, high = part.value + rest, part.low + rest, (part.high or 0.0) + rest
    most = "low" if found.rehearsed else "high"  # its replies are shorter than real ones
    return Figure(value, low, high, basis, _sure(value, low, high, most))
