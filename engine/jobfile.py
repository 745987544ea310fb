"""YAML with its lines and columns, and nothing surprising in it.

A job file is a small file that a person wrote: anything else (a bomb of aliases, a key written
twice, 50 MB, tabs, another encoding) is refused in one line that says where. Scalars follow
YAML 1.2: ``no`` is the Norwegian language and not false, ``06:30`` is not 390.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.core import JobError

MAX_BYTES = 1_000_000
MAX_NODES = 20_000
MAX_DEPTH = 40

Place = tuple[str | int, ...]
Mark = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A YAML file, read: its value and where each part of it stands."""

    path: str
    text: str
    value: dict[str, Any]
    keys: dict[Place, Mark] = field(default_factory=dict)
    """Place of a value -> line and column (from 1) of its key, or of the item in a list."""
    values: dict[Place, Mark] = field(default_factory=dict)
    """Place of a value -> line and column of the value itself."""

    def at(self, place: Place, *, key: bool = False) -> str:
        """``file:line:column`` of a place, or of the nearest thing around it."""
        marks = self.keys if key else self.values
        for end in range(len(place), -1, -1):
            found = marks.get(place[:end]) or self.values.get(place[:end])
            if found:
                return f"{self.path}:{found[0]}:{found[1]}"
        return self.path


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan)$",
        "-+0123456789.",
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def read(path: Path) -> Sheet:
    """Read a job file.

    Raises:
        JobError: not there, not UTF-8, too large, not YAML, or not a mapping; says where.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise JobError(f"{path}: {error.strerror or error}") from error
    if len(raw) > MAX_BYTES:
        raise JobError(f"{path}: larger than {MAX_BYTES // 1000} kB; a job is a small file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise JobError(f"{path}:{line}: not UTF-8 (byte 0x{raw[error.start]:02x})") from error
    return parse(text, str(path))


def parse(text: str, path: str) -> Sheet:
    """The same for text that is already here; ``path`` names it in errors."""
    try:
        _measure(text, path)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise JobError(_yaml_error(path, text, error)) from error
    if node is None:
        raise JobError(
            f"{path}: the file is empty; `engine init METHOD` prints a job to start from"
        )
    if not isinstance(node, yaml.MappingNode):
        raise JobError(f"{path}:1:1: a job is a mapping of `key: value` lines")
    sheet = Sheet(path, text, {})
    sheet.value.update(_Builder(sheet).build(node, ()))
    return sheet


def _measure(text: str, path: str) -> None:
    """Refuse what is nested too deep before anything recurses over it."""
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or nodes > 2 * MAX_NODES:
            line = text.count("\n", 0, event.start_mark.index) + 1 if event.start_mark else 1
            raise JobError(f"{path}:{line}: too deeply nested or too long for a job")


def _yaml_error(path: str, text: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    if mark is None:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        return f"{path}:{line}: {getattr(error, 'reason', problem)}"
    if "\t" in "".join(text.split("\n")[mark.line : mark.line + 1])[: mark.column + 1]:
        problem = "a tab; YAML is indented with spaces"
    return f"{path}:{mark.line + 1}:{mark.column + 1}: not YAML here: {problem}"


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": lambda text: float(text.replace(".inf", "inf").replace(".nan", "nan")),
    "bool": lambda text: text.lower() == "true",
    "null": lambda text: None,
}
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class _Builder:
    """Nodes to values, noting where each stands; counts what aliases multiply."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._nodes = 0
        self._inside: list[yaml.Node] = []

    def build(self, node: yaml.Node, place: Place) -> Any:
        """The value of a node."""
        self._nodes += 1
        mark = (node.start_mark.line + 1, node.start_mark.column + 1)
        self._sheet.values.setdefault(place, mark)
        if self._nodes > MAX_NODES:
            raise self._error(node, "aliases multiply this into too much")
        if any(node is outer for outer in self._inside):
            raise self._error(node, "an alias that contains itself")
        self._inside.append(node)
        try:
            return self._value(node, place)
        finally:
            self._inside.pop()

    def _value(self, node: yaml.Node, place: Place) -> Any:
        known = node.tag in _COLLECTIONS
        if known and isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, place))
        if known and isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*place, i)) for i, item in enumerate(node.value)]
        kind = node.tag.rpartition(":")[2]
        if not node.tag.startswith("tag:yaml.org,2002:") or kind not in _SCALARS:
            raise self._error(node, f"tags such as {node.tag} mean nothing in a job")
        if kind == "int" and node.value[:2] in ("0o", "0x"):
            return int(node.value, 0)
        return _SCALARS[kind](node.value)

    def _pairs(self, node: yaml.MappingNode, place: Place) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "a key is a word, not a structure")
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key == "<<":
                raise self._error(key_node, "merge keys (<<) are not used in a job")
            if key in seen:
                raise self._error(key_node, f"the key {key!r} is already on line {seen[key]}")
            seen[key] = line
            self._sheet.keys[(*place, key)] = (line, key_node.start_mark.column + 1)
            yield key, self.build(value_node, (*place, key))

    def _error(self, node: yaml.Node, why: str) -> JobError:
        mark = node.start_mark
        return JobError(f"{self._sheet.path}:{mark.line + 1}:{mark.column + 1}: {why}")
