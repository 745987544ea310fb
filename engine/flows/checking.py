"""What must hold of a declared graph before its first call.

Every edge leads somewhere, every node is reached and has a way on whatever its conditions say,
every circle has a bound, and whatever a template or a condition speaks of has been added on
every way that leads there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from engine.declared import Misplaced
from engine.flows import expressions
from engine.flows.shapes import ENDS, KEEP, EdgePart, KeepPart, NodePart, Reply
from engine.jobfile import did_you_mean

GIVEN = frozenset({"instruction", "response", "facts", "language", "tag", "visits"})
"""What there is from the start: the record's last turns and facts, the English name and the tag
of its language, and how often it has been at each node."""
OWN = frozenset({"record", "out", "at"})
"""What the graph itself keeps in its state."""
VERDICT = ("passed", "verdict", "reason", "evidence")
"""What a check adds."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A graph as it was declared."""

    nodes: Mapping[str, NodePart]
    edges: Sequence[EdgePart]
    keep: KeepPart
    uses: Mapping[str, frozenset[str]]
    """Node -> what its question takes in."""

    @property
    def first(self) -> str:
        """Where a record enters."""
        return next(iter(self.nodes))

    def adds(self, node: str) -> str:
        """The name of what a node brings."""
        return self.nodes[node].adds or node

    def leaving(self, node: str) -> list[EdgePart]:
        """The edges that leave it, in their order."""
        return [edge for edge in self.edges if edge.start == node]


def check(draft: Draft) -> None:
    """Look at all of it.

    Raises:
        Misplaced: the first thing that is wrong.
    """
    _names(draft)
    graph = _graph(draft)
    _bounds(draft, graph)
    _ends(draft)
    _reached(draft, graph)
    _values(draft, _there(draft))


def _names(draft: Draft) -> None:
    for name in draft.nodes:
        if name in GIVEN | OWN or name.split("_")[0] in ENDS:
            raise Misplaced(("nodes", name), f"{name!r} means something else; call the node other")
        if draft.adds(name) in GIVEN | OWN:
            raise Misplaced(("nodes", name, "adds"), f"{draft.adds(name)!r} is the record's own")
    for i, edge in enumerate(draft.edges):
        if edge.start not in draft.nodes:
            raise Misplaced(("edges", i), _no_node(edge.start, list(draft.nodes)))
        if edge.to not in draft.nodes and edge.to not in ENDS:
            raise Misplaced(("edges", i), _no_node(edge.to, [*draft.nodes, *ENDS]))


def _no_node(name: str, known: list[str]) -> str:
    return f"no node is called {name!r}; {did_you_mean(name, known)}"


def _ends(draft: Draft) -> None:
    """Every node has an edge that can always be taken, and it is the last."""
    for name in draft.nodes:
        edges = draft.leaving(name)
        places = [i for i, edge in enumerate(draft.edges) if edge.start == name]
        always = [_always(draft, edge) for edge in edges]
        if not any(always):
            why = f"{name!r} has no way on when no condition holds"
            if any(not edge.when for edge in edges):
                why = f"{name!r} has no way on once its edges are closed by at_most"
            place = ("edges", places[-1]) if places else ("nodes", name)
            raise Misplaced(place, f"{why}; add an edge without `when`, to keep, drop or a node")
        if (at := always.index(True)) < len(edges) - 1:
            raise Misplaced(("edges", places[at + 1]), "is never taken: the one before always is")


def _always(draft: Draft, edge: EdgePart) -> bool:
    bounded = edge.to in draft.nodes and draft.nodes[edge.to].at_most
    return not edge.when and not bounded


def _graph(draft: Draft) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(draft.nodes)
    graph.add_edges_from((edge.start, edge.to) for edge in draft.edges)
    return graph


def _reached(draft: Draft, graph: nx.DiGraph[str]) -> None:
    there = nx.descendants(graph, draft.first) | {draft.first}
    for name in draft.nodes:
        if name not in there:
            why = f"no edge leads to it from {draft.first!r}, where records enter"
            raise Misplaced(("nodes", name), why)
    if KEEP not in there:
        raise Misplaced(("edges",), "no way leads to keep: nothing would come out")


