"""The inmost: parse a program, count its assertions, run it, say how it ended.

This runs in the program's own process, so what it says is testimony, not proof: the outside
believes "it came to its end" only with the run's token, and only where the exit code agrees. A
program that forges the testimony forges it as well when one assertion is *doubted* (taken as
failed whatever it finds), and that is how it is found out: see ``verifiers/execution``.

Everything used after the program has run is bound before it runs, by name or by operator; a
program may replace any builtin or any function of a module.

Differs from the published way (exit code 0 of the file): the end must be reached, assertions are
counted, only the block of the ``__main__`` guard is cut, and test functions that nobody calls
are called.
"""

from __future__ import annotations

import ast
import builtins
import gc
import linecache
import random
import sys
import traceback
from collections.abc import Callable, Iterator
from os import close, getpid, urandom, write
from types import CodeType, ModuleType, TracebackType

from engine.sandbox.limits import Program

_exec, _type = exec, type
_untraced, _unprofiled = sys.settrace, sys.setprofile
_TESTS = ("test", "check")
"""What the names of functions that test others start with."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Caught:
    """Whatever came out of the block, even an exit."""

    error: BaseException | None = None

    def __enter__(self) -> _Caught:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.error = error
        return True


def perform(program: Program, token: str, channel: int) -> int:
    """Run the program in this process and report to the channel; the exit code.

    One line of its own: token, how it ended (as in ``watch``), assertions, exception.
    """
    count, name = _counter(program.doubt if program.change == "doubted" else 0)
    report = _reporter(token, channel, count)
    module = _main_module()
    module.__dict__[name] = count
    with _Caught() as parsing:
        pieces = _compiled(program, name)
    if parsing.error is not None:
        _tell(parsing.error)
        report("unparsable", parsing.error)
        return 1
    with _Caught() as running:
        for piece in pieces:
            _exec(piece, module.__dict__)
    _untraced(None)
    _unprofiled(None)
    return _ended(running.error, report)


def _ended(error: BaseException | None, report: Callable[[str, BaseException | None], None]) -> int:
    exit_code = 1
    match error:
        case None:
            report("end", None)
            exit_code = 0
        case SystemExit(code=int(number)):
            report("exited", error)
            exit_code = number & 0xFF
        case SystemExit(code=said):
            report("exited", error)
            exit_code = 1 if said else 0
        case _:
            report("raised", error)
            _tell(error)
    with _Caught():
        sys.stdout.flush()
    with _Caught():
        sys.stderr.flush()
    return exit_code


def _tell(error: BaseException) -> None:
    """Write the traceback, without the frames of this module."""
    with _Caught():
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        traceback.print_exception(error.__class__, error, trace, limit=-20)


class _Counter:
    """Counts assertions as they are evaluated; the doubted one is false."""

    __slots__ = ("doubted", "ran")

    def __init__(self, doubted: int) -> None:
        self.ran, self.doubted = 0, doubted

    def __call__(self, value: object) -> object:
        self.ran += 1
        return value if self.ran != self.doubted else False


def _counter(doubted: int) -> tuple[_Counter, str]:
    return _Counter(doubted), f"_{urandom(8).hex()}"


def _reporter(
    token: str, channel: int, count: _Counter
) -> Callable[[str, BaseException | None], None]:
    me, swallow = getpid(), _Caught

    def report(how: str, error: BaseException | None) -> None:
        if getpid() != me:  # a forked copy came to the end as well
            return
        raised = "" if error is None else _type(error).__name__
        if how == "end" and count.ran < count.doubted:
            how, raised = "raised", "DoubtNotReached"
        line = f"\n{token} {how} {count.ran} {raised}\n"
        with swallow():
            write(channel, line.encode("utf-8", "replace"))
            close(channel)

    return report


def _main_module() -> ModuleType:
    """A fresh ``__main__`` in an interpreter that shows nothing of the engine."""
    module = ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    for name in [n for n in sys.modules if n.partition(".")[0] == "engine"]:
        del sys.modules[name]
    sys.modules["__main__"] = module
    sys.argv, sys.orig_argv = [""], [""]
    random.seed(0)  # the same program has the same luck
    gc.enable()
    return module


def _compiled(program: Program, name: str) -> list[CodeType]:
    sources = [("<solution>", program.code), ("<tests>", program.tests)]
    trees = [ast.parse(source, filename) for filename, source in sources]
    solution, tests = trees
    alone = not tests.body
    _without_guard(trees)
    _call_tests(solution if alone else tests)
    counted = _assertions(solution, alone) if alone else _asserts(tests)
    for each in counted:
        there = ast.Name(name, ast.Load())
        each.test = ast.Call(there, [each.test], [])
    if program.change == "emptied":
        _empty(solution, alone)
    for filename, source in sources:
        lines = source.splitlines(keepends=True)
        linecache.cache[filename] = (len(source), None, lines, filename)
    return [
        compile(ast.fix_missing_locations(tree), filename, "exec", dont_inherit=True)
        for tree, (filename, _) in zip(trees, sources, strict=True)
    ]


def _asserts(tree: ast.AST) -> list[ast.Assert]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]


def _is_test(function: Function) -> bool:
    return function.name.casefold().startswith(_TESTS) and bool(_asserts(function))


def _solution(tree: ast.AST, alone: bool) -> Iterator[Function | ast.Lambda]:
    """The outermost functions that solve; tests are left out where they stand beside them."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, Function | ast.Lambda):
            if not (alone and not isinstance(node, ast.Lambda) and _is_test(node)):
                yield node
        elif not isinstance(node, ast.Assert):
            left.extend(ast.iter_child_nodes(node))


def _assertions(tree: ast.Module, alone: bool) -> list[ast.Assert]:
    """The assertions that test the solution; those inside it check its own arguments."""
    inside = {id(a) for function in _solution(tree, alone) for a in _asserts(function)}
    return [each for each in _asserts(tree) if id(each) not in inside]


def _empty(tree: ast.Module, alone: bool) -> None:
    """Take out what the functions do; where there are none, everything but imports and tests."""
    functions = list(_solution(tree, alone))
    for function in functions:
        if isinstance(function, ast.Lambda):
            function.body = ast.Constant(None)
        else:
            function.body = [ast.Pass()]
    if not functions:
        stay = ast.Import | ast.ImportFrom | ast.Assert | Function
        tree.body = [node for node in tree.body if isinstance(node, stay)]


def _without_guard(trees: list[ast.Module]) -> None:
    """Programs that read input do so below ``if __name__ == "__main__":``; there is none here."""
    names = {n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.attr for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    if names & {"input", "stdin"}:
        for tree in trees:
            tree.body = [node for node in tree.body if not _is_guard(node)]


def _is_guard(node: ast.stmt) -> bool:
    match node:
        case ast.If(test=ast.Compare(ops=[ast.Eq()], left=left, comparators=[right])):
            sides = (left, right)
            named = any(isinstance(s, ast.Name) and s.id == "__name__" for s in sides)
            return named and any(isinstance(s, ast.Constant) for s in sides)
    return False


def _call_tests(tree: ast.Module) -> None:
    """Call the test functions without parameters that are only defined, as a test runner would."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in list(tree.body):
        if not isinstance(node, ast.FunctionDef) or node.decorator_list or node.name in used:
            continue
        given = node.args
        plain = not (given.posonlyargs or given.args or given.kwonlyargs)
        if node.name.startswith("test") and plain:
            tree.body.append(ast.Expr(ast.Call(ast.Name(node.name, ast.Load()), [], [])))
