"""Walk chains on the graph of which task can follow which.

The tasks are nodes and ``chain_links`` found the edges. From every task of this round the chains
of each wanted length that begin there are walked, no task twice, and a few of them drawn: those
first whose tasks have been used least, so that no task that everything leads to fills the corpus.
A chain goes on only from a task whose output is no label. Irrelevant chains, whose tasks the
judge found strangers to each other, can be added for comparison.

Source: Hayati et al., "Chain-of-Instructions: Compositional Instruction Tuning on Large Language
Models", 2024, arXiv:2402.11532 (chains of 2 and 3 by extending valid pairs; an irrelevant variant).
Differs: chains of any length on one graph; coverage decides which are drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

import networkx as nx
from pydantic import BaseModel, Field

from engine.core import Drop, Json, Outcome, Record
from engine.kit import Desk, Pass
from engine.spool import Spool

Chain = tuple[str, ...]
MOST_WALKS = 2000
"""Chains from one task that are looked at, of each length."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    lengths: tuple[Annotated[int, Field(ge=2, le=6)], ...] = Field(default=(2, 3), min_length=1)
    """Tasks in a chain."""
    per_task: int = Field(default=2, ge=1, le=100)
    """Chains of each length that begin with a task, at most."""
    irrelevant: int = Field(default=0, ge=0, le=100)
    """Chains of strangers that begin with a task besides, at most, of each length."""


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every task that a chain begins with, with its ``chains``."""
    links: nx.DiGraph[str] = nx.DiGraph()
    strangers: nx.DiGraph[str] = nx.DiGraph()
    for record in kept:
        _add(record, links, strangers)
    with Spool[Record]() as waiting:
        for record in fresh:
            _add(record, links, strangers)
            waiting.put(record)
        used = Counter[str]()
        for record in waiting:
            yield _with_chains(record, links, strangers, used, desk)


def walks(links: nx.DiGraph[str], start: str, length: int) -> Iterator[Chain]:
    """The chains of so many tasks from this one, no task twice, in the order of the edges."""
    paths: list[Chain] = [(start,)]
    for _ in range(length - 1):
        paths = [
            (*path, after)
            for path in paths
            if path[-1] in links and links.nodes[path[-1]].get("leads", True)
            for after in links.successors(path[-1])
            if after not in path
        ][:MOST_WALKS]
    yield from paths


def _add(record: Record, links: nx.DiGraph[str], strangers: nx.DiGraph[str]) -> None:
    """The record's task, and those that can follow it, by what the judge said."""
    facts = record.facts
    leads = bool(facts.get("leads"))
    for graph, name in ((links, "followers"), (strangers, "strangers")):
        graph.add_node(record.id, task=facts.get("task", ""), leads=leads)
        for other in facts.get(name) or ():
            graph.add_node(other["id"], task=other["task"], leads=other["leads"])
            graph.add_edge(record.id, other["id"])


def _with_chains(
    record: Record,
    links: nx.DiGraph[str],
    strangers: nx.DiGraph[str],
    used: Counter[str],
    desk: Desk[Params],
) -> Outcome:
    ask = desk.params
    if not record.facts.get("leads"):
        return Drop(record, "cannot_lead", "its output is like a label, or there is none")
    chains: list[Json] = []
    for graph, most in ((links, ask.per_task), (strangers, ask.irrelevant)):
        for length in ask.lengths:
            found = list(walks(graph, record.id, length))
            desk.random("chains", record.id, length, graph is links).shuffle(found)
            for _ in range(min(most, len(found))):
                chain = min(found, key=lambda each: _worn(each, used))
                found.remove(chain)
                used.update(chain[1:])
                chains.append(_told(chain, graph.nodes, relevant=graph is links))
    if not chains:
        return Drop(record, "no_follower")
    return record.with_facts(chains=chains)


def _worn(chain: Chain, used: Mapping[str, int]) -> int:
    return sum(used[task] for task in chain[1:])


def _told(chain: Chain, nodes: Mapping[str, Mapping[str, Json]], *, relevant: bool) -> Json:
    tasks = [{"id": task, "task": nodes[task]["task"]} for task in chain]
    return {"tasks": tasks, "relevant": relevant}


PASS = Pass(settle, Params)
