"""What a reading verb tells, as JSON values: a job's plan, a preview, a run and its records.

Each function returns what ``--json`` prints; ``engine.showing`` turns the same values into text
for people, so the two cannot tell different stories.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from engine import jobfile, outlook, rounds, serving
from engine.connect import connect
from engine.core import REHEARSAL, Drop, JobError, Record
from engine.job import Job
from engine.ledger import FILE, Ledger
from engine.models.journal import Said
from engine.plan import Plan
from engine.result import DATASET
from engine.rounds import End
from engine.session import OUTPUTS, Preview
from engine.session import load as load_job
from engine.wiring import Wiring, plan, wire

Value = dict[str, Any]


# -- a job ----------------------------------------------------------------------------------


async def check(job: Job, *, rehearse: bool = False) -> Value:
    """The job's plan, with everything tried that costs no call.

    Raises:
        JobError: something is wrong with it.
    """
    wiring = wire(job)
    answerers = await connect(job, wiring.models_used(), rehearse=rehearse)
    try:
        wired = plan(wiring, {name: answerer.chat for name, answerer in answerers.items()})
    finally:
        for answerer in answerers.values():
            await answerer.close()
    return {
        "job": job.name,
        "file": job.sheet.path,
        "folder": str(OUTPUTS / job.name),
        "models": {name: answerer.why for name, answerer in answerers.items()},
        "sources": [_source(wiring, wired, i) for i in range(len(wired.feeds))],
        "stages": [_stage(wiring, names) for names in wiring.stages if names],
        "target": job.file.target.model_dump(),
        "first_round": {n: feed["count"] for n, feed in rounds.feeds(wired, [], 0).items()},
        "turns": [] if rehearse else _turns(wiring),
        "calls_per_seed": _calls_per_seed(OUTPUTS / job.name),
        "sinks": [{"use": part.use, **part.settings} for part in job.sinks],
        "prompts": wiring.prompts(),
    }


def _source(wiring: Wiring, wired: Plan, index: int) -> Value:
    part, feed = wiring.job.sources[index], wired.feeds[index]
    params = wiring.sources[part.name].params
    about = {"name": part.name, "use": part.use, "endless": feed.endless, "weight": part.weight}
    about["licence"] = str(getattr(params, "licence", ""))
    if any(isinstance(value, Path) for _, value in params):  # not what may have to be downloaded
        with contextlib.closing(_closable(feed.read(0, 0, lambda step: iter(())))) as seeds:
            first = next(seeds, None)
        if first is None:
            raise JobError(f"{wiring.job.sheet.path}: the source {part.name!r} has no seeds")
        about["first"] = plain(first)
    return about


def _closable(seeds: Iterator[Record]) -> Any:
    """The seeds as a generator, whatever iterator the source returned."""
    return (seed for seed in seeds)


def _turns(wiring: Wiring) -> list[Value]:
    """Served models that do not fit together, and how they share their devices."""
    asked = [{n: list(wiring.roles[n].values()) for n in names} for names in wiring.stages if names]
    return serving.turns(wiring.job, wiring.models_used(), asked)


def _stage(wiring: Wiring, names: list[str]) -> list[Value]:
    return [
        {
            "name": name,
            "use": wiring.job.file.steps[name].use,
            "kind": type(wiring.steps[name].kind).__name__.lower(),
            "from": wiring.job.reads(name),
            "roles": dict(wiring.roles[name]),
        }
        for name in names
    ]


def _calls_per_seed(folder: Path) -> float | None:
    """As the run in this folder has shown; None where there is none."""
    if not (folder / FILE).is_file():
        return None
    with contextlib.closing(Ledger(folder)) as ledger:
        done, _ = ledger.seeds()
        return sum(row[2] for row in ledger.called()) / done if done else None


def preview(shown: Preview, n: int, *, calls: bool) -> Value:
    """What a few seeds came to; every call with its messages and reply where ``calls`` is set."""
    value: Value = {
        "answers": dict(shown.answers),
        "seeds": n,
        "calls": len(shown.calls),
        "tokens_in": sum(said.tokens_in for said in shown.calls),
        "tokens_out": sum(said.tokens_out for said in shown.calls),
        "records": [plain(record) for record in shown.records],
        "drops": [_drop(step, drop) for step, drop in shown.drops],
        "failures": shown.failures,
    }
    return value | ({"asked": [call(said) for said in shown.calls]} if calls else {})


# -- a run ----------------------------------------------------------------------------------


def folder_of(name: str) -> Path:
    """The folder of a run: itself, ``outputs/NAME``, or that of a job file.

    Raises:
        JobError: there is no run there.
    """
    for folder in (Path(name), OUTPUTS / name):
        if (folder / FILE).is_file():
            return folder
    if Path(name).suffix in (".yaml", ".yml") and Path(name).is_file():
        folder = OUTPUTS / load_job(name).name
        if (folder / FILE).is_file():
            return folder
        raise JobError(f"{name} has not been run yet (there is no {folder / FILE})")
    raise JobError(f"no run in {name} nor in {OUTPUTS / name} (looked for {FILE})")


def runs() -> list[Path]:
    """The folders below ``outputs`` that hold a run."""
    return sorted(path.parent for path in OUTPUTS.glob(f"*/{FILE}"))


def status(folder: Path) -> Value:
    """Where a run stands."""
    with contextlib.closing(Ledger(folder)) as ledger:
        done, failed = ledger.seeds()
        target, accepted = int(ledger.meta("target") or 0), ledger.waiting("")
        ended, running = ledger.meta("end"), is_running(folder)
        return {
            "folder": str(folder),
            "job": ledger.meta("name"),
            "running": running,
            "end": End[ended].value if ended and not running else None,
            "bound": (ledger.meta("bound") or "") if ended == "BUDGET" else "",
            "batch": orjson.loads(ledger.meta("batch") or "null") if ended == "WAITING" else None,
            "target": target,
            "accepted": min(accepted, target) if target else accepted,
            "surplus": max(0, accepted - target) if target else 0,
            "lacks": outlook.lacks(ledger),
            "rehearsal": is_rehearsal(ledger),
            "rounds": len(ledger.rounds()),
            "seeds_done": done,
            "seeds_failed": failed,
            "last_error": _last_error(ledger),
            "answers": orjson.loads(ledger.meta("answers") or "{}"),
            "steps": list(_steps(ledger)),
            "calls": [_called(row) for row in ledger.called()],
            "needs": outlook.needs(ledger),
            "dataset": _there(folder / DATASET),
            "report": _there(folder / "report.html"),
        }


def _last_error(ledger: Ledger) -> str | None:
    """What the last failed seed failed with: its one line, or the last of a traceback."""
    errors = [str(failure["error"]) for failure in ledger.failures()]
    return errors[-1].strip().splitlines()[-1] if errors else None


def is_running(folder: Path) -> bool:
    """Whether a process holds the run."""
    try:
        with (folder / ".lock").open(encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is no lock, or it cannot be asked: then nobody can be told to hold it
        return False
    return False


def is_rehearsal(ledger: Ledger) -> bool:
    """Whether the embedded model answered, here or in the run that the first record is from."""
    if any(model == REHEARSAL for model, *_ in ledger.called()):
        return True
    first = next(ledger.accepted(1), None)
    if first is None:
        first = next((drop.record for _, drop in ledger.drops(limit=1)), None)
    return first is not None and first.rehearsed


def _there(path: Path) -> str | None:
    return str(path) if path.exists() else None


def _steps(ledger: Ledger) -> Iterator[Value]:
    """What each step let through, in the job's order."""
    tallies = ledger.tallies()
    job = jobfile.parse(ledger.meta("job") or "steps: {}", str(ledger.path)).value
    for name in [*job["steps"], *(tallies.keys() - job["steps"].keys())]:
        entered, kept, dropped = tallies.get(name, (0, 0, 0))
        yield {"step": name, "in": entered, "kept": kept, "dropped": dropped}


