"""The engine's own source, parsed: what the conventions are checked against."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from types import ModuleType
from typing import Any

from tests.conftest import ROOT

ENGINE = ROOT / "engine"
KINDS = {
    "generators": "GENERATOR",
    "filters": "FILTER",
    "verifiers": "VERIFIER",
    "passes": "PASS",
    "sources": "SOURCE",
    "sinks": "SINK",
}
"""Folder of parts -> the value that each of its files ends with."""


@dataclass(frozen=True)
class Module:
    """One file below ``engine/``."""

    path: str
    """Relative to the repository, with slashes: ``engine/filters/length.py``."""

    @property
    def name(self) -> str:
        """What ``use:`` calls it, where it is a part."""
        return self.path.rpartition("/")[2].removesuffix(".py")

    @property
    def dotted(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def package(self) -> str:
        """The folder right below ``engine/``; empty for a file right there."""
        parts = self.path.split("/")
        return parts[1] if len(parts) > 2 else ""

    @cached_property
    def text(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

    @cached_property
    def ast(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @property
    def written(self) -> int:
        """Lines that say something: the formatter's blank ones are not the author's."""
        return sum(bool(line.strip()) for line in self.text.splitlines())

    def load(self) -> ModuleType:
        return importlib.import_module(self.dotted)

    def part(self) -> Any:
        """The value its file ends with."""
        return getattr(self.load(), KINDS[self.package])

    def at(self, node: ast.AST) -> str:
        """Where a node is, for a message."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def walk(self) -> Iterator[Any]:
        return ast.walk(self.ast)

    def __str__(self) -> str:
        return self.path.removeprefix("engine/").removesuffix(".py")


def modules() -> list[Module]:
    """Every file of the engine, by path."""
    return [Module(path.relative_to(ROOT).as_posix()) for path in sorted(ENGINE.rglob("*.py"))]


def parts(*folders: str) -> list[Module]:
    """Every part of these kinds, those in family folders too."""
    return [m for m in modules() if m.package in folders and m.name != "__init__"]


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    for node in module.walk():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    whole = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None or first.end_lineno is None:
        return whole
    return whole - (first.end_lineno - first.lineno + 1)


def dotted(node: ast.AST) -> str:
    """``os.environ`` of the expression that says so; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (above := dotted(node.value)):
        return f"{above}.{node.attr}"
    return ""


def imported(module: Module) -> dict[str, str]:
    """Every imported name -> what it stands for: ``{"Random": "random.Random"}``."""
    names: dict[str, str] = {}
    for node in module.walk():
        if isinstance(node, ast.Import):
            names |= {(a.asname or a.name.split(".")[0]): a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {(a.asname or a.name): f"{node.module}.{a.name}" for a in node.names}
    return names


def used(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Every imported thing the module speaks of, by its full name, with the place."""
    names = imported(module)
    for node in module.walk():
        if isinstance(node, ast.Attribute | ast.Name) and (said := dotted(node)):
            first, _, rest = said.partition(".")
            if first in names:
                yield names[first] + ("." + rest if rest else ""), node


def every(things: Sequence[object]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """One test over all of these that tells of each that fails: thousands of tests take a minute.

    The check takes one of them first, then fixtures.
    """

    def over(check: Callable[..., None]) -> Callable[..., None]:
        @wraps(check)
        def test(**fixtures: object) -> None:
            wrong = []
            for thing in things:
                try:
                    check(thing, **fixtures)
                except AssertionError as error:
                    wrong.append(f"{thing}: {error}")
            assert not wrong, "\n".join(wrong)

        _, *fixtures = inspect.signature(check).parameters.values()
        del test.__wrapped__
        test.__signature__ = inspect.Signature(fixtures)  # type: ignore[attr-defined]
        return test

    return over
