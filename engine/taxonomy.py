"""Taxonomies: trees of topics, skills or personas, from YAML to networkx, and how to cover one.

A file is a mapping of branches; a branch is nothing (a leaf), a list of leaves, or ``names`` by
language, ``weight`` and ``children``:

    science:
      names: {en: Science, de: Wissenschaft}
      weight: 2
      children:
        physics: {names: {en: Physics, de: Physik}}
        chemistry:
    crafts: [pottery, weaving]

A node of the graph is its path, ``science/physics``; the root is ``""``. A leaf's share of all
seeds is the product of the weights from the top down to it: without weights, all leaves have the
same, however deep they lie and however many their siblings are.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import yaml

from engine.core import JobError
from engine.jobfile import did_you_mean, plain
from engine.shipped import folder

ROOT = ""
FIELDS = ("names", "weight", "children")
"""What a branch that is a mapping may say."""
DEEPEST = 50
"""Levels of a tree, at most: what is deeper is a mistake, and would exhaust Python's stack."""
LIGHTEST, HEAVIEST = 0.001, 1000
"""Weights between which the product over all levels is a number that floats can hold."""


class _Loader(yaml.BaseLoader):
    """YAML where every word is text, so that Norwegian (``no``) is a language and not false."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):  # they make a small file huge
            mark = parent.start_mark if parent else None
            raise yaml.MarkedYAMLError(None, None, "a taxonomy has no aliases (*name)", mark)
        return super().compose_node(parent, index)


def load(path: Path) -> nx.DiGraph[str]:
    """The tree in the file; edges point from parent to child, in the file's order.

    Nodes have the attributes ``key``, ``names`` and ``weight``.

    Raises:
        JobError: the file is no taxonomy; says on which line, why, and what would be right.
    """
    tree: nx.DiGraph[str] = nx.DiGraph()
    tree.add_node(ROOT, key="", names={}, weight=1.0)
    try:
        top = yaml.compose(path.read_text(encoding="utf-8-sig"), _Loader)
        if top is None or not top.value:
            raise JobError(f"{path}: an empty taxonomy; want branches, such as `science:`")
        _children(tree, ROOT, top)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise JobError(f"{path}{at}: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise JobError(f"{path}: not a readable taxonomy: {error}") from error
    return tree


# -- from YAML to a tree; a mistake is raised where it stands -----------------------------------


def _children(tree: nx.DiGraph[str], parent: str, node: yaml.Node) -> None:
    """Branches below ``parent``: a mapping of them, or a list of leaves."""
    if parent.count("/") >= DEEPEST:
        raise _mistake(node, f"more than {DEEPEST} levels deep")
    if isinstance(node, yaml.SequenceNode):
        for leaf in node.value:
            _added(tree, parent, leaf, {}, 1.0)
    elif isinstance(node, yaml.MappingNode):
        for key, branch in node.value:
            _branch(tree, parent, key, branch)
    elif node.value:
        raise _mistake(node, f"{plain(node.value)!r} is no branches: want `name:` lines or a list")


def _branch(tree: nx.DiGraph[str], parent: str, key: yaml.Node, branch: yaml.Node) -> None:
    if not isinstance(branch, yaml.MappingNode):  # nothing, or a list of leaves
        _children(tree, _added(tree, parent, key, {}, 1.0), branch)
        return
    said = dict(_pairs(branch))
    for field, value in said.items():
        if field not in FIELDS:
            where = next(each for each, _ in branch.value if each.value == field)
            below = "" if isinstance(value, yaml.ScalarNode) else "; branches go under `children:`"
            hint = did_you_mean(field, FIELDS) + below
            raise _mistake(where, f"{plain(field)!r} is nothing that a branch says: {hint}")
    names = _names(said["names"]) if "names" in said else {}
    weight = _weight(said["weight"]) if "weight" in said else 1.0
    path = _added(tree, parent, key, names, weight)
    if "children" in said:
        _children(tree, path, said["children"])


def _added(
    tree: nx.DiGraph[str], parent: str, key: yaml.Node, names: Mapping[str, str], weight: float
) -> str:
    """The path of a new node."""
    name = _word(key, "a branch is called by a word")
    path = f"{parent}/{name}" if parent else name
    if path in tree:
        raise _mistake(key, f"{plain(name)!r} stands there twice")
    tree.add_node(path, key=name, names=names, weight=weight)
    tree.add_edge(parent, path)
    return path


def _names(node: yaml.Node) -> dict[str, str]:
    if not isinstance(node, yaml.MappingNode):
        raise _mistake(node, "names are given by language, such as {en: Physics, de: Physik}")
    return {tag: _word(name, f"the name in {tag!r} is a text") for tag, name in _pairs(node)}


def _weight(node: yaml.Node) -> float:
    try:
        weight = float(node.value)
    except (TypeError, ValueError):
        weight = math.nan
    if not LIGHTEST <= weight <= HEAVIEST:
        found = plain(node.value) if isinstance(node, yaml.ScalarNode) else "a structure"
        raise _mistake(node, f"weight is {found!r}, want a number from {LIGHTEST} to {HEAVIEST}")
    return weight


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    seen: set[str] = set()
    for key, value in node.value:
        word = _word(key, "a key is a word")
        if word in seen:
            raise _mistake(key, f"{plain(word)!r} stands there twice")
        seen.add(word)
        yield word, value


def _word(node: yaml.Node, want: str) -> str:
    """A text that can be a part of a path."""
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip() or "/" in node.value:
        found = repr(plain(node.value)) if isinstance(node, yaml.ScalarNode) else "a structure"
        raise _mistake(node, f"{want}, not empty and without /; found {found}")
    return str(node.value)


def _mistake(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, problem, node.start_mark)


# -- what is in a tree --------------------------------------------------------------------------


def leaves(tree: nx.DiGraph[str]) -> Iterator[str]:
    """Paths of the nodes without children, in the file's order."""
    return (node for node in nx.dfs_preorder_nodes(tree, ROOT) if not tree.out_degree(node))


