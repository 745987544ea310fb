"""The kinds of part, and how a generator or a check becomes a step.

A node gets a ``Kit`` (see ``asking``) and nothing else: no client, no path, no global. That is
what keeps a generator file about its method. The kinds of part (``Generator``, ``Filter``,
``Verifier``, ``Pass``, ``Source``, ``Sink``) are plain values at the end of their files.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypedDict, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ValidationInfo

from engine.asking import AGAIN as AGAIN
from engine.asking import EMBEDDER as EMBEDDER
from engine.asking import REASKS as REASKS
from engine.asking import Kit as Kit
from engine.core import Drop, Finding, Hop, Outcome, Record, ReplyError, Verdict, stable_id
from engine.models.chat import Chat
from engine.models.chat import Tool as Tool
from engine.prompting import Library, Prompt
from engine.verdicts import REPAIR as REPAIR
from engine.verdicts import Checking, version
from engine.verdicts import Policy as Policy

if TYPE_CHECKING:
    from langgraph.graph import StateGraph

P = TypeVar("P", bound=BaseModel)

Step = Callable[[Record], Awaitable[Sequence[Outcome]]]
"""Everything that streams: one record in, its outcomes out."""

RECURSION_LIMIT = 1000
"""A graph's own bound ends its loops; langgraph's default of 25 would end four rounds."""


def _beside_the_job(path: Path, info: ValidationInfo) -> Path:
    base: Path = (info.context or {}).get("base", Path())
    try:
        found = (base / path.expanduser()).resolve()
        there = found.exists()
    except (OSError, RuntimeError) as error:  # a name too long; the home of nobody
        raise ValueError(f"{str(path)[:60]!r} cannot be a path: {error}") from error
    if not there:
        raise ValueError(f"there is no {path} (looked for {found})")
    return found


InputPath = Annotated[Path, AfterValidator(_beside_the_job)]
"""A file or folder that a setting names: relative to the job file, and it must exist."""


class NoParams(BaseModel, extra="forbid"):
    """For a part without settings."""


class Flow(TypedDict, total=False):
    """The two keys every generator's state has: where it starts and what it ends with.

    Not total, so that a node can return just what it changed and still be type-checked.
    """

    record: Record
    out: list[Outcome]


@dataclass(frozen=True, slots=True)
class Generator(Generic[P]):
    """A method: its graph, its settings, its prompts."""

    graph: Callable[[], StateGraph[Any, Any, Any, Any]]
    params: type[P]
    prompts: tuple[Prompt[Any], ...]
    roles: tuple[str, ...] = ()
    """Roles asked without a prompt: ``embedder`` for ``Kit.embed``, ``scorer`` for texts."""


@dataclass(frozen=True, slots=True)
class Filter(Generic[P]):
    """A check on one record: returns it, perhaps with new facts, or a drop with the reason.

    A ``Finding`` says more: that the check does not apply, that it could not decide, or with what
    evidence a record passed. What follows from a verdict is the job's to say (``Policy``).
    """

    check: Callable[[Record, Kit[P]], Outcome | Finding | Awaitable[Outcome | Finding]]
    params: type[P]
    prompts: tuple[Prompt[Any], ...] = ()
    roles: tuple[str, ...] = ()
    """Roles asked without a prompt, as a generator's."""


@dataclass(frozen=True, slots=True)
class Verifier(Filter[P]):
    """A filter that proves something, by a model, by running code or by an exact rule."""


@dataclass(frozen=True, slots=True)
class Desk(Generic[P]):
    """What a pass may touch."""

    params: P
    name: str
    _seed: str

    def random(self, *name: object) -> random.Random:
        """The random numbers called ``name``; they depend on the job's seed and the pass."""
        return random.Random(stable_id(self._seed, self.name, *map(str, name)))


