"""Parts by name: the folder is the registry.

``evol_instruct`` is ``engine/generators/evol_instruct.py``; a dotted name is a module of the
user's own, found beside the job file or on the import path. Nothing is registered anywhere.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.core import JobError
from engine.jobfile import did_you_mean

STEPS = ("generators", "graphs", "filters", "verifiers", "passes")
CHECKS = ("filters", "verifiers")
SOURCES = ("sources",)
SINKS = ("sinks",)
_VALUES = {
    "generators": "GENERATOR",
    "graphs": "GENERATOR",
    "filters": "FILTER",
    "verifiers": "VERIFIER",
    "passes": "PASS",
    "sources": "SOURCE",
    "sinks": "SINK",
}
"""Package -> what a module in it ends with."""


def names(*packages: str) -> dict[str, str]:
    """Part name -> the module it is, in these packages of the engine."""
    found: dict[str, str] = {}
    for package in packages:
        folder = str(Path(__file__).parent / package)
        for path, prefix in _walk(folder, f"engine.{package}."):
            found |= {m.name: prefix + m.name for m in pkgutil.iter_modules([path]) if not m.ispkg}
    return found


def _walk(folder: str, prefix: str) -> list[tuple[str, str]]:
    """The folder itself and the family folders in it."""
    inside = [m.name for m in pkgutil.iter_modules([folder]) if m.ispkg]
    return [(folder, prefix)] + [(f"{folder}/{name}", f"{prefix}{name}.") for name in inside]


def find(name: str, packages: Sequence[str], beside: Path) -> Any:
    """The part of this name: a ``Generator``, ``Filter``, ``Verifier``, ``Pass``, ...

    Raises:
        JobError: there is none, or the user's module does not end with one.
    """
    if "." in name:
        return _part(_own(name, beside), name, packages)
    known = names(*packages)
    if name not in known:
        raise JobError(_unknown(name, packages, known))
    return _part(importlib.import_module(known[name]), name, packages)


def module_of(name: str, packages: Sequence[str]) -> ModuleType:
    """The module of one of the engine's own parts."""
    return importlib.import_module(names(*packages)[name])


def _unknown(name: str, packages: Sequence[str], known: Mapping[str, str]) -> str:
    for package in _VALUES:
        if name in names(package):
            return f"{name!r} is a {_kind(package)}; here stands a {_kinds(packages)}"
    hint = did_you_mean(name, sorted(known))
    if not hint.startswith("did"):
        hint += "; a module of your own has a dotted name"
    return f"no {_kinds(packages)} is called {name!r}; {hint}"


def _kind(package: str) -> str:
    return _VALUES[package].lower()


def _kinds(packages: Sequence[str]) -> str:
    *others, last = dict.fromkeys(map(_kind, packages))
    return f"{', '.join(others)} or {last}" if others else last


def _own(name: str, beside: Path) -> ModuleType:
    folder = str(beside.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if not all(part.isidentifier() for part in name.split(".")):
        raise JobError(f"{name!r} cannot be a module; write it like package.module")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only the module itself missing is a mistyped name; an import inside it is the user's bug.
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise JobError(f"no module {name!r} in {folder} or on the import path") from error
        raise


def _part(module: ModuleType, name: str, packages: Sequence[str]) -> Any:
    among = [package for package in packages if package] or list(_VALUES)
    wanted = list(dict.fromkeys(_VALUES[package] for package in among))
    for value in wanted:
        if hasattr(module, value):
            return getattr(module, value)
    has = [value for value in _VALUES.values() if hasattr(module, value)]
    ends = f"it has {has[0]}" if has else "see the parts of the engine for how a module ends"
    raise JobError(f"the module {name} has no {' or '.join(wanted)}; {ends}")
