"""A job, checked against the parts it names and turned into a plan.

Everything that can be wrong is found here, before the first model call: unknown parts and
settings, roles without a model, circles, missing files, prompts that do not fit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import orjson

from engine import parts, shipped
from engine.asks import mismatches
from engine.binding import Bound as Bound
from engine.binding import bind, bind_step
from engine.core import JobError, Outcome, Record
from engine.feeding import counted, feed
from engine.job import LANGUAGES, Job
from engine.jobfile import Place, did_you_mean
from engine.kit import (
    AGAIN,
    EMBEDDER,
    Desk,
    Filter,
    Generator,
    Pass,
    Step,
    as_step,
    part_name,
)
from engine.mixtures import exact
from engine.models.chat import Chat
from engine.plan import SINK, Limits, Plan, Quotas, Settle, Stage, Target, layers
from engine.prompting import Library, Template, roles
from engine.training.settings import fault
from engine.verdicts import decided, version


@dataclass(frozen=True, slots=True)
class Wiring:
    """A job whose every name is resolved; models are still only names."""

    job: Job
    library: Library
    sources: Mapping[str, Bound]
    steps: Mapping[str, Bound]
    sinks: tuple[Bound, ...]
    follows: nx.DiGraph[str]
    """Sources, steps and passes; an edge says who reads from whom."""
    roles: Mapping[str, Mapping[str, str]]
    """Step -> role -> model."""

    @property
    def stages(self) -> list[list[str]]:
        """Names of steps and passes, by stage."""
        only = self.follows.subgraph(self.steps)
        passes = frozenset(n for n, bound in self.steps.items() if isinstance(bound.kind, Pass))
        return layers(nx.DiGraph(only), passes)

    def after(self) -> dict[str, tuple[str, ...]]:
        """Name -> who reads from it, in the job's order."""
        order = list(self.steps)
        return {
            name: tuple(sorted(self.follows.successors(name), key=order.index)) or (SINK,)
            for name in self.follows
        }

    def prompts(self) -> dict[str, str]:
        """Prompt -> version of every file that the job may use, language variants included."""
        used = {prompt.name for step in self.steps.values() for prompt in _prompts(step.kind)}
        versions: dict[str, str] = {}
        for name in sorted(used | ({AGAIN.name} if used else set())):
            found = {template.version for template in self.library.variants(name)}
            versions[name] = " ".join(sorted(version.partition("@")[2] for version in found))
        return versions

    def models_used(self) -> list[str]:
        """The models that some step asks, in the job's order."""
        used = {model for by_role in self.roles.values() for model in by_role.values()}
        return [name for name in self.job.file.models if name in used]


def wire(job: Job, *, growing: bool = False) -> Wiring:
    """Resolve every name of a job and check every setting.

    Args:
        job: the job.
        growing: only what grows records, where the files of sources and sinks need not be.

    Raises:
        JobError: whatever is wrong, with file, line and column.
    """
    library = Library(job.base / "prompts", shipped.folder("prompts"))
    sources = {
        part.name: bind(job, job.place_of_source(i), part, parts.SOURCES)
        for i, part in enumerate([] if growing else job.sources)
    }
    steps = {name: bind_step(job, library, name) for name in job.file.steps}
    if job.file.languages and not growing:
        steps[LANGUAGES] = counted(job, sources, steps[LANGUAGES])
    many = isinstance(job.file.sink, list)
    sinks = tuple(
        bind(job, ("sink", i) if many else ("sink",), part, parts.SINKS)
        for i, part in enumerate([] if growing else job.sinks)
    )
    follows = _follows(job)
    by_role = {name: _roles(job, library, name, bound.kind) for name, bound in steps.items()}
    wiring = Wiring(job, library, sources, steps, sinks, follows, by_role)
    if not growing:
        _check_sources(wiring)
        _check_training(wiring)
    return wiring


def plan(wiring: Wiring, chats: Mapping[str, Chat]) -> Plan:
    """The plan that the runner runs; ``chats`` answer for the models of the job."""
    job, after = wiring.job, wiring.after()
    depth = {name: 100 * i for i, name in enumerate(nx.topological_sort(wiring.follows))}
    stages = []
    for names in wiring.stages:
        kind = wiring.steps[names[0]].kind if names else None
        if isinstance(kind, Pass):
            stages.append(_passing(wiring, names[0]))
        else:
            stages.append(Stage({n: _step(wiring, n, chats, depth[n]) for n in names}))
    run, target = job.file.run, job.file.target
    return Plan(
        feeds=tuple(
            feed(job, wiring.sources[part.name], part)
            for part in job.sources
            if part.name in wiring.sources
        ),
        stages=tuple(stages),
        after=after,
        target=Target(target.accepted, target.candidates, target.round),
        limits=Limits(
            run.in_flight,
            run.max_error_rate,
            _deadline_s(job),
            run.max_tokens,
            run.grace_s,
            run.max_hours,
        ),
        mix=mix(wiring),
    )


