"""The job file: what may stand in it, and what is wrong when something else does.

One pydantic model is the YAML, the Python API and the published JSON Schema. Every mistake is
one line with file, line and column, and the right word where one is near.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pydantic
import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from engine import deadline, jobfile, shipped
from engine.core import JobError
from engine.jobfile import Place, Sheet, did_you_mean
from engine.mistakes import dotted, explain, shown
from engine.mixtures import Languages, quotas_of
from engine.models.command import Serving
from engine.models.rehearsal import Faults
from engine.training.settings import TrainPart
from engine.verdicts import Policy

VERSION = 1
"""Of the format of job files."""
LANGUAGES = "languages"
"""The step that the plan of languages becomes."""
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_NAME = re.compile(r"\w[\w-]{0,99}")
_FOLDER = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")


def _version(given: int) -> int:
    if given != VERSION:
        raise ValueError(f"this engine reads job files of version {VERSION}, found {given}")
    return given


def _folder_name(text: str) -> str:
    if not _FOLDER.fullmatch(text):
        want = "letters, digits, '_', '-' and '.', a Latin letter or a digit first"
        raise ValueError(f"the name of a folder: {want}; found {shown(text)}")
    return text


def _deadline(given: object) -> object:
    if given is not None and not (isinstance(given, str) and deadline.is_one(given)):
        raise ValueError(f"want {deadline.WANTED}, found {shown(given)}")
    return given


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"a name is letters, digits, _ and -, found {shown(text)}")
    return text


Name = Annotated[str, AfterValidator(_name)]
"""What a job calls a model, a source or a step: letters of any script, digits, ``_`` and ``-``."""
Given = TypeVar("Given")
Several = Annotated[list[Given], Field(min_length=1)]


class ModelPart(Serving, extra="forbid", strict=True):
    """A model under a name: which server answers for it, or what is to be served."""

    use: Literal["openai", "auto", "rehearsal"] = "openai"
    """``openai``: the server at ``url``; ``auto``: whatever is there; ``rehearsal``: none."""
    url: str | Several[str] = ""
    """Base URL ending in /v1, or several for replicas. May hold ${VARIABLES}."""
    model: str = ""
    """The name that the server knows the model by."""
    api_key: str = Field(default="", repr=False)
    """May hold ${VARIABLES}, and should."""
    max_concurrent: int = Field(default=512, ge=1)
    """Calls in flight per replica, at most: how many make sense is found while it runs."""
    requests_per_minute: int = Field(default=0, ge=0)
    """What a hosted endpoint allows, all replicas together; 0: no limit."""
    tokens_per_minute: int = Field(default=0, ge=0)
    """The same for tokens in and out."""
    timeout_s: float = Field(default=600, gt=0)
    """Seconds to wait for one reply."""
    sampling: dict[str, Any] = Field(default_factory=dict)
    """Sampling fields that win over those of the prompts."""
    licence: str = ""
    """Licence or terms of what it writes, best as SPDX identifier; guessed by name where empty."""
    faults: Faults = Faults()
    """Only with ``use: rehearsal``."""


class Part(BaseModel, extra="forbid", strict=True):
    """``use`` a part ``with`` its settings."""

    use: str
    settings: dict[str, Any] = Field(default_factory=dict, alias="with")


class SourcePart(Part):
    """Where seeds come from."""

    name: Name | Literal[""] = ""
    """What steps call it in ``from``; ``source`` where there is only one."""
    weight: float = Field(default=1, gt=0)
    """Its share of a round's seeds, relative to other sources."""


class StepPart(Part, Policy):
    """A generator, filter, verifier or pass; for a check also what follows from its verdicts."""

    reads: str | Several[str] = Field(default_factory=list, alias="from")
    """Sources or steps whose records it gets; the step above where left out."""
    models: dict[str, str] = Field(default_factory=dict)
    """Role -> model; a role left out goes to the model of that name, or to the only one."""


class TargetPart(BaseModel, extra="forbid", strict=True):
    """When there is enough."""

    accepted: int = Field(default=0, ge=0)
    """Exactly so many records come out; 0: all there are."""
    candidates: int = Field(default=0, ge=0)
    """At most so many seeds are started; 0: no bound."""
    round: int = Field(default=0, ge=0)
    """Seeds in one round; 0: as many as the yield so far suggests."""


