"""Python source read as text, never run: what it defines, and whether it is worth learning from.

Code that models or strangers wrote is only parsed here; running it is the sandbox's business.
What cannot be parsed, too deeply nested and overlong sources included, counts as no code.
"""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from engine import shipped

LONGEST = 200_000
"""Characters of source that are parsed."""
MAX_LINES = 150
"""Lines of a function that can be shown to a model."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError)
_KNOWN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


@dataclass(frozen=True, slots=True)
class Function:
    """A function that explains itself, with the imports it needs."""

    name: str
    code: str


@lru_cache(maxsize=1)
def lists() -> dict[str, tuple[str, ...]]:
    """The words and modules that say a piece of code is unfinished or unfit."""
    path = shipped.folder("taxonomies") / "self_code_align.yaml"
    read = shipped.read(path)
    return {name: tuple(map(str, words)) for name, words in read.items()}


def parsed(code: str) -> ast.Module | None:
    """The syntax tree; ``None`` where there is none."""
    if len(code) > LONGEST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in somebody's text is not our warning
        try:
            return ast.parse(code)
        except _BROKEN:
            return None


def definitions(code: str) -> tuple[str, ...]:
    """Names of the functions and classes at the top, in lower case, without underscores, sorted."""
    tree = parsed(code)
    found = [n.name for n in tree.body if isinstance(n, Definition)] if tree else []
    return tuple(sorted({name.lower().replace("_", "") for name in found}))


def representation(code: str) -> str:
    """The functions and classes at the top without docstrings, comments and layout.

    Empty where there are none, or where the code cannot be parsed.
    """
    tree = parsed(code)
    if tree is None:
        return ""
    for node in ast.walk(tree):
        if isinstance(node, Definition) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    try:
        return "\n".join(ast.unparse(n) for n in tree.body if isinstance(n, Definition))
    except RecursionError:
        return ""


def shape(code: str) -> str:
    """What the code says, without layout and comments; empty where it cannot be parsed."""
    tree = parsed(code)
    try:
        return ast.dump(tree) if tree else ""
    except RecursionError:
        return ""


def asserts_outside(code: str) -> bool:
    """Whether an assertion stands outside of every function and class, so that it surely runs."""
    tree = parsed(code)
    left: list[ast.AST] = [*tree.body] if tree else []
    while left:
        node = left.pop()
        if isinstance(node, ast.Assert):
            return True
        if not isinstance(node, Definition | ast.Lambda):
            left.extend(ast.iter_child_nodes(node))
    return False


def unfinished(code: str) -> str:
    """The word that says a piece of code is unfinished; ``""`` for none."""
    low = code.casefold()
    as_written = next((word for word in lists()["unfinished_as_written"] if word in code), "")
    return as_written or next((word for word in lists()["unfinished"] if word in low), "")


def functions(source: str) -> Iterator[Function]:
    """The functions at the top of a file that can stand alone and say what they do.

    Each takes an argument, begins with a docstring in triple quotes, returns a value, is at most
    ``MAX_LINES`` long, uses no name but builtins and what the file imports, imports nothing that
    touches the machine or draws, and holds no word that says it is unfinished.
    """
    tree = parsed(source)
    if tree is None:
        return
    lines = source.split("\n")
    imports = _imports(tree)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _explains_itself(node, source):
            first = min((d.lineno for d in node.decorator_list), default=node.lineno)
            code = "\n".join(lines[first - 1 : node.end_lineno])
            needed = _foreign(code) - _KNOWN - {node.name}
            if needed <= imports.keys() and _fit(code, {imports[name][0] for name in needed}):
                above = dict.fromkeys(imports[name][1] for name in imports if name in needed)
                yield Function(node.name, "\n".join([*above, *([""] if above else []), code]))


def _explains_itself(node: ast.FunctionDef, source: str) -> bool:
    given = node.args
    takes = given.posonlyargs or given.args or given.kwonlyargs or given.vararg or given.kwarg
    if not takes or ast.get_docstring(node) is None:
        return False
    opening = (ast.get_source_segment(source, node.body[0]) or "").lstrip("rRuU")
    returns = any(isinstance(n, ast.Return) and n.value is not None for n in _own(node))
    return opening.startswith(('"""', "'''")) and returns


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """What belongs to the function itself, not to those within it."""
    left: list[ast.AST] = [*function.body]
    while left:
        node = left.pop()
        yield node
        if not isinstance(node, Definition | ast.Lambda):
            left.extend(ast.iter_child_nodes(node))


def _fit(code: str, modules: set[str]) -> bool:
    low = code.casefold()
    if code.count("\n") >= MAX_LINES or any(word in low for word in lists()["seed_words"]):
        return False
    inside = {module for module, _ in _imports(parsed(code)).values()}
    return (modules | inside).isdisjoint(lists()["seed_modules"])


def _imports(tree: ast.Module | None) -> dict[str, tuple[str, str]]:
    """Every imported name -> the module's first name, and the line that imports it."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            for one in node.names:
                top = one.name.partition(".")[0]
                found[one.asname or top] = (top, ast.unparse(ast.Import([one])))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for one in node.names:
                top, line = node.module.partition(".")[0], ast.ImportFrom(node.module, [one], 0)
                found[one.asname or one.name] = (top, ast.unparse(line))
    return found


def _foreign(code: str) -> set[str]:
    """The names that a piece of code reads from around it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            left = [symtable.symtable(code, "<code>", "exec")]
        except _BROKEN:
            return {""}
    found: set[str] = set()
    while left:
        table = left.pop()
        left.extend(table.get_children())
        outermost = table.get_type() == "module"
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() or outermost):
                found.add(symbol.get_name())
    return found