def mix(wiring: Wiring) -> Quotas | None:
    """What the job's ``languages`` come to."""
    if not (wiring.job.file.languages and wiring.sources):
        return None
    return Quotas(LANGUAGES, exact(wiring.steps[LANGUAGES].params))


def _deadline_s(job: Job) -> float:
    left = job.file.run.deadline_s
    if left < 0:
        raise job.error(("run", "deadline"), f"{job.file.run.deadline} is past")
    return left


def fingerprint(wiring: Wiring, identities: Mapping[str, str]) -> dict[str, str]:
    """What decides the dataset, as dotted name -> value: two runs may share a folder if equal.

    How a job is run, where its servers are and how its records are written is no part of it.
    """
    raw = wiring.job.file.model_dump(mode="json", by_alias=True, exclude={"run", "sink"})
    raw = {key: value for key, value in raw.items() if value is not None}
    raw["models"] = dict(identities)
    marks = dict(_flat(raw))
    marks |= {f"prompts.{name}": version for name, version in wiring.prompts().items()}
    for name, bound in (*wiring.sources.items(), *wiring.steps.items()):
        for field, value in bound.params:
            if isinstance(value, Path):
                marks[f"{name}.{field} (content)"] = _digest(value)
    return marks


def _follows(job: Job) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(source.name for source in job.sources)
    for step in job.file.steps:
        graph.add_edges_from((name, step) for name in job.reads(step))
    if not nx.is_directed_acyclic_graph(graph):
        raise _circle(job, [step for step, _ in nx.find_cycle(graph)])
    for i, source in enumerate(job.sources):
        if not graph.out_degree(source.name):
            why = f"no step reads from the source {source.name!r}"
            raise job.error(job.place_of_source(i), why)
    return graph


def _circle(job: Job, steps: list[str]) -> JobError:
    """The error for steps that each read from the one before; told where one reads backwards."""
    order = list(job.file.steps)
    at = min(range(len(steps)), key=lambda i: order.index(steps[i]))
    told = [*steps[at:], *steps[:at], steps[at]]
    why = f"the steps form a circle: {' -> '.join(told)}"
    return job.error(("steps", steps[at], "from"), why)


def _prompts(kind: Any) -> tuple[Any, ...]:
    return tuple(kind.prompts) if isinstance(kind, Generator | Filter) else ()


def _promptless(kind: Any) -> dict[str, list[str]]:
    """The roles a part asks without a prompt; that of ``Kit.embed`` is one."""
    return {role: [] for role in getattr(kind, "roles", ())}


def _roles(job: Job, library: Library, step: str, kind: Any) -> dict[str, str]:
    place: Place = ("steps", step, "models")
    given, models = job.file.steps[step].models, list(job.file.models)
    try:
        needed = {**_promptless(kind), **roles(_prompts(kind), library)}
        _check_prompts(job, library, kind)
        if wrong := next(mismatches(kind, library) if _prompts(kind) else iter(()), ""):
            raise JobError(wrong)
    except JobError as error:
        raise job.error(("steps", step, "use"), str(error)) from error
    if unknown := given.keys() - needed.keys():
        name = next(role for role in given if role in unknown)
        has = did_you_mean(name, list(needed)) if needed else "it asks no model"
        why = f"{job.file.steps[step].use} has no role {name!r}; {has}"
        raise job.error((*place, name), why, key=True)
    found: dict[str, str] = {}
    for role, asked_by in needed.items():
        model = given.get(role) or (role if role in models else "")
        if not model and role == EMBEDDER:  # no model that writes also embeds: the kit does
            continue
        if not model and len(models) == 1:
            model = models[0]
        if not model:
            by = f" (prompt {asked_by[0]})" if asked_by else ""
            listed = (
                f"add {role}: MODEL, one of {', '.join(models)}" if models else "the job has none"
            )
            raise job.error(place, f"the role {role!r}{by} has no model: {listed}")
        found[role] = model
    return found


