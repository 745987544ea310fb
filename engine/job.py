"""The job file: what may stand in it, and what is wrong when something else does.

One pydantic model is the YAML, the Python API and the published JSON Schema. Every mistake is
one line with file, line and column, and the right word where one is near.
"""

from __future__ import annotations

import difflib
import os
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from engine import jobfile, shipped
from engine.core import JobError
from engine.jobfile import Place, Sheet
from engine.models.rehearsal import Faults

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_DURATION = re.compile(r"^(?:(\d+(?:\.\d+)?)h)?\s*(?:(\d+(?:\.\d+)?)m)?\s*(?:(\d+(?:\.\d+)?)s)?$")


def _seconds(text: str) -> str:
    if not text or not _DURATION.match(text.strip()):
        raise ValueError("a duration such as 8h, 90m or 1h30m")
    return text


class ModelPart(BaseModel, extra="forbid"):
    """A model under a name: which server answers for it."""

    use: Literal["openai", "auto", "rehearsal"] = "openai"
    """``openai``: the server at ``url``; ``auto``: whatever is there; ``rehearsal``: none."""
    url: str | list[str] = ""
    """Base URL ending in /v1, or several for replicas. May hold ${VARIABLES}."""
    model: str = ""
    """The name that the server knows the model by."""
    api_key: str = Field(default="", repr=False)
    """May hold ${VARIABLES}, and should."""
    max_concurrent: int = Field(default=128, ge=1)
    """Calls in flight per replica."""
    timeout_s: float = Field(default=600, gt=0)
    """Seconds to wait for one reply."""
    sampling: dict[str, Any] = Field(default_factory=dict)
    """Sampling fields that win over those of the prompts."""
    faults: Faults = Faults()
    """Only with ``use: rehearsal``."""


class Part(BaseModel, extra="forbid"):
    """``use`` a part ``with`` its settings."""

    use: str
    settings: dict[str, Any] = Field(default_factory=dict, alias="with")


class SourcePart(Part):
    """Where seeds come from."""

    name: str = ""
    """What steps call it in ``from``; ``source`` where there is only one."""
    weight: float = Field(default=1, gt=0)
    """Its share of a round's seeds, relative to other sources."""


class StepPart(Part):
    """A generator, filter, verifier or pass."""

    reads: str | list[str] = Field(default_factory=list, alias="from")
    """Sources or steps whose records it gets; the step above where left out."""
    models: dict[str, str] = Field(default_factory=dict)
    """Role -> model; a role left out goes to the model of that name, or to the only one."""


class TargetPart(BaseModel, extra="forbid"):
    """When there is enough."""

    accepted: int = Field(default=0, ge=0)
    """Exactly so many records come out; 0: all there are."""
    candidates: int = Field(default=0, ge=0)
    """At most so many seeds are started; 0: no bound."""
    round: int = Field(default=0, ge=0)
    """Seeds in one round; 0: as many as the yield so far suggests."""


class RunPart(BaseModel, extra="forbid"):
    """How to run: never part of what comes out."""

    in_flight: int = Field(default=256, ge=1)
    """Seeds that grow at the same time."""
    max_error_rate: float = Field(default=0.05, ge=0, le=1)
    """The run stops when a larger share of seeds fails."""
    deadline: Annotated[str, AfterValidator(_seconds)] | None = None
    """A duration such as 8h; the run then winds down."""
    max_tokens: int = Field(default=0, ge=0)
    """Tokens in and out after which the run winds down; 0: no bound."""
    grace_s: float = Field(default=30, gt=0)
    """Seconds that calls on their way are waited for when the run winds down."""

    @property
    def deadline_s(self) -> float:
        """The deadline in seconds; 0 where there is none."""
        found = _DURATION.match((self.deadline or "").strip())
        hours, minutes, seconds = (float(n or 0) for n in found.groups()) if found else (0, 0, 0)
        return hours * 3600 + minutes * 60 + seconds


