"""Synthetic instruction data: a YAML job in, a multilingual training corpus out.

    import engine
    result = engine.run(engine.load("quickstart"), rehearse=True)
    result.dataset()

Names are imported when they are first used: ``engine --help`` must not wait for a library that
only a run needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.core import Drop as Drop
    from engine.core import Record as Record
    from engine.kit import Filter as Filter
    from engine.kit import Generator as Generator
    from engine.kit import Kit as Kit
    from engine.kit import Pass as Pass
    from engine.kit import Source as Source
    from engine.kit import Verifier as Verifier
    from engine.prompting import Prompt as Prompt
    from engine.result import Result as Result
    from engine.session import Job as Job
    from engine.session import arun as arun
    from engine.session import load as load
    from engine.session import run as run

__version__ = "0.1.0"

_HOME = {
    "engine.core": ("Drop", "Record"),
    "engine.kit": ("Filter", "Generator", "Kit", "Pass", "Source", "Verifier"),
    "engine.prompting": ("Prompt",),
    "engine.result": ("Result",),
    "engine.session": ("Job", "arun", "load", "run"),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
