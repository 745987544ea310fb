"""What a part may touch, and how a generator or a check becomes a step.

A node gets a ``Kit`` and nothing else: no client, no path, no global. That is what keeps a
generator file about its method. The kinds of part (``Generator``, ``Filter``, ``Verifier``,
``Pass``, ``Source``, ``Sink``) are plain values at the end of their files.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypedDict, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ValidationInfo

from engine.core import Call, Drop, Hop, Message, Outcome, Record, ReplyError, stable_id
from engine.languages.names import english_name
from engine.models.chat import Chat, Reply, Request
from engine.prompting import Library, Prompt, Template

if TYPE_CHECKING:
    from langgraph.graph import StateGraph

P = TypeVar("P", bound=BaseModel)
T = TypeVar("T")

Step = Callable[[Record], Awaitable[Sequence[Outcome]]]
"""Everything that streams: one record in, its outcomes out."""

REASKS = 2
"""How often a reply of the wrong shape is asked for again before the record is dropped."""
AGAIN = Prompt("kit/again", reply=str)
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


@dataclass(slots=True)
class Kit(Generic[P]):
    """One record's way through one step: its models, prompts, randomness and settings."""

    params: P
    record: Record
    _seed: str
    _models: Mapping[str, Chat]
    _prompts: Library
    _depth: int = 0
    _calls: list[Call] = field(default_factory=list)

    @property
    def language(self) -> str:
        """English name of the record's language, e.g. ``Swahili``: what a prompt should say."""
        return english_name(self.record.language)

    def random(self, *name: object) -> random.Random:
        """The random numbers called ``name``, e.g. ``kit.random("move", 2)``.

        They depend on the job's seed, the step, the record and the name; not on what was drawn
        before, so nodes that run side by side cannot disturb each other.
        """
        return random.Random(stable_id(self._seed, *map(str, name)))

    async def ask(
        self, prompt: Prompt[T], /, *, take: int = 0, language: str = "", **inputs: object
    ) -> T:
        """Render ``prompt``, send it to the model of its role, read the reply.

        A reply of the wrong shape is asked for again, with the reason, ``REASKS`` times.

        Args:
            prompt: which question, and the type of its answer.
            take: tells apart several samples of the same question.
            language: BCP-47 tag the reply is wanted in and that picks the prompt's variant;
                the record's own where empty. A prompt that declares an input ``language`` is
                given its English name.
            inputs: what the prompt's header declares.

        Raises:
            ReplyError: no reply was of the prompt's type.
            ModelError: no server answered, after retries.
        """
        tag = language or self.record.language
        template = self._prompts.load(prompt.name, tag)
        if "language" in template.header.inputs:
            inputs = {"language": english_name(tag), **inputs}
        request = self._request(template, prompt, tag, take, inputs)
        for left in range(REASKS, -1, -1):
            reply = await self._send(request)
            try:
                return prompt.read(reply.text, truncated=reply.truncated)
            except ReplyError as error:
                if not left:
                    raise ReplyError(f"{prompt.name}: {error}") from error
                request = self._again(request, reply, str(error))
        raise AssertionError("unreachable: the loop returns or raises")

    def _request(
        self,
        template: Template,
        prompt: Prompt[Any],
        language: str,
        take: int,
        inputs: Mapping[str, object],
    ) -> Request:
        return Request(
            messages=template.render(inputs),
            sampling=template.header.sampling,
            schema=prompt.schema,
            seed=self.random("ask", prompt.name, take).getrandbits(31),
            take=take,
            prompt=template.version,
            role=template.header.role,
            form=template.header.form,
            language=language,
            inputs=inputs,
            depth=self._depth + len(self._calls),
        )

    def _again(self, request: Request, reply: Reply, error: str) -> Request:
        said = Message("assistant", reply.text.strip()[:2000] or "(empty)")
        ask = self._prompts.load(AGAIN.name).render({"error": error})
        return replace(request, messages=(*request.messages, said, *ask), depth=request.depth + 1)

    async def _send(self, request: Request) -> Reply:
        reply = await self._models[request.role].chat(request)
        self._calls.append(
            Call(
                request.prompt,
                request.role,
                reply.model,
                reply.key,
                reply.tokens_in,
                reply.tokens_out,
            )
        )
        return reply

    def hop(self, step: str) -> Hop:
        """What this step did, as provenance.

        Calls are ordered by what they are, not by when they came back: lineage must not depend
        on timing. The journal knows the order in time.
        """
        return Hop(
            step, self.record.id, tuple(sorted(self._calls, key=lambda c: (c.prompt, c.key)))
        )


@dataclass(frozen=True, slots=True)
class Generator(Generic[P]):
    """A method: its graph, its settings, its prompts."""

    graph: Callable[[], StateGraph[Any, Any, Any, Any]]
    params: type[P]
    prompts: tuple[Prompt[Any], ...]


@dataclass(frozen=True, slots=True)
class Filter(Generic[P]):
    """A check on one record: returns it, perhaps with new facts, or a drop with the reason."""

    check: Callable[[Record, Kit[P]], Outcome | Awaitable[Outcome]]
    params: type[P]
    prompts: tuple[Prompt[Any], ...] = ()


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
) -> Step:
    """Bind a generator, filter or verifier to its models and settings."""
    work = _graph(kind) if isinstance(kind, Generator) else _check(kind)

    async def step(record: Record) -> Sequence[Outcome]:
        kit = Kit(params, record, stable_id(str(seed), name, record.id), models, prompts, depth)
        try:
            outcomes = await work(record, kit)
        except ReplyError as error:
            outcomes = [Drop(record, "bad_reply", str(error))]
        hop = kit.hop(name)
        return [stamped(outcome, hop) for outcome in outcomes]

    return step


Work = Callable[[Record, Kit[P]], Awaitable[Sequence[Outcome]]]


def _graph(kind: Generator[P]) -> Work[P]:
    app = kind.graph().compile()

    async def run(record: Record, kit: Kit[P]) -> Sequence[Outcome]:
        final = await app.ainvoke(
            {"record": record}, {"recursion_limit": RECURSION_LIMIT}, context=kit
        )
        return cast(Sequence[Outcome], final.get("out", []))

    return run


def _check(kind: Filter[P]) -> Work[P]:
    async def run(record: Record, kit: Kit[P]) -> Sequence[Outcome]:
        outcome = kind.check(record, kit)
        return [await outcome if inspect.isawaitable(outcome) else outcome]

    return run


def stamped(outcome: Outcome, hop: Hop) -> Outcome:
    """The outcome with one more hop in its lineage."""
    if isinstance(outcome, Drop):
        return replace(outcome, record=_passed(outcome.record, hop))
    return _passed(outcome, hop)


def _passed(record: Record, hop: Hop) -> Record:
    return replace(record, lineage=(*record.lineage, hop))