def _called(row: tuple[str, str, int, int, int, float]) -> Value:
    names = ("model", "prompt", "calls", "tokens_in", "tokens_out", "seconds")
    return dict(zip(names, row, strict=True))


def failures(folder: Path) -> list[Value]:
    """Seeds that failed, with all of each error."""
    with contextlib.closing(Ledger(folder)) as ledger:
        return list(ledger.failures())


def retry(folder: Path) -> Value:
    """Put failed seeds back in line."""
    with contextlib.closing(Ledger(folder, write=True)) as ledger:
        job = ledger.meta("file") or ledger.meta("name") or ""
        return {"folder": str(folder), "job": job, "retried": ledger.retry()}


def drops(folder: Path, step: str, reason: str, n: int) -> Value:
    """How many drops there are of which reason, and the first ``n`` of them."""
    with contextlib.closing(Ledger(folder)) as ledger:
        counts: dict[tuple[str, str], int] = {}
        for at, why, _, count in ledger.reasons():
            if step in ("", at) and reason in ("", why):
                counts[at, why] = counts.get((at, why), 0) + count
        return {
            "counts": [{"step": a, "reason": w, "count": c} for (a, w), c in counts.items()],
            "drops": [_drop(at, drop) for at, drop in ledger.drops(step, reason, n)],
        }