def _check_prompts(job: Job, library: Library, kind: Any) -> None:
    """Every file of a part's prompts, a job's own included, takes what the part will give it.

    The prompt that came with the engine says what that is. Loading a file has checked its header
    against its body.
    """
    own = (job.base / "prompts").is_dir()
    origin = Library(shipped.folder("prompts")) if own else library
    for prompt in (*_prompts(kind), *([AGAIN] if _prompts(kind) else ())):
        plain = library.load(prompt.name)
        there = any((root / f"{prompt.name}.j2").is_file() for root in origin.roots)
        given = _inputs(origin.load(prompt.name) if there else plain)
        for variant in library.variants(prompt.name):
            if _inputs(variant) != given:
                why = f"takes the inputs {_listed(_inputs(variant))}, but is given {_listed(given)}"
                raise JobError(f"a file of the prompt {prompt.name} {why}")
            if variant.header.role != plain.header.role:
                why = f"has the role {variant.header.role}, the plain one {plain.header.role}"
                raise JobError(f"a variant of the prompt {prompt.name} {why}")


def _inputs(template: Template) -> set[str]:
    """What a caller has to give; the language's name is filled in wherever it is asked for."""
    return set(template.header.inputs) - {"language"}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _check_sources(wiring: Wiring) -> None:
    job, target = wiring.job, wiring.job.file.target
    endless = [name for name, bound in wiring.sources.items() if bound.kind.endless]
    if endless and not (target.accepted or target.candidates):
        why = f"the source {endless[0]!r} never ends: give target.accepted or target.candidates"
        raise job.error(("target",), why)
    stage = {name: i for i, names in enumerate(wiring.stages) for name in names}
    for i, bound in enumerate(wiring.sources.values()):
        grows = getattr(bound.params, "grow_from", "")
        place = job.place_of_source(i)
        if grows and grows not in stage:
            why = f"no step is called {grows!r}; {did_you_mean(grows, list(wiring.steps))}"
            raise job.error((*place, "with", "grow_from"), why)
        if grows and any(stage[n] == stage[grows] for n in wiring.follows.successors(grows)):
            why = (
                f"records stream on from {grows!r} and are not kept there; name a pass, or a step "
                "that only a pass or nothing reads from"
            )
            raise job.error((*place, "with", "grow_from"), why)


def _check_training(wiring: Wiring) -> None:
    if (train := wiring.job.file.train) is None:
        return
    roles: dict[str, set[str]] = {}
    for by_role in wiring.roles.values():
        for role, model in by_role.items():
            roles.setdefault(role, set()).add(model)
    place, why = fault(train, wiring.steps, roles, wiring.library)
    if why:
        raise wiring.job.error(("train", *place), why)


def _step(wiring: Wiring, name: str, chats: Mapping[str, Chat], depth: int) -> Step:
    bound = wiring.steps[name]
    models = {role: chats[model] for role, model in wiring.roles[name].items()}
    return as_step(
        bound.kind,
        name,
        bound.params,
        models,
        wiring.library,
        wiring.job.file.seed,
        depth,
        wiring.job.file.steps[name],
    )


def _passing(wiring: Wiring, name: str) -> Stage:
    bound, part = wiring.steps[name], wiring.job.file.steps[name]
    desk = Desk(bound.params, name, str(wiring.job.file.seed))
    settle: Settle = partial(_run_pass, bound, desk)
    work, which = part_name(bound.kind.settle), version(bound.kind, bound.params)
    return Stage(settle=settle, name=name, rule=lambda outcome: decided(outcome, work, which, part))


def _run_pass(
    bound: Bound, desk: Desk[Any], fresh: Iterable[Record], kept: Iterable[Record]
) -> Iterator[Outcome]:
    decided: Pass[Any] = bound.kind
    return decided.settle(fresh, kept, desk)


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for i, inner in enumerate(value):
            yield from _flat(inner, f"{name}.{i}")
    else:
        yield name, value if isinstance(value, str) else orjson.dumps(value).decode()


_SAMPLE = 1 << 20
"""Bytes read of a file's beginning and end: enough to notice an edit, cheap on 50 GB."""


def _digest(path: Path) -> str:
    """A mark of what a file or folder holds: names, sizes, and the ends of each file."""
    mark = hashlib.blake2b(digest_size=8)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file():
            continue
        size = file.stat().st_size
        mark.update(f"{file.relative_to(path.parent)}\0{size}\0".encode())
        with file.open("rb") as content:
            mark.update(content.read(_SAMPLE))
            content.seek(max(0, size - _SAMPLE))
            mark.update(content.read(_SAMPLE))
    return mark.hexdigest()
