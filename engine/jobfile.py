"""YAML with its lines and columns, and nothing surprising in it.

A job file is a small file that a person wrote: anything else (a bomb of aliases, a key written
twice, 50 MB, tabs, another encoding) is refused in one line that says where. Scalars follow
YAML 1.2: ``no`` is the Norwegian language and not false, ``06:30`` is not 390.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterator, Sequence
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
    changes: dict[Place, str] = field(default_factory=dict)
    """Place of a value that is not the file's -> what put it there, e.g. ``--set seed=3``."""

    def at(self, place: Place, *, key: bool = False) -> str:
        """``file:line:column`` of a place, or of the nearest thing around it."""
        marks = self.keys if key else self.values
        for end in range(len(place), -1, -1):
            if place[:end] in self.changes:
                return self.changes[place[:end]]
        for end in range(len(place), -1, -1):
            found = marks.get(place[:end]) or self.values.get(place[:end])
            if found:
                return f"{self.path}:{found[0]}:{found[1]}"
        return self.path


class _Loader(yaml.CSafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema, less infinity and not-a-number."""


_TAG = "tag:yaml.org,2002:"
_PLAIN = {
    "bool": (re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), "tTfF"),
    "null": (re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    "int": (re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"), "-+0123456789"),
    "float": (
        re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"),
        "-+0123456789.",
    ),
}
_Loader.yaml_implicit_resolvers = {}
for _kind, (_pattern, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(_TAG + _kind, _pattern, list(_first))


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
    except ValueError as error:  # a NUL in the path
        raise JobError(f"{str(path)!r}: {error}") from error
    if len(raw) > MAX_BYTES:
        raise JobError(f"{path}: larger than {MAX_BYTES // 1000} kB; a job is a small file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        what = f"not UTF-8 (byte 0x{raw[error.start]:02x}); save the file as UTF-8"
        raise JobError(f"{path}:{line}:{column}: {what}") from error
    return parse(text, str(path))


def parse(text: str, path: str) -> Sheet:
    """The same for text that is already here; ``path`` names it in errors."""
    try:
        _measure(text, path)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise JobError(_yaml_error(path, text, error)) from error
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        raise JobError(
            f"{path}:1:1: the file is empty; `engine init METHOD` prints a job to start from"
        )
    if not isinstance(node, yaml.MappingNode):
        raise JobError(f"{path}:1:1: a job is a mapping of `key: value` lines")
    sheet = Sheet(path, text, {})
    sheet.value.update(_Builder(sheet).build(node, ()))
    return sheet


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint for a word that is not known: the one it is near to, or all that there are."""
    folded = {name.lower(): name for name in reversed(known)}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    return f"there {'is' if len(known) == 1 else 'are'} {', '.join(map(plain, known)) or 'none'}"


def plain(word: str) -> str:
    """A word from a file for a message of one line: quoted where it holds what cannot be seen."""
    short = word if len(word) <= 60 else word[:57] + "..."
    return short if short.isprintable() else repr(short)


def _measure(text: str, path: str) -> None:
    """Refuse what is nested too deep before anything recurses over it."""
    depth = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=_Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or nodes > 2 * MAX_NODES:
            why = f"more than {MAX_DEPTH} levels deep" if depth > MAX_DEPTH else "too long"
            raise JobError(f"{path}:{_line_column(event.start_mark)}: {why} for a job")


def _line_column(mark: Any) -> str:
    return f"{mark.line + 1}:{mark.column + 1}"


_PLAINER = {
    "but found another document": "a second document begins; a job is one",
    "mapping values are not allowed in this context": "a colon too many, or a wrong indentation; "
    "put text that holds ': ' in quotes",
    "found character that cannot start any token": "text that begins with this sign needs quotes",
    "found unexpected end of stream": "quotes that are never closed",
    "did not find expected key": "no `key: value` here; look at the indentation and the quotes",
    "did not find expected ',' or ']'": "a list in brackets that is not closed, or lacks a comma",
    "did not find expected ',' or '}'": "a mapping in braces that is not closed, or lacks a comma",
}
"""What the YAML library says, and what that means to whoever wrote the file."""


def _yaml_error(path: str, text: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    if mark is None:
        return _unreadable(path, text, problem)
    if problem == "found unexpected end of stream":  # say where the quotes begin
        mark = getattr(error, "context_mark", None) or mark
    line = "".join(text.splitlines()[mark.line : mark.line + 1])
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent or line[mark.column : mark.column + 1] == "\t":
        problem = "a tab; YAML is indented with spaces"
    return f"{path}:{_line_column(mark)}: not YAML: {_PLAINER.get(problem, problem)}"


_FORBIDDEN = re.compile(
    "[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"
)


def _unreadable(path: str, text: str, problem: str) -> str:
    """The library says only that a character is not allowed: say which, and where."""
    found = _FORBIDDEN.search(text)
    if not found:
        return f"{path}: not YAML: {' '.join(problem.split())}"
    line, start = text.count("\n", 0, found.start()) + 1, text.rfind("\n", 0, found.start())
    which = f"the control character U+{ord(found[0]):04X}"
    return f"{path}:{line}:{found.start() - start}: not YAML: {which}"


def _int(text: str) -> int:
    """A whole number of at most 64 bits: what SQLite, JSON and Arrow hold."""
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    number = int(text[:2000], base)
    if not -(1 << 63) <= number < 1 << 63 or len(text) > 2000:
        raise ValueError("a number too large")
    return number


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number too large")
    return number


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": _int,
    "float": _float,
    "bool": lambda text: text.lower() == "true",
    "null": lambda text: None,
}


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
        kind = node.tag.removeprefix(_TAG)
        if kind == "map" and isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, place))
        if kind == "seq" and isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*place, i)) for i, item in enumerate(node.value)]
        if kind not in _SCALARS or not isinstance(node, yaml.ScalarNode):
            short = plain(f"!!{kind}" if node.tag.startswith(_TAG) else node.tag)
            raise self._error(node, f"tags such as {short} mean nothing in a job")
        if kind in _PLAIN and not _PLAIN[kind][0].match(node.value):
            raise self._error(node, f"{node.value[:60]!r} is no {kind}")
        try:
            return _SCALARS[kind](node.value)
        except ValueError as error:
            raise self._error(node, str(error)) from error

    def _pairs(self, node: yaml.MappingNode, place: Place) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                why = "a key is a word, not a structure; put text with { or [ in quotes"
                raise self._error(key_node, why)
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