def _drop(step: str, drop: Drop) -> Value:
    about = {"step": step, "reason": drop.reason, "detail": drop.detail}
    return {**about, "record": plain(drop.record)}


def record(folder: Path, id_: str) -> Value:
    """A record with its lineage: every step it passed, and every call with question and answer.

    Raises:
        JobError: no record's id begins so, or several do.
    """
    with contextlib.closing(Ledger(folder)) as ledger:
        found = ledger.find(id_)
        ids = sorted({each.id for *_, each in found})
        if len(ids) > 1 and id_ not in ids:
            raise JobError(f"{len(ids)} records have ids that begin so: {', '.join(ids)}")
        places = [each for each in found if each[-1].id in (id_, *ids[:1])]
        if not places:
            raise JobError(f"no record in {folder} has an id that begins with {id_!r}")
        # it was written down after each stage, in order: the last of the longest says most
        *_, (_, at, why, detail, last) = sorted(places, key=lambda each: len(each[-1].lineage))
        said = {each.key: each for each in _calls(ledger, last)}
        return {
            "record": plain(last),
            "accepted": any(to == "" for _, to, *_ in places),
            "waits_for": at or None,
            "dropped": {"reason": why, "detail": detail} if why else None,
            "lineage": [_hop(hop, said) for hop in last.lineage],
        }


def _calls(ledger: Ledger, of: Record) -> Iterable[Said]:
    return ledger.calls([each.key for hop in of.lineage for each in hop.calls])


def _hop(hop: Any, said: dict[str, Said]) -> Value:
    calls = [call(said[each.key]) if each.key in said else plain(each) for each in hop.calls]
    verdict = plain(hop.verdict) if hop.verdict else None
    return {"step": hop.step, "parent": hop.parent, "calls": calls, "verdict": verdict}


def call(said: Said) -> Value:
    """A journalled call: question and answer."""
    about: Value = {
        "prompt": said.prompt,
        "role": said.role,
        "model": said.model,
        "key": said.key,
        "tokens_in": said.tokens_in,
        "tokens_out": said.tokens_out,
        "seconds": said.seconds,
        "truncated": bool(said.truncated),
        "max_tokens": said.max_tokens,
    }
    return {**about, **orjson.loads(said.asked), "reply": said.text}


def plain(value: Any) -> Value:
    """A record or a part of one as JSON."""
    return dict(orjson.loads(orjson.dumps(value)))