class JobFile(BaseModel, extra="forbid"):
    """A job."""

    version: Literal[1] = 1
    job: str = Field(pattern=r"^[A-Za-z0-9][\w.-]{0,99}$")
    """Its name, and that of its folder under outputs/."""
    seed: int = 0
    """Of every random draw."""
    models: dict[str, ModelPart] = Field(min_length=1)
    source: SourcePart | list[SourcePart]
    steps: dict[str, StepPart] = Field(min_length=1)
    target: TargetPart = TargetPart()
    sink: Part | list[Part] = Part(use="parquet")
    run: RunPart = RunPart()


@dataclass(frozen=True, slots=True)
class Job:
    """A job that has been read and checked for form; ``engine.load`` makes it."""

    file: JobFile
    sheet: Sheet
    base: Path
    """The folder that relative paths in it start from."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The job's name."""
        return self.file.job

    @property
    def sources(self) -> list[SourcePart]:
        """Its sources, each with a name."""
        given = self.file.source if isinstance(self.file.source, list) else [self.file.source]
        if len(given) == 1:
            return [given[0].model_copy(update={"name": given[0].name or "source"})]
        return given

    @property
    def sinks(self) -> list[Part]:
        """Its sinks."""
        return self.file.sink if isinstance(self.file.sink, list) else [self.file.sink]

    def reads(self, step: str) -> list[str]:
        """The names that a step reads from."""
        given = self.file.steps[step].reads
        if given:
            return [given] if isinstance(given, str) else given
        order = list(self.file.steps)
        above = order.index(step) - 1
        return [order[above]] if above >= 0 else [source.name for source in self.sources]

    def error(self, place: Place, why: str, *, key: bool = False) -> JobError:
        """An error that says where in the file."""
        return JobError(f"{self.sheet.at(place, key=key)}: {_dotted(place)}: {why}")

    def expand(self, text: str, place: Place) -> str:
        """``${VARIABLE}`` replaced from the environment.

        Raises:
            JobError: the variable is not set.
        """

        def value(found: re.Match[str]) -> str:
            if found[1] not in self.environment:
                raise self.error(place, f"the environment variable {found[1]} is not set")
            return self.environment[found[1]]

        return _VARIABLE.sub(value, text)