def shares(tree: nx.DiGraph[str], *, weighted: bool = True) -> dict[str, float]:
    """What each node is due, relative to others: a leaf by its weights, a branch by its leaves.

    Without ``weighted``, every leaf is due the same.
    """
    due: dict[str, float] = {ROOT: 1.0}
    for parent, child in nx.dfs_edges(tree, ROOT):
        due[child] = due[parent] * (tree.nodes[child]["weight"] if weighted else 1.0)
    for node in nx.dfs_postorder_nodes(tree, ROOT):
        if tree.out_degree(node):
            due[node] = math.fsum(due[child] for child in tree.successors(node))
    return due


def covering(
    tree: nx.DiGraph[str], random: random.Random, *, weighted: bool = True
) -> Iterator[str]:
    """Leaves without end, in an order in which none starves and any beginning is even.

    From the root down, the child comes next that is furthest behind its share (Sainte-Laguë's
    divisors, so that what came before is never taken back). Without weights every leaf comes once
    in each turn of all of them, and the branches alternate; ``random`` decides among equals.
    """
    due, taken = shares(tree, weighted=weighted), Counter[str]()
    queues: dict[str, list[tuple[float, int, str]]] = {}
    for node in tree:
        children = list(tree.successors(node))
        random.shuffle(children)
        queues[node] = [(1 / due[child], at, child) for at, child in enumerate(children)]
        heapq.heapify(queues[node])
    while True:
        node = ROOT
        while queue := queues[node]:
            _, at, node = queue[0]
            taken[node] += 1
            heapq.heapreplace(queue, ((2 * taken[node] + 1) / due[node], at, node))
        yield node


def names(tree: nx.DiGraph[str], path: str, language: str) -> list[str]:
    """What the nodes from the top down to ``path`` are called in this language.

    A name that is missing for ``zh-Hans`` is looked for in ``zh``, then in English; the last
    resort is the key, with spaces for underscores.
    """
    keys = path.split("/")
    nodes = ["/".join(keys[: depth + 1]) for depth in range(len(keys))]
    return [_name(tree.nodes[node], language) for node in nodes]


def _name(node: Mapping[str, Any], language: str) -> str:
    known: Mapping[str, str] = node["names"]
    for tag in (language, language.split("-")[0], "en"):
        if tag in known:
            return known[tag]
    return str(node["key"]).replace("_", " ")


def shipped(name: str) -> Path | None:
    """The file of a taxonomy that comes with the engine, e.g. ``topics``, where there is one."""
    file = folder("taxonomies") / f"{name.removesuffix('.yaml')}.yaml"
    return file if file.is_file() else None
