"""A job's part with its settings: found by its name, its settings checked, each mistake placed.

A generator that the job declares itself is built here, from its settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from engine import parts
from engine.core import JobError
from engine.declared import Declared, Misplaced, Site
from engine.job import Job, Part
from engine.jobfile import Place
from engine.kit import REPAIR, Filter, Pass, Policy
from engine.mistakes import explain
from engine.prompting import Library


@dataclass(frozen=True, slots=True)
class Bound:
    """A part with its checked settings."""

    kind: Any
    params: Any


def bind(job: Job, place: Place, part: Part, packages: tuple[str, ...], key: str = "use") -> Bound:
    """A part from these packages; ``key`` is where its name stands.

    Raises:
        JobError: there is none, or a setting is wrong, with file, line and column.
    """
    try:
        kind = parts.find(part.use, packages, job.base)
    except JobError as error:
        raise job.error((*place, key), str(error)) from error
    model: type[BaseModel] = kind.params
    try:
        params = model.model_validate(part.settings, context={"base": job.base})
    except ValidationError as error:
        raise JobError(explain(job.sheet, (*place, "with"), model, error)) from error
    return Bound(kind, params)


def _declared(job: Job, library: Library, name: str, bound: Bound) -> Bound:
    """A generator that the step's settings make."""
    place: Place = ("steps", name)

    def check(use: str, settings: Mapping[str, Any], below: Place) -> tuple[Any, BaseModel]:
        part = Part.model_validate({"use": use, "with": settings})
        found = bind(job, (*place, "with", *below), part, parts.CHECKS, key="check")
        return found.kind, found.params

    try:
        return replace(bound, kind=bound.kind.build(bound.params, Site(name, library, check)))
    except Misplaced as error:
        raise job.error((*place, "with", *error.place), error.why) from error


def bind_step(job: Job, library: Library, name: str) -> Bound:
    """A step with what its policy asks for.

    Raises:
        JobError: whatever is wrong, with file, line and column.
    """
    part = job.file.steps[name]
    bound = bind(job, ("steps", name), part, parts.STEPS)
    if isinstance(bound.kind, Declared):
        bound = _declared(job, library, name, bound)
    said = [field for field in Policy.model_fields if field in part.model_fields_set]
    if isinstance(bound.kind, Pass):
        if wrong := next((field for field in said if field != "on_fail"), ""):
            raise job.error(("steps", name, wrong), f"{wrong} is not for passes", key=True)
        if part.on_fail == "repair":
            why = "a pass decides over all records, and none of them alone could be repaired"
            raise job.error(("steps", name, "on_fail"), why)
    elif said and not isinstance(bound.kind, Filter):
        why = f"{said[0]} is for checks; {part.use} is a generator"
        raise job.error(("steps", name, said[0]), why, key=True)
    if part.on_fail == "repair":
        asks = replace(bound.kind, prompts=(*bound.kind.prompts, REPAIR))
        bound = replace(bound, kind=asks)
    return bound
