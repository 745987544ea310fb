"""Which steps stream together, and when a pass comes."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan import Plan, Stage, layers


def staged(edges: str, passes: str = "") -> list[list[str]]:
    """Stages of a graph: ``"a>b b>P"``; the names in ``passes`` are passes."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for edge in edges.split():
        names = edge.split(">")
        graph.add_nodes_from(names)
        graph.add_edges_from(pairwise(names))
    return [sorted(stage) for stage in layers(graph, frozenset(passes))]


@pytest.mark.parametrize(
    ("edges", "passes", "stages"),
    [
        ("a", "", [["a"]]),
        ("a>b>c", "", [["a", "b", "c"]]),
        ("a>b a>c b>d c>d", "", [["a", "b", "c", "d"]]),
        ("a>P>b", "P", [["a"], ["P"], ["b"]]),
        ("a>P>Q>b", "PQ", [["a"], ["P"], ["Q"], ["b"]]),
        ("a>P>Q", "PQ", [["a"], ["P"], ["Q"]]),
        ("P>a", "P", [[], ["P"], ["a"]]),  # a pass right behind the source
        ("P>Q", "PQ", [[], ["P"], ["Q"]]),
        ("a>P a>Q P>b Q>b", "PQ", [["a"], ["P"], ["Q"], ["b"]]),  # two passes side by side
        ("a>P>b a>c", "P", [["a", "c"], ["P"], ["b"]]),  # a branch that waits for nobody
        ("a>P>b a>b", "P", [["a"], ["P"], ["b"]]),  # fan-in across stages
        ("a>P>b>Q a>Q>c", "PQ", [["a"], ["P"], ["b"], ["Q"], ["c"]]),
        ("a>P>b x>y>b", "P", [["a", "x", "y"], ["P"], ["b"]]),  # two sources
        ("a>P>Q>b P>c", "PQ", [["a"], ["P"], ["c"], ["Q"], ["b"]]),
    ],
)
def test_what_streams_between_two_passes_is_one_stage(edges, passes, stages):
    assert staged(edges, passes) == stages


NODES = st.integers(0, 9)


@given(st.sets(st.tuples(NODES, NODES).filter(lambda e: e[0] < e[1])), st.sets(NODES))
def test_in_every_graph_each_comes_after_all_it_reads_from(edges, passes):
    graph: nx.DiGraph[str] = nx.DiGraph([(f"{a}", f"{b}") for a, b in edges])
    graph.add_node("0")
    chosen = frozenset(f"{p}" for p in passes if graph.has_node(f"{p}"))
    stages = layers(graph, chosen)
    at = {name: i for i, stage in enumerate(stages) for name in stage}
    assert sorted(at) == sorted(graph)
    assert sum(map(len, stages)) == len(at)
    for a, b in graph.edges:
        assert at[a] < at[b] or (at[a] == at[b] and not chosen & {a, b})
    for stage in stages:
        assert len(stage) == 1 or not chosen & set(stage)


def test_the_order_of_edges_does_not_change_the_stages():
    assert staged("a>P b>P P>c") == staged("P>c b>P a>P")


def test_a_name_is_found_in_its_stage():
    plan = Plan((), (Stage({"a": None}), Stage(settle=None, name="p"), Stage({"b": None})), {})  # type: ignore[dict-item]
    assert [plan.stage_of(name) for name in ("a", "p", "b")] == [0, 1, 2]
