"""Parts by name: the folder is the registry.

``evol_instruct`` is ``engine/generators/evol_instruct.py``; a dotted name is a module of the
user's own, found beside the job file or on the import path. Nothing is registered anywhere.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.core import JobError

STEPS = ("generators", "filters", "verifiers", "passes")
SOURCES = ("sources",)
SINKS = ("sinks",)
_VALUES = ("GENERATOR", "FILTER", "VERIFIER", "PASS", "SOURCE", "SINK")


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
        return _part(_own(name, beside), name)
    known = names(*packages)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"
        raise JobError(f"no {' or '.join(packages)} called {name!r}; {hint}")
    return _part(importlib.import_module(known[name]), name)


def module_of(name: str, packages: Sequence[str]) -> ModuleType:
    """The module of one of the engine's own parts."""
    return importlib.import_module(names(*packages)[name])


def _own(name: str, beside: Path) -> ModuleType:
    folder = str(beside.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only the module itself missing is a mistyped name; an import inside it is the user's bug.
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise JobError(f"no module {name!r} in {folder} or on the import path") from error
        raise


def _part(module: ModuleType, name: str) -> Any:
    for value in _VALUES:
        if hasattr(module, value):
            return getattr(module, value)
    raise JobError(f"module {name!r} has none of {', '.join(_VALUES)}")
