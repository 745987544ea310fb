"""``engine estimate``: which sample tells, at which speed, and how it is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine import estimate, showing
from engine.core import JobError
from engine.estimate import Figure
from engine.outlook import roughly
from engine.session import OUTPUTS, Job

Value = dict[str, Any]
MEASURED = "measured"
FIGURES = ("calls", "tokens_in", "tokens_out")


def of(job: Job, seeds: int, speeds: Sequence[str] = (), *, measure: bool = False) -> Value:
    """The estimate of a job: by an earlier run where there is one, else by a sample.

    Args:
        job: from ``engine.load``.
        seeds: how many make the sample.
        speeds: ``2500``, ``writer=2500`` or ``measured``: tokens out a second.
        measure: let the real models answer the sample.

    Raises:
        JobError: the job or a speed is wrong, or nothing has been measured.
    """
    given = _speeds(job, speeds)
    found = None if measure else estimate.earlier(job, OUTPUTS / job.name)
    found = found or estimate.sample(job, seeds, measure=measure)
    known = estimate.measured(found)
    if MEASURED in speeds and not known:
        why = "nothing has been measured: no earlier run with a real model, and no --measure"
        raise JobError(f"--speed measured: {why}")
    value = estimate.figures(job, found, known | given)
    value["speeds"] = {
        model: {"tokens_out_per_s": speed, "from": "given" if model in given else found.why}
        for model, speed in (known | given).items()
    }
    return value


def _speeds(job: Job, words: Sequence[str]) -> dict[str, float]:
    speeds: dict[str, float] = {}
    for word in words:
        name, sign, number = word.rpartition("=")
        if word == MEASURED:
            continue
        if sign and name not in job.file.models:
            raise JobError(f"--speed {word}: no model is called {name!r}")
        try:
            speed = float(number)
        except ValueError:
            speed = 0.0
        if not 0 < speed < float("inf"):
            raise JobError(f"--speed {word}: want N, MODEL=N or measured, N tokens out a second")
        speeds |= dict.fromkeys([name] if sign else job.file.models, speed)
    return speeds


# -- for people -----------------------------------------------------------------------------


def show(value: Value) -> None:
    """Print an estimate: figures with their 95 % intervals, what they rest on, how sure each is."""
    page = showing.page()
    showing.head(page, f"{value['job']}: an estimate by {value['basis']}")
    rows = [
        ("accepted", value["accepted"], _whole),
        ("seeds", value["seeds"], _whole),
        ("accepted a seed", value["accepted_per_seed"], _number),
        ("calls", value["calls"], _whole),
        ("calls a seed", value["calls_per_seed"], _number),
        *((f"time of {model}", hours, _time) for model, hours in value["hours"].items()),
        ("disk", value["disk_bytes"], _bytes),
    ]
    cells = [(name, *_count(each, write), each.sure, each.basis) for name, each, write in rows]
    showing.table(page, [("", "", "95 % interval", "sure", "rests on"), *cells])
    if value["asked"]:
        _tokens(page, value)
    for line in _notes(value):
        showing.out(page, line, "dim")


def _tokens(page: Any, value: Value) -> None:
    """Calls and tokens of each model, and of its prompts where it has several."""
    rows: list[tuple[str, ...]] = []
    for model, whole in value["models"].items():
        mine = [each for each in value["asked"] if each["model"] == model]
        parts = [(f"  {each['prompt']}", each) for each in mine] if len(mine) > 1 else []
        name = model if parts else f"{model} {mine[0]['prompt']}"
        rows += [(label, *_cells(each)) for label, each in [(name, whole), *parts]]
    showing.out(page)
    showing.table(page, [("model and prompt", "calls", "tokens in", "tokens out", "sure"), *rows])


def _cells(each: Mapping[str, Figure]) -> tuple[str, ...]:
    """Calls and tokens, and how sure the least sure of them is."""
    found = [each[name] for name in FIGURES]
    sure = min((figure.sure for figure in found), key=estimate.SURE.index)
    return (*(" ".join(_count(figure, _whole)).strip() for figure in found), sure)


def _notes(value: Value) -> list[str]:
    models = {each["model"] for each in value["asked"]}
    notes = []
    if unknown := sorted(models - value["hours"].keys()):
        notes.append(
            f"hours of {', '.join(unknown)}: no speed is known; give --speed N (tokens out a "
            "second, as the server logs them), or --measure, or run it once"
        )
    if value["sample"]["of"] == "rehearsal" and value["asked"]:
        notes.append(
            "a rehearsal takes 4 bytes for a token and its replies are short: tokens out may be as "
            "many as max_tokens allows; --measure asks the real models"
        )
    given = [name for name, speed in value["speeds"].items() if speed["from"] == "given"]
    if len(value["hours"]) > 1:
        shared = "add them up where models share a GPU; else the longest counts"
        notes.append(f"times: {shared if given else 'measured side by side, the longest counts'}")
    short = value["target"] and value["accepted"].value < value["target"]
    if short:
        notes.append(
            f"the target of {value['target']:,} is not reached: the seeds are spent before"
        )
    return notes


def _count(figure: Figure, write: Callable[[float], str]) -> tuple[str, str]:
    """``1,234`` and ``(1,100 to 1,400)``."""
    high = "?" if figure.high is None else write(figure.high)
    value, low = write(figure.value), write(figure.low)
    return value, "" if value == low == high else f"({low} to {high})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _time(hours: float) -> str:
    return roughly(3600 * hours)


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:,.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return ""
