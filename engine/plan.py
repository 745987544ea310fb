"""A job, wired: what the runner runs. Steps and passes are plain callables by now.

Stages alternate: everything that streams between two passes is one stage, each pass is a stage
of its own. Stage numbers are positions in ``Plan.stages`` and go into the ledger.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import networkx as nx

from engine.core import Outcome, Record, Verdict
from engine.kit import Step

SINK = ""
"""The name of where records go that no step reads any more."""

Settle = Callable[[Iterable[Record], Iterable[Record]], Iterator[Outcome]]
"""This round's records and those kept in earlier rounds -> one outcome for each of the former."""
Between = Callable[[int, Callable[[str], Iterator[Record]], Callable[[], bool]], Awaitable[None]]
"""(round, what earlier ones kept at a step, whether the run winds down): before a round begins."""
Rule = Callable[[Outcome], tuple[Outcome, Verdict | None]]


def unjudged(outcome: Outcome) -> tuple[Outcome, None]:
    """The outcome as it is, without a verdict."""
    return outcome, None


@dataclass(frozen=True, slots=True)
class Feed:
    """A source, bound: where seeds come from."""

    name: str
    read: Callable[[int, int, Callable[[str], Iterator[Record]]], Iterator[Record]]
    """(round, seeds taken in earlier rounds, what those kept at a step) -> seeds, the same ones
    at every start."""
    endless: bool = False
    weight: float = 1.0
    """Its share of a round's seeds, relative to the other sources'."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What streams between two passes, or one pass."""

    steps: Mapping[str, Step] = field(default_factory=dict)
    settle: Settle | None = None
    name: str = ""
    """The pass's name; empty for a stage that streams."""
    rule: Rule = unjudged
    """What the job makes of a pass's outcome, and the verdict to be stamped on it."""


@dataclass(frozen=True, slots=True)
class Target:
    """When there is enough; 0 means no such bound."""

    accepted: int = 0
    candidates: int = 0
    round: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """How to run: never part of what comes out."""

    in_flight: int = 256
    max_error_rate: float = 0.05
    deadline_s: float = 0.0
    max_tokens: int = 0
    grace_s: float = 30.0
    max_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many records of each language a job wants."""

    step: str
    """The pass that keeps no more."""
    quotas: Mapping[str, int]
    """Tag -> accepted records."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A job, wired."""

    feeds: tuple[Feed, ...]
    stages: tuple[Stage, ...]
    after: Mapping[str, tuple[str, ...]]
    """Source, step or pass -> who reads from it; ``(SINK,)`` where nobody does."""
    target: Target = Target()
    limits: Limits = Limits()
    between: Between | None = None
    mix: Quotas | None = None
    """Where the job wants shares of languages."""

    def stage_of(self, name: str) -> int:
        """The stage in which a step or pass runs."""
        return next(i for i, s in enumerate(self.stages) if name in s.steps or name == s.name)


def layers(follows: nx.DiGraph[str], passes: frozenset[str]) -> list[list[str]]:
    """Steps and passes by stage, in the order the stages run.

    A name's depth is the number of passes on the longest way to it. Steps of one depth stream
    together; the passes of that depth come after them, one stage each.
    """
    depth: dict[str, int] = {}
    for name in nx.lexicographical_topological_sort(follows):
        before = follows.predecessors(name)
        depth[name] = max((depth[b] + (b in passes) for b in before), default=0)
    stages: list[list[str]] = []
    for level in range(1 + max(depth.values(), default=0)):
        here = [name for name, at in depth.items() if at == level]
        streaming = [name for name in here if name not in passes]
        if streaming or level == 0:
            stages.append(streaming)
        stages += [[name] for name in here if name in passes]
    return stages