@dataclass(frozen=True, slots=True)
class Pass(Generic[P]):
    """A decision over all records.

    ``settle(fresh, kept, desk)`` is given this round's records in seed order and the records
    that it kept in earlier rounds, and yields one outcome for each fresh record, in any order:
    the record (perhaps with new facts) or a drop. Both iterables can be read once and need not
    fit in memory.
    """

    settle: Callable[[Iterable[Record], Iterable[Record], Desk[P]], Iterator[Outcome]]
    params: type[P]


@dataclass(frozen=True, slots=True)
class Well(Generic[P]):
    """What a source may touch."""

    params: P
    name: str
    """The source's name in the job."""
    round: int
    """0 in the first round."""
    _seed: str
    _kept: Callable[[str], Iterator[Record]]
    start: int = 0
    """Seeds that earlier rounds have taken from this source."""

    def random(self, *name: object) -> random.Random:
        """The random numbers called ``name``; they depend on the job's seed and the source."""
        return random.Random(stable_id(self._seed, self.name, *map(str, name)))

    def kept(self, step: str) -> Iterator[Record]:
        """What earlier rounds kept at ``step`` of the job, in seed order."""
        return self._kept(step)

    def id(self, *parts: object) -> str:
        """An id for the seed that these parts identify within the source."""
        return stable_id(self.name, *map(str, parts))


@dataclass(frozen=True, slots=True)
class Source(Generic[P]):
    """Where seeds come from.

    ``read(well)`` yields seeds in an order that is the same at every start. A source whose
    ``endless`` is true yields as many as are asked for and is read anew in every round (it may
    use ``well.round`` and ``well.kept``); any other is read once from end to end.
    """

    read: Callable[[Well[P]], Iterator[Record]]
    params: type[P]
    endless: bool = False


def as_step(
    kind: Generator[P] | Filter[P],
    name: str,
    params: P,
    models: Mapping[str, Chat],
    prompts: Library,
    seed: int,
    depth: int = 0,
    policy: Policy | None = None,
) -> Step:
    """Bind a generator, filter or verifier to its models and settings.

    ``policy`` says what follows from a check's verdicts; a generator gives none.
    """
    if isinstance(kind, Generator):
        work = _graph(kind)
    else:
        work = _checking(kind, params, policy or Policy()).work

    async def step(record: Record) -> Sequence[Outcome]:
        kit = Kit(params, record, stable_id(str(seed), name, record.id), models, prompts, depth)
        outcomes, verdict = await work(record, kit)
        hop = replace(kit.hop(name), verdict=verdict)
        return [stamped(outcome, hop) for outcome in outcomes]

    return step


Work = Callable[[Record, Kit[P]], Awaitable[tuple[Sequence[Outcome], Verdict | None]]]


def _graph(kind: Generator[P]) -> Work[P]:
    from engine.lean import compiled  # langgraph takes its time to load

    app = compiled(kind.graph())

    async def run(record: Record, kit: Kit[P]) -> tuple[Sequence[Outcome], None]:
        start = {"record": record}
        try:  # the whole state after every node is not read: 5 % of the graph's time
            out = await app.ainvoke(
                start, {"recursion_limit": RECURSION_LIMIT}, context=kit, output_keys="out"
            )
        except ReplyError as error:
            return [Drop(record, "bad_reply", str(error))], None
        return cast(Sequence[Outcome], out or []), None

    return run


def _checking(kind: Filter[P], params: P, policy: Policy) -> Checking:
    from engine.repair import repair  # it draws a graph, and langgraph takes its time to load

    bound = repair if policy.on_fail == "repair" else None
    return Checking(kind.check, part_name(kind.check), version(kind, params), policy, bound)


def part_name(work: Callable[..., Any]) -> str:
    """The name by which a job uses the part that a function belongs to."""
    module = work.__module__
    return module.rpartition(".")[2] if module.startswith("engine.") else module


def stamped(outcome: Outcome, hop: Hop) -> Outcome:
    """The outcome with one more hop in its lineage."""
    if isinstance(outcome, Drop):
        return replace(outcome, record=_passed(outcome.record, hop))
    return _passed(outcome, hop)


def _passed(record: Record, hop: Hop) -> Record:
    return replace(record, lineage=(*record.lineage, hop))
