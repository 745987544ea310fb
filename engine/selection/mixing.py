"""Plans of languages: how many records of each, exactly, and which parallel row in which language.

A plan is whole numbers by BCP-47 tag, made from declared shares, from what there is (temperature,
cap, UniMax) or from a design: a pinch (k examples of many languages beside one), or one step of a
sweep over the number of languages. What is left over in rounding goes to the largest remainders,
equals by tag. Nothing is drawn here; who draws gives rows in a drawn order, and a longer plan then
keeps what a shorter one took.

Two modes of a sweep, because papers differ: ``grow`` gives every language what it has in the
largest plan, so that plan k is a part of plan k + 1; ``constant`` divides the same total anew.

Source: Conneau et al., 2019, arXiv:1911.02116 (temperature); Raffel et al., 2019, arXiv:1910.10683
(cap); Chung et al., 2023, arXiv:2304.09151 (UniMax); Shaham et al., "Multilingual Instruction
Tuning With Just a Pinch of Multilinguality", 2024, arXiv:2401.01854 (pinch).
Differs: whole numbers, not probabilities.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple

import networkx as nx
from networkx.algorithms.flow import edmonds_karp

from engine.core import Json, Record
from engine.selection.quotas import Counts, Sizes, apportion, tempered, unimax

Mode = Literal["grow", "constant"]
Deal = tuple[tuple[str, ...], ...]
"""In which order parallel rows go to languages: group after group, within one in turns."""
FACT = "selection"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many records of each language, of how many there are."""

    kind: str
    """How it was made, e.g. ``shares``."""
    quotas: Counts
    sizes: Counts
    """Records there are, by tag."""
    deal: Deal

    def repetition(self, tag: str) -> float | None:
        """How often a record of this language is meant, on average; ``None`` where none is."""
        there = self.sizes.get(tag, 0)
        return round(self.quotas[tag] / there, 4) if there else None

    def line(self, tag: str) -> dict[str, Json]:
        """What a card says of one language."""
        planned = {"planned": self.quotas[tag], "there": self.sizes.get(tag, 0)}
        return {**planned, "repetition": self.repetition(tag)}


def shared(total: int, shares: Mapping[str, float], sizes: Sizes) -> Plan:
    """By declared shares; read as decimals, so that no binary rounding breaks a tie."""
    weights = {tag: Fraction(str(shares[tag])) for tag in sorted(shares)}
    return _plan("shares", apportion(total, weights), sizes)


def even(total: int, tags: Collection[str], sizes: Sizes) -> Plan:
    """The same of each language."""
    return _plan("even", apportion(total, dict.fromkeys(sorted(tags), 1)), sizes)


def by_temperature(
    total: int, temperature: float, sizes: Sizes, cap: int | None = None, of: Sizes | None = None
) -> Plan:
    """In proportion to n ** (1 / temperature), n being ``cap`` at most.

    ``of`` are the n where they are not what there is.
    """
    counted = of or sizes
    weights = tempered({tag: counted[tag] for tag in sorted(counted)}, temperature, cap)
    return _plan("temperature", apportion(total, weights), sizes)


def by_unimax(total: int, epochs: int, sizes: Sizes, of: Sizes | None = None) -> Plan:
    """Evenly, the smallest language first, none more than ``epochs`` times what it has."""
    counted = of or sizes
    rooms = {tag: epochs * counted[tag] for tag in sorted(counted)}
    return _plan("unimax", unimax(total, rooms), sizes)


def pinch(total: int, base: str, others: Collection[str], examples: int, sizes: Sizes) -> Plan:
    """``examples`` records, evenly in the other languages; the rest of the total in ``base``."""
    spread = apportion(examples, dict.fromkeys(sorted(others), 1))
    quotas = {**spread, base: total - examples}
    return _plan("pinch", quotas, sizes, (tuple(sorted(others)), (base,)))


def sweep(total: int, order: Sequence[str], take: int, mode: Mode, sizes: Sizes) -> Plan:
    """The first ``take`` languages of an order, of a total for all of them; see the module."""
    tags = order if mode == "grow" else order[:take]
    every = apportion(total, dict.fromkeys(sorted(tags), 1))
    quotas = {tag: every[tag] for tag in order[:take]}
    return _plan(f"sweep_{mode}", quotas, sizes, tuple((tag,) for tag in order[:take]))