class RunPart(BaseModel, extra="forbid", strict=True):
    """How to run: never part of what comes out."""

    in_flight: int = Field(default=256, ge=1)
    """Seeds that grow at the same time."""
    shards: int = Field(default=1, ge=1, le=256)
    """Processes that grow the seeds, cut by id; more than one where one processor is too slow."""
    max_error_rate: float = Field(default=0.05, ge=0, le=1)
    """The run stops when a larger share of seeds fails."""
    deadline: Annotated[str | None, BeforeValidator(_deadline)] = None
    """When it must be over: a duration (8h, 90m), the next 06:30 of the clock, or a date and time
    (2026-11-20T06:30); it winds down in time to finish what it has started."""
    max_hours: float = Field(default=0, ge=0)
    """Hours in which seeds grow, over all starts in a folder, after which it ends; 0: no bound."""
    max_tokens: int = Field(default=0, ge=0)
    """Tokens in and out, over all starts in a folder, after which it ends; 0: no bound."""
    grace_s: float = Field(default=30, gt=0)
    """Seconds that calls on their way are waited for when the run winds down."""

    @property
    def deadline_s(self) -> float:
        """Seconds from now to the deadline, negative where it is past; 0: there is none."""
        now = datetime.now().astimezone()
        return deadline.seconds_left(self.deadline, now) if self.deadline else 0.0


class JobFile(BaseModel, extra="forbid", strict=True):
    """A job."""

    version: Annotated[int, AfterValidator(_version)] = VERSION
    """Of the format of job files."""
    job: Annotated[str, AfterValidator(_folder_name)]
    """Its name, and that of its folder under outputs/."""
    seed: int = 0
    """Of every random draw."""
    models: dict[Name, ModelPart] = Field(default_factory=dict)
    """None where no step asks one."""
    source: SourcePart | Several[SourcePart]
    steps: dict[Name, StepPart] = Field(min_length=1)
    train: TrainPart | None = None
    """Models that learn between rounds; none does where left out."""
    target: TargetPart = TargetPart()
    languages: Languages | None = None
    """Accepted records by language: tag -> share, or another plan; the last step realises it."""
    sink: Part | Several[Part] = Part(use="parquet")
    run: RunPart = RunPart()

    @pydantic.model_validator(mode="after")
    def _quotas(self) -> JobFile:
        """The plan of ``languages`` as a step behind all that nothing else reads."""
        if self.languages:
            if LANGUAGES in self.steps:
                raise ValueError(f"a step is called {LANGUAGES!r}, as the one of `languages:` is")
            read = {name for step in self.steps for name in self.reads(step)}
            said = quotas_of(self.languages, self.target.accepted, sorted({*self.steps} - read))
            self.steps[LANGUAGES] = StepPart.model_validate(said)
        return self

    def reads(self, step: str) -> list[str]:
        """The steps or named sources that a step reads from; none: all sources."""
        if given := self.steps[step].reads:
            return [given] if isinstance(given, str) else given
        order = list(self.steps)
        return order[: order.index(step)][-1:]


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

    def place_of_source(self, i: int) -> Place:
        """Where the ``i``-th source stands in the file."""
        return ("source", i) if isinstance(self.file.source, list) else ("source",)

    @property
    def sinks(self) -> list[Part]:
        """Its sinks."""
        return self.file.sink if isinstance(self.file.sink, list) else [self.file.sink]

    def reads(self, step: str) -> list[str]:
        """The names that a step reads from."""
        return self.file.reads(step) or [source.name for source in self.sources]

    def error(self, place: Place, why: str, *, key: bool = False) -> JobError:
        """An error that says where in the file."""
        return JobError(f"{self.sheet.at(place, key=key)}: {dotted(place)}: {why}")

    def expand(self, text: str, place: Place) -> str:
        """``${VARIABLE}`` replaced from the environment.

        Raises:
            JobError: the variable is not set, or is not written so.
        """

        def value(found: re.Match[str]) -> str:
            if found[1] not in self.environment:
                raise self.error(place, f"the environment variable {found[1]} is not set")
            return self.environment[found[1]]

        if "${" in _VARIABLE.sub("", text):
            raise self.error(place, "a variable is written ${NAME}: letters, digits and _")
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
    """The file that a name on the command line stands for."""
    path, jobs = Path(name), {p.stem: p for p in sorted(shipped.JOBS.glob("*.yaml"))}
    try:
        there = path.exists()
    except OSError:  # a name longer than file systems allow
        there = False
    if name in jobs and not path.is_file():
        return jobs[name]
    if not there:
        what = "no such file" if path.suffix in (".yaml", ".yml") else "no such file or shipped job"
        raise JobError(f"{name}: {what}; {did_you_mean(path.stem, list(jobs))}")
    return path