def load(
    path: str | Path, changes: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Job:
    """Read a job file, or a shipped job by its name.

    Args:
        path: a file, or the name of one of the shipped jobs, e.g. ``quickstart``.
        changes: dotted overrides, e.g. ``target.accepted=50``.
        environment: where ``${VARIABLES}`` come from; the process's own by default.

    Raises:
        JobError: anything in it that does not belong; says file, line and column.
    """
    found = _locate(str(path))
    sheet = jobfile.read(found)
    for change in changes:
        _override(sheet, change)
    if changes:  # the card and the ledger repeat the job as it was run
        dumped = yaml.safe_dump(sheet.value, sort_keys=False, allow_unicode=True)
        sheet = replace(sheet, text=dumped)
    _no_variables(sheet)
    try:
        file = JobFile.model_validate(sheet.value)
    except ValidationError as error:
        raise JobError(explain(sheet, (), JobFile, error)) from error
    job = Job(file, sheet, found.parent, os.environ if environment is None else environment)
    _check_names(job)
    return job


def _locate(name: str) -> Path:
    path = Path(name)
    shipped_jobs = {p.stem: p for p in sorted(shipped.JOBS.glob("*.yaml"))}
    if path.is_file() or name not in shipped_jobs:
        if not path.exists() and path.suffix not in (".yaml", ".yml"):
            near = difflib.get_close_matches(name, shipped_jobs, n=1)
            hint = (
                f"did you mean {near[0]!r}?" if near else "shipped are " + ", ".join(shipped_jobs)
            )
            raise JobError(f"no job {name!r}: neither a file nor a shipped job; {hint}")
        return path
    return shipped_jobs[name]


def _override(sheet: Sheet, change: str) -> None:
    """Apply ``a.b=c`` to the value of the sheet; what it says is checked with the rest."""
    dotted, sign, text = change.partition("=")
    if not sign or not dotted:
        raise JobError(f"--set {change}: write it as a.b=value")
    *above, last = dotted.split(".")
    here: Any = sheet.value
    for name in above:
        key: Any = int(name) if isinstance(here, list) and name.isdigit() else name
        try:
            here = here[key] if isinstance(here, list) else here.setdefault(key, {})
        except (IndexError, TypeError) as error:
            raise JobError(f"--set {change}: there is no {name!r} in the job") from error
    value = jobfile.parse(f"v: {text}", f"--set {change}").value["v"]
    if isinstance(here, list) and last.isdigit() and int(last) < len(here):
        here[int(last)] = value
    elif isinstance(here, dict):
        here[last] = value
    else:
        raise JobError(f"--set {change}: there is nothing to set {last!r} in")


def _no_variables(sheet: Sheet) -> None:
    for place, value in _strings(sheet.value):
        allowed = place[0] == "models" and len(place) > 2 and place[2] in ("url", "api_key")
        if not allowed and (found := _VARIABLE.search(value)):
            raise JobError(
                f"{sheet.at(place)}: {_dotted(place)}: {found[0]} is replaced only in a model's "
                "url and api_key"
            )


def _strings(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, (*place, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _strings(inner, (*place, i))


def _check_names(job: Job) -> None:
    """Every name that a step reads from, and every model, exists; no name stands for two things."""
    sources = [source.name for source in job.sources]
    for i, name in enumerate(sources):
        if not name or name in sources[:i] or name in job.file.steps:
            raise job.error(("source", i), "each of several sources needs a `name` of its own")
    known = [*sources, *job.file.steps]
    for step, part in job.file.steps.items():
        for name in job.reads(step):
            if name not in known:
                raise job.error(
                    ("steps", step, "from"), f"nothing is called {name!r}; {_near(name, known)}"
                )
        for role, model in part.models.items():
            if model not in job.file.models:
                why = f"no model is called {model!r}; {_near(model, list(job.file.models))}"
                raise job.error(("steps", step, "models", role), why)


def explain(sheet: Sheet, above: Place, model: type[BaseModel], error: ValidationError) -> str:
    """The first mistake that pydantic found, as one line."""
    first = error.errors()[0]
    inside = tuple(part for part in first["loc"] if not _is_branch(part))
    place = (*above, *inside)
    if first["type"] == "extra_forbidden":
        known = _fields(model, inside[:-1])
        why = f"unknown key {inside[-1]!r}; {_near(str(inside[-1]), known)}"
        return f"{sheet.at(place, key=True)}: {_dotted(place)}: {why}"
    if first["type"] == "missing":
        return f"{sheet.at(place[:-1])}: {_dotted(place)}: is missing"
    why = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    if isinstance(given, str | int | float | bool | None) and first["type"] != "value_error":
        why += f", not {given!r}"
    return f"{sheet.at(place)}: {_dotted(place)}: {why}"


def _is_branch(part: str | int) -> bool:
    """Whether this is pydantic's name for a branch of a union and not a key of the file."""
    return isinstance(part, str) and (
        part in ("str", "int", "float", "bool", "SourcePart", "Part") or "[" in part
    )


def _fields(model: Any, place: Place) -> list[str]:
    """The keys that may stand at a place of the model."""
    if typing.get_origin(model) is not None:
        inner = [arg for arg in typing.get_args(model) if arg is not type(None)]
        deeper = place[1:] if typing.get_origin(model) in (dict, list) else place
        return [name for arg in inner for name in _fields(arg, deeper)]
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    fields = {f.alias or name: f.annotation for name, f in model.model_fields.items()}
    return _fields(fields.get(str(place[0])), place[1:]) if place else list(fields)


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"


def _dotted(place: Place) -> str:
    return ".".join(map(str, place)) or "the job"
