"""What every file of the engine promises."""

from __future__ import annotations

import ast
import re

from tests.conventions.tree import Module, dotted, every, functions, length, modules, used

MODULES = modules()
LEAVES = ("generators", "filters", "verifiers", "passes", "sources", "sinks", "text", "languages")
LEAF_MODULES = [module for module in MODULES if module.package in LEAVES]
READS_ENVIRONMENT = {"engine/cli.py", "engine/job.py", "engine/quiet.py"}
BOUNDARY = {"engine/runner.py", "engine/verdicts.py"}
"""The two files with an ``except Exception``: between the engine and a part, and a check."""
VAGUE = {"data", "info", "obj", "util", "utils", "helper", "helpers", "manager", "handler"}
CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*$")
MUTABLE = {"dict", "list", "set", "defaultdict", "Counter", "deque", "OrderedDict", "bytearray"}
CHANGES = {"append", "add", "update", "setdefault", "pop", "popitem", "clear", "extend", "insert"}
CHANGES |= {"remove", "discard", "sort", "reverse", "appendleft"}


every_module, every_leaf = every(MODULES), every(LEAF_MODULES)


@every_module
def test_it_says_what_it_is(module: Module) -> None:
    assert (ast.get_docstring(module.ast) or "").strip(), f"{module.path}: no docstring"


@every_module
def test_it_has_at_most_400_lines(module: Module) -> None:
    assert module.lines <= 400, f"{module.path}: {module.lines} lines"


@every_module
def test_no_function_is_longer_than_40_lines(module: Module) -> None:
    long = [f"{module.at(f)} {f.name}: {length(f)}" for f in functions(module) if length(f) > 40]
    assert not long


@every([m for m in MODULES if m.name == "__init__" and m.package])
def test_the_init_of_a_folder_holds_no_code(module: Module) -> None:
    assert [type(node) for node in module.ast.body] == [ast.Expr], f"{module.path}: has code"


@every_module
def test_no_error_is_swallowed_wholesale(module: Module) -> None:
    broad = []
    for node in module.walk():
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {dotted(kind) if kind else "everything" for kind in kinds}
            banned = {"everything", "BaseException"}
            banned |= set() if module.path in BOUNDARY else {"Exception"}
            broad += [f"{module.at(node)}: except {name}" for name in sorted(names & banned)]
    assert not broad


@every_module
def test_the_environment_is_read_where_it_may_be(module: Module) -> None:
    if module.path in READS_ENVIRONMENT:
        return
    reads = [
        f"{module.at(node)}: {name}"
        for name, node in used(module)
        if name.startswith(("os.environ", "os.getenv", "os.putenv"))
    ]
    assert not reads


@every_module
def test_no_state_lives_in_the_module(module: Module) -> None:
    state = [module.at(node) + ": global" for node in module.walk() if isinstance(node, ast.Global)]
    for node in module.ast.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and _is_mutable(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [dotted(target) for target in targets]
            state += [
                f"{module.at(node)}: {name}"
                for name in names  # a dotted one configures a class
                if not CONSTANT.match(name) and "." not in name and name != "__all__"
            ]
    assert not state


@every_module
def test_no_constant_is_ever_changed(module: Module) -> None:
    constants = {
        dotted(target)
        for node in module.ast.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    changed = []
    for function in functions(module):
        for node in ast.walk(function):
            name = _changed(node)
            if name in constants and CONSTANT.match(name):
                changed.append(f"{module.at(node)}: {name}")
    assert not changed


@every_module
def test_names_say_something(module: Module) -> None:
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    named = [(n.name, module.at(n)) for n in module.walk() if isinstance(n, kinds)]
    vague = [
        f"{place}: {name}"
        for name, place in [(module.name, module.path), (module.package, module.path), *named]
        if VAGUE & set(_words(name))
    ]
    assert not vague


@every_leaf
def test_a_leaf_knows_no_clock(module: Module) -> None:
    clocks = ("time.", "datetime.", "asyncio.sleep", "asyncio.timeout", "asyncio.wait_for")
    assert not [f"{module.at(node)}: {n}" for n, node in used(module) if n.startswith(clocks)]


@every_leaf
def test_a_leaf_draws_only_named_random_numbers(module: Module) -> None:
    other = [
        f"{module.at(node)}: {name}"
        for name, node in used(module)
        if (name.startswith("random.") and name != "random.Random")
        or name.startswith(("numpy.random", "secrets.", "uuid.", "os.urandom"))
    ]
    made = [
        f"{module.at(node)}: {dotted(node.func)}()"
        for node in module.walk()
        if isinstance(node, ast.Call)
        # hash() of a text differs from one process to the next, id() from one object to the next
        and dotted(node.func) in ("random.Random", "Random", "hash", "id")
    ]
    assert not other + made


def _is_mutable(value: ast.expr) -> bool:
    literals = ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp
    called = isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] in MUTABLE
    return isinstance(value, literals) or called


def _changed(node: ast.AST) -> str:
    """The name whose value this statement or call changes in place; empty where none."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=verb)) if verb in CHANGES:
            return name
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
        case ast.AugAssign(target=ast.Name(id=name)):
            return name
    return ""


def _words(name: str) -> list[str]:
    """``load_data`` and ``DataLoader`` in words."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]