def _override(sheet: Sheet, change: str) -> None:
    """Apply ``a.b=c`` to the value of the sheet; what it says is checked with the rest."""
    path, sign, text = change.partition("=")
    if not (sign and all(path.split("."))):
        raise JobError(f"--set {change}: write it as a.b=value")
    *above, last = path.split(".")
    here: Any = sheet.value
    place: Place = ()
    for name in above:
        made = isinstance(here, dict) and here.get(name) is None
        key = _key(here, name, place, change)
        here, place = here[key], (*place, key)
        if made:
            sheet.changes[place] = f"--set {change}"
    try:
        value = jobfile.parse(f"v: {text}", "").value["v"]
    except JobError as error:
        why = re.sub(r"^[:\d]+ ", "", str(error))
        raise JobError(f"--set {change}: {why}") from error
    if not isinstance(here, dict | list):
        raise JobError(f"--set {change}: there is nothing to set {last!r} in")
    end: Any = _key(here, last, place, change) if isinstance(here, list) else last
    here[end] = value
    sheet.changes[(*place, end)] = f"--set {change}"


def _key(here: Any, name: str, place: Place, change: str) -> Any:
    """The key for a name in a change; a mapping is made where there is nothing under it yet."""
    if isinstance(here, list) and name in map(str, range(len(here))):
        return int(name)
    named = place in (("models",), ("steps",))  # a key here is a name: a new one is a mistake
    if isinstance(here, dict) and (name in here or not named):
        if here.get(name) is None:
            here[name] = {}
        return name
    if isinstance(here, list | dict):
        known = here if isinstance(here, dict) else range(len(here))
        why = did_you_mean(name, list(map(str, known)))
    else:
        why = f"it is {shown(here)}"
    raise JobError(f"--set {change}: there is no {name!r} in {dotted(place)}; {why}")


def _no_variables(sheet: Sheet) -> None:
    for place, text in _strings(sheet.value):
        allowed = place[0] == "models" and len(place) > 2 and place[2] in ("url", "api_key")
        if not allowed and (found := _VARIABLE.search(text)):
            why = f"{found[0]} is replaced only in a model's url and api_key"
            raise JobError(f"{sheet.at(place, key=text == place[-1])}: {dotted(place)}: {why}")


def _strings(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (*place, key), key
            yield from _strings(inner, (*place, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _strings(inner, (*place, i))


def _check_names(job: Job) -> None:
    """Every name that a step reads from, and every model, exists; no name stands for two things."""
    sources = _source_names(job)
    for step, part in job.file.steps.items():
        for i, name in enumerate(job.reads(step)):
            if name not in sources and name not in job.file.steps:
                listed = (i,) if isinstance(part.reads, list) else ()
                place: Place = ("steps", step, "from", *listed)
                near = did_you_mean(name, [*sources, *job.file.steps])
                raise job.error(place, f"no source or step is called {name!r}; {near}")
        for role, model in part.models.items():
            if model not in job.file.models:
                near = did_you_mean(model, list(job.file.models))
                place = ("steps", step, "models", role)
                raise job.error(place, f"no model is called {model!r}; {near}")


def _source_names(job: Job) -> list[str]:
    names: list[str] = []
    for i, source in enumerate(job.sources):
        place = job.place_of_source(i)
        if not source.name:
            raise job.error(place, "each of several sources needs a `name`")
        if source.name in names:
            raise job.error((*place, "name"), f"another source is called {source.name!r}, too")
        if source.name in job.file.steps:
            why = f"a source is called {source.name!r}, too; give it another `name`"
            raise job.error(("steps", source.name), why, key=True)
        names.append(source.name)
    return names