def _bounds(draft: Draft, graph: nx.DiGraph[str]) -> None:
    free = graph.subgraph(n for n in graph if n in ENDS or not draft.nodes[n].at_most)
    if not nx.is_directed_acyclic_graph(free):
        circle = [start for start, _ in nx.find_cycle(free)]
        told = " -> ".join([*circle, circle[0]])
        why = f"the circle {told} has no end; give one of its nodes at_most"
        raise Misplaced(("nodes", circle[0]), why)


def _there(draft: Draft) -> dict[str, frozenset[str]]:
    """Node -> what has been added on every way to it: the greatest fixed point."""
    everything = GIVEN | {draft.adds(name) for name in draft.nodes}
    there = dict.fromkeys([*draft.nodes, *ENDS], everything) | {draft.first: GIVEN}
    while True:
        before = dict(there)
        for edge in draft.edges:
            there[edge.to] &= there[edge.start] | {draft.adds(edge.start)}
        if there == before:
            return there


def _values(draft: Draft, there: Mapping[str, frozenset[str]]) -> None:
    fields = _fields(draft)
    for name, uses in draft.uses.items():
        _known(uses, there[name], ("nodes", name))
        if text := draft.nodes[name].template:
            _attributes(text, False, fields, ("nodes", name, "template"))
    for name, node in draft.nodes.items():
        if node.check:  # it looks at the turns that would be kept
            for _, text, expression in kept(draft.keep):
                used = () if expression else expressions.names(text, expression=False)
                _known(used, there[name], ("nodes", name, "check"))
    for i, edge in enumerate(draft.edges):
        if edge.when:
            here = there[edge.start] | {draft.adds(edge.start)}
            _told(edge.when, True, here, fields, ("edges", i, "when"))
    for place, text, expression in kept(draft.keep):
        _told(text, expression, there[KEEP], fields, place)


def kept(keep: KeepPart) -> Iterator[tuple[tuple[str | int, ...], str, bool]]:
    """Every text of the record that comes out: where it is, itself, whether an expression."""
    for i, turn in enumerate(keep.messages):
        for role, text in turn.items():
            yield ("keep", "messages", i, role), text, False
    for name, text in keep.facts.items():
        yield ("keep", "facts", name), text, True


def _told(
    text: str,
    expression: bool,
    here: frozenset[str],
    fields: Mapping[str, Sequence[str]],
    place: tuple[str | int, ...],
) -> None:
    _known(expressions.names(text, expression=expression), here, place)
    _attributes(text, expression, fields, place)


def _known(used: Iterable[str], here: frozenset[str], place: tuple[str | int, ...]) -> None:
    for name in sorted(used):
        if name not in here:
            why = f"{name!r} is not there on every way that leads here"
            raise Misplaced(place, f"{why}; {did_you_mean(name, sorted(here))}")


def _attributes(
    text: str, expression: bool, fields: Mapping[str, Sequence[str]], place: tuple[str | int, ...]
) -> None:
    for name, attribute in expressions.attributes(text, expression=expression):
        if name in fields and attribute not in fields[name]:
            hint = did_you_mean(attribute, list(fields[name]))
            raise Misplaced(place, f"{name!r} has no field {attribute!r}; {hint}")


def _fields(draft: Draft) -> dict[str, list[str]]:
    """Name -> the fields of what stands under it, where that is told by every node that adds it.

    Raises:
        Misplaced: two nodes add replies of different shapes under one name.
    """
    shapes: dict[str, Reply | str] = {}
    for name, node in draft.nodes.items():
        shape = "verdict" if node.check else node.reply
        if shapes.setdefault(draft.adds(name), shape) != shape:
            why = f"{draft.adds(name)!r} is also added by another node, with another kind of reply"
            raise Misplaced(("nodes", name), why)
    found = {name: list(shape) for name, shape in shapes.items() if isinstance(shape, dict)}
    return found | {name: list(VERDICT) for name, shape in shapes.items() if shape == "verdict"}
