"""Taxonomies: trees of topics, skills or personas, from YAML to networkx.

A file is a mapping of branches; a branch is nothing (a leaf), a list of leaves, or ``names`` by
language, ``weight`` and ``children``:

    science:
      names: {en: Science, de: Wissenschaft}
      weight: 2
      children:
        physics: {names: {en: Physics, de: Physik}}
        chemistry:
    crafts: [pottery, weaving]

A node of the graph is its path, ``science/physics``; the root is ``""``. Weights are relative
among siblings.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import networkx as nx
import yaml
from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from engine.core import JobError
from engine.shipped import folder

ROOT = ""


def _long(branch: object) -> object:
    """The short spellings of a branch, written out."""
    if branch is None or branch == "":
        return {}
    if isinstance(branch, list):
        return {"children": branch}
    return branch


def _mapped(children: object) -> object:
    if isinstance(children, list) and all(isinstance(name, str) for name in children):
        if twice := {name for name in children if children.count(name) > 1}:
            raise ValueError(f"{sorted(twice)} stands there twice")
        return dict.fromkeys(children)
    return children


Name = Annotated[str, Field(min_length=1, pattern=r"^[^/]+$")]


class Branch(BaseModel, extra="forbid"):
    """A node as the file has it."""

    names: dict[str, Name] = Field(default_factory=dict)
    """What it is called, by language tag; a language without one uses English, then the key."""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """How often it is drawn, relative to its siblings."""
    children: Children = Field(default_factory=dict)


Children = Annotated[
    dict[Name, Annotated[Branch, BeforeValidator(_long)]], BeforeValidator(_mapped)
]
Branch.model_rebuild()
_FILE: TypeAdapter[dict[str, Branch]] = TypeAdapter(Children)


class _Loader(yaml.BaseLoader):
    """YAML where every word is text, so that Norwegian (``no``) is a language and not false.

    Aliases, which make a small file huge, and keys given twice are errors.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = parent.start_mark if parent else None
            raise yaml.MarkedYAMLError(None, None, "a taxonomy has no aliases (*name)", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"{key.value!r} stands there twice"
                raise yaml.MarkedYAMLError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def load(path: Path) -> nx.DiGraph[str]:
    """The tree in the file; edges point from parent to child, in the file's order.

    Nodes have the attributes ``key``, ``names`` and ``weight``.

    Raises:
        JobError: the file is no taxonomy; says where.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
        branches = _FILE.validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"] if part not in ("children", "[key]"))
        raise JobError(f"{path}: {where or 'top'}: {first['msg']}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise JobError(f"{path}{at}: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise JobError(f"{path}: not a readable taxonomy: {error}") from error
    if not branches:
        raise JobError(f"{path}: an empty taxonomy")
    return _graph(branches)


def _graph(branches: Mapping[str, Branch]) -> nx.DiGraph[str]:
    tree: nx.DiGraph[str] = nx.DiGraph()
    tree.add_node(ROOT, key="", names={}, weight=1.0)
    _grow(tree, ROOT, branches)
    return tree


def _grow(tree: nx.DiGraph[str], parent: str, branches: Mapping[str, Branch]) -> None:
    for key, branch in branches.items():
        path = f"{parent}/{key}" if parent else key
        tree.add_node(path, key=key, names=branch.names, weight=branch.weight)
        tree.add_edge(parent, path)
        _grow(tree, path, branch.children)


def leaves(tree: nx.DiGraph[str]) -> Iterator[str]:
    """Paths of the nodes without children, in the file's order."""
    return (node for node in nx.dfs_preorder_nodes(tree, ROOT) if not tree.out_degree(node))


def draw(tree: nx.DiGraph[str], random: random.Random) -> str:
    """One leaf: from the root down, a child at a time, by weight."""
    node = ROOT
    while children := list(tree.successors(node)):
        weights = [tree.nodes[child]["weight"] for child in children]
        node = random.choices(children, weights)[0]
    return node


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