def _plan(kind: str, quotas: Counts, sizes: Sizes, deal: Deal = ()) -> Plan:
    tags = sorted(quotas)
    there = {tag: sizes.get(tag, 0) for tag in tags}
    return Plan(kind, {tag: quotas[tag] for tag in tags}, there, deal or (tuple(tags),))


# -- parallel rows ---------------------------------------------------------------------------


def assigned(there: Mapping[str, Collection[str]], needs: Sizes, deal: Deal) -> dict[str, str]:
    """One language for each row id, as many of each as needed where that can be.

    Ids are taken in the order of ``there`` (id -> the languages it exists in), so that a larger
    plan keeps what a smaller one took. Only where that order leaves a language short are they
    divided anew, by a maximum flow from ids to languages.
    """
    dealt = _dealt(there, needs, deal)
    return dealt if len(dealt) >= sum(needs.values()) else _flowed(there, needs)


def complete(there: Mapping[str, Collection[str]], tags: Collection[str]) -> Iterator[str]:
    """The ids that exist in all of these languages."""
    return (id_ for id_, has in there.items() if set(tags) <= set(has))


def _dealt(there: Mapping[str, Collection[str]], needs: Sizes, deal: Deal) -> dict[str, str]:
    queues = {tag: (i for i, has in there.items() if tag in has) for tag in needs}
    taken: dict[str, str] = {}
    for tag in _turns(needs, deal):
        if (free := next((i for i in queues[tag] if i not in taken), None)) is not None:
            taken[free] = tag
    return taken


def _turns(needs: Sizes, deal: Deal) -> Iterator[str]:
    for group in deal:
        for turn in range(max((needs.get(tag, 0) for tag in group), default=0)):
            yield from (tag for tag in group if turn < needs.get(tag, 0))


def _flowed(there: Mapping[str, Collection[str]], needs: Sizes) -> dict[str, str]:
    """Ids that exist in the same languages are one node, so that the network stays small."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for id_, has in there.items():
        alike.setdefault(tuple(sorted(set(has) & set(needs))), []).append(id_)
    network: nx.DiGraph[object] = nx.DiGraph()
    network.add_nodes_from(("from", "to"))
    for tags, ids in sorted(alike.items()):
        network.add_edge("from", tags, capacity=len(ids))
        network.add_edges_from((tags, (tag, "need")) for tag in tags)
    for tag in sorted(needs):
        network.add_edge((tag, "need"), "to", capacity=needs[tag])
    _, flow = nx.maximum_flow(network, "from", "to", flow_func=edmonds_karp)
    owners: dict[str, str] = {}
    for tags, ids in alike.items():
        free = iter(ids)
        for tag in tags:
            owners |= {next(free): tag for _ in range(flow[tags][tag, "need"])}
    return owners


# -- what a card says ------------------------------------------------------------------------


class Line(NamedTuple):
    """One language of a plan that a run followed."""

    language: str
    planned: int
    there: int
    repetition: float | str
    """``-`` where there is none."""
    accepted: int
    """Records in the data, each as often as it is meant."""


@dataclass(slots=True)
class Mixes:
    """The plans of a run, read from what the pass ``language_mix`` noted on accepted records."""

    kinds: dict[str, str] = field(default_factory=dict)
    _plans: dict[str, Mapping[str, Mapping[str, Json]]] = field(default_factory=dict)
    _counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Count one accepted record; one without a plan does not matter."""
        noted = record.facts.get(FACT)
        for step, said in noted.items() if isinstance(noted, Mapping) else ():
            if isinstance(said, Mapping) and "mix" in said:
                self.kinds[step] = str(said["mix"])
                copies = int(said.get("copies", 1))
                self._counts.setdefault(step, Counter())[str(said["group"])] += copies
                self._plans[step] = said.get("plan") or self._plans.get(step, {})

    def tables(self) -> list[tuple[str, str, list[Line]]]:
        """(step, kind of plan, its lines by tag), steps by name."""
        return [(step, self.kinds[step], list(self._lines(step))) for step in sorted(self.kinds)]

    def _lines(self, step: str) -> Iterable[Line]:
        plan, counts = self._plans[step], self._counts[step]
        for tag in sorted({*plan, *counts}):
            said = plan.get(tag, {})
            planned, there = int(said.get("planned", 0)), int(said.get("there", 0))
            factor = said.get("repetition")
            yield Line(tag, planned, there, "-" if factor is None else factor, counts[tag])
