"""What a part asks, read from its source: the third side of a prompt's inputs.

A prompt's header and body are compared when it is loaded; what the code gives it is compared
here, from the syntax tree, so that a job with a wrong keyword is refused before the first call
and not by an error in the night.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from engine.kit import Generator
from engine.prompting import Library, Prompt

ASKS = frozenset({"ask", "ask_many", "choose", "call_tools", "score"})
"""Methods of ``Kit`` that take a prompt and its inputs."""
OWN = frozenset({"take", "language", "role"})
"""Keywords of these methods; a header's input ``language`` is filled in by them."""


def mismatches(kind: Any, library: Library) -> Iterator[str]:
    """``file:line: ...`` for every question of a part that does not fit its prompt.

    A call whose prompt cannot be told from the source (picked at run time from no dictionary)
    is left to the kit, which refuses it when it is made.
    """
    module = sys.modules[(kind.graph if isinstance(kind, Generator) else kind.check).__module__]
    try:
        tree = ast.parse(inspect.getsource(module))
    except OSError:  # typed into a console: there is no source to read
        return
    declared = {prompt.name for prompt in kind.prompts}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _is_ask(node)):
            continue
        where = f"{module.__file__}:{node.lineno}"
        for prompt in _meant(module, node.args[0]):
            if prompt.name not in declared:
                yield f"{where}: asks {prompt.name}, which is not among the part's prompts"
            elif why := _misfit(node, prompt, library):
                yield f"{where}: {why}"


def _is_ask(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in ASKS and bool(node.args)


def _meant(module: ModuleType, asked: ast.expr) -> list[Prompt[Any]]:
    """The prompts an expression may stand for: a name, or one out of a dictionary of them."""
    base = asked.value if isinstance(asked, ast.Subscript) else asked
    value = getattr(module, base.id, None) if isinstance(base, ast.Name) else None
    found = list(value.values()) if isinstance(value, dict) else [value]
    return [prompt for prompt in found if isinstance(prompt, Prompt)]


def _misfit(node: ast.Call, prompt: Prompt[Any], library: Library) -> str:
    given = {keyword.arg for keyword in node.keywords if keyword.arg} - OWN
    spread = any(keyword.arg is None for keyword in node.keywords)
    takes = set(library.load(prompt.name).header.inputs) - OWN
    if given - takes or (takes - given and not spread):
        return f"{prompt.name} takes {sorted(takes)}, is given {sorted(given)}"
    return ""
