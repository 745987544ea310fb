"""Jinja templates of datasets, turned round: a text and a kind of task in, the task out.

A template makes an input and a target out of a row, with ``|||`` between them. Where it prints the
row's text it now prints a slot, found in the syntax tree and not in the characters: white space
and quotation marks do not matter, several places are several slots, and a filter around the text
that changes its looks only goes with it. What is computed from the text (its length, a condition)
keeps seeing the text itself. Whoever renders a row does it twice, with the text and with the slot,
and can tell that both are the same task.

Templates may come from strangers: they run in jinja's sandbox, with few filters and methods, no
imports, no macros, no arithmetic that makes large texts, and loops two deep at most.

Source: Nayak, Nan, Trost, Bach, "Learning to Generate Instruction Tuning Datasets for Zero-Shot
Task Adaptation", 2024, arXiv:2402.18334, section 3 (remixed templates); Bach et al.,
"PromptSource", 2022, arXiv:2202.01279 (the form of the templates).
Differs: a syntax tree in place of a search for characters; proof by rendering.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import BuiltinMethodType
from typing import Any, NamedTuple

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.core import Json
from engine.text.task_types import SLOT

BETWEEN = "|||"
"""What a template has between input and target."""
_CUT = "\ue0f1\ue0f2\ue0f1"
"""Takes its place while rendering: private characters, which a row has no use for."""
_COPY = "context_slot_"
"""The variable that the slot is printed from."""
_LOOKS = frozenset({"trim", "capitalize", "title", "upper", "lower", "string"})
"""Filters that leave a text the same text."""
_METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "capitalize", "title", "upper", "lower", "split", "join"}
    | {"replace", "startswith", "endswith", "items", "keys", "values", "get", "index", "count"}
)
_FILTERS = frozenset(
    _LOOKS
    | {"abs", "count", "default", "d", "first", "float", "int", "join", "last", "length", "list"}
    | {"max", "min", "replace", "reject", "rejectattr", "reverse", "round", "select", "selectattr"}
    | {"sort", "sum", "unique", "wordcount"}
)
_BARRED = {
    nodes.Mul: "*",
    nodes.Pow: "**",
    nodes.Mod: "%",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
}
_DEEPEST = 2
FAULTS = (jinja2.TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError)
"""What rendering a template on a row may raise, whatever either holds."""


class Unfit(ValueError):
    """A template that cannot be used; says why."""


class Rendered(NamedTuple):
    """A row by a template: its text, and input and target with slots."""

    context: str
    input: str
    target: str
    fault: str = ""
    """Why it cannot be used, as a slug."""


@dataclass(frozen=True, slots=True)
class Remix:
    """A template that prints the text of a row."""

    context: jinja2.Template
    plain: jinja2.Template
    slotted: jinja2.Template
    choices: jinja2.Template

    def render(self, row: Mapping[str, Json], rng: random.Random) -> Rendered:
        """The row by this template; ``rng`` is for templates that choose a wording.

        Raises:
            FAULTS: the template and the row do not go together.
        """
        state = rng.getstate()
        given = {**row, "row": row}
        context = self.context.render(given).strip()
        texts = []
        for template in (self.plain, self.slotted):
            rng.setstate(state)  # so that both choose the same
            choices = [part.strip() for part in self.choices.render(given).split(BETWEEN)]
            given |= {"answer_choices": choices, "choice": _Choice(rng), _COPY: SLOT}
            texts.append(template.render(given).split(_CUT))
        plain, slotted = texts
        if len(plain) != 2 or len(slotted) != 2:
            return Rendered(context, "", "", "not_one_separator")
        parts = Rendered(context, *(part.strip() for part in slotted))
        return parts._replace(fault=_fault(parts, [part.strip() for part in plain]))


def remix(body: str, context: str, choices: str = "") -> Remix | None:
    """The template with slots for an expression; ``None`` where it does not print it.

    Raises:
        Unfit: it cannot be read, does what no template may, or is the text and nothing else.
    """
    wanted = _tree(f"{{{{ {context} }}}}").find(nodes.Output)
    if wanted is None or len(wanted.nodes) != 1:
        raise Unfit(f"{context!r} is not one expression")
    if BETWEEN not in body:
        raise Unfit(f"no {BETWEEN} between input and target")
    plain, slotted = _tree(body), _tree(body)
    found = sum(_put(output, wanted.nodes[0]) for output in slotted.find_all(nodes.Output))
    if not found:
        return None
    if _nothing_else(slotted):
        raise Unfit("the input is the text and nothing else")
    trees = (_tree(f"{{{{ {context} }}}}"), _marked(plain), _marked(slotted), _tree(choices))
    try:
        return Remix(*map(_ENV.from_string, trees))
    except jinja2.TemplateSyntaxError as error:  # a test that does not exist, found by the compiler
        raise Unfit(f"line {error.lineno}: {error.message}") from error


def copied(context: str, text: str, n: int) -> bool:
    """Whether more than ``n`` characters of the context stand in a text, one after the other."""
    runs = {text[at : at + n + 1] for at in range(len(text) - n)}
    return any(context[at : at + n + 1] in runs for at in range(len(context) - n))


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with methods by name; ``None`` is printed as nothing."""

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, _Choice):
            return True
        return isinstance(obj, BuiltinMethodType) and obj.__name__ in _METHODS


@dataclass(frozen=True, slots=True)
class _Choice:
    """``choice([...])`` in a template: one of several wordings."""

    rng: random.Random

    def __call__(self, among: Any) -> Any:
        return self.rng.choice(list(among))


def _printable(value: Any) -> Any:
    return "" if value is None else value


def _environment() -> jinja2.Environment:
    env = _Sandbox(undefined=jinja2.StrictUndefined, finalize=_printable)
    env.globals.clear()
    env.filters = {name: env.filters[name] for name in _FILTERS}
    return env


_ENV = _environment()


def _tree(source: str) -> nodes.Template:
    """The syntax tree of a template that may run.

    Raises:
        Unfit: it does not parse, or holds what is barred.
    """
    try:
        tree = _ENV.parse(source)
    except jinja2.TemplateSyntaxError as error:
        raise Unfit(f"line {error.lineno}: {error.message}") from error
    for node in tree.find_all(tuple(_BARRED)):
        raise Unfit(f"line {node.lineno}: {_BARRED[type(node)]} is not allowed")
    for each in tree.find_all(nodes.Filter):
        if each.name not in _FILTERS:
            raise Unfit(f"line {each.lineno}: there is no filter {each.name!r}")
    if _depth(tree) > _DEEPEST or any(loop.recursive for loop in tree.find_all(nodes.For)):
        raise Unfit(f"loops are {_DEEPEST} deep at most")
    return tree


def _depth(node: nodes.Node) -> int:
    below = max(map(_depth, node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.For)


def _put(output: nodes.Output, wanted: nodes.Expr) -> int:
    """Put slots into what is printed here; says how many."""
    count = 0

    def slot(node: nodes.Expr) -> nodes.Expr:
        nonlocal count
        if node == wanted:
            count += 1
            return nodes.Name(_COPY, "load", lineno=node.lineno)
        return _within(node, slot)

    output.nodes = [slot(node) for node in output.nodes]
    return count


def _within(node: nodes.Expr, slot: Callable[[nodes.Expr], nodes.Expr]) -> nodes.Expr:
    """The node with slots in those of its parts that are printed as they are."""
    match node:
        case nodes.Filter(name=name, node=nodes.Expr() as inner) if name in _LOOKS:
            return _looks(node, inner, slot, name == "trim")
        case nodes.Call(node=nodes.Getattr(attr=name) as method) if name in _LOOKS | {"strip"}:
            return _looks(node, method.node, slot, False)
        case nodes.Filter(name="join", node=nodes.List() as parts):
            parts.items = [slot(item) for item in parts.items]
        case nodes.Concat():
            node.nodes = [slot(part) for part in node.nodes]
        case nodes.Add():
            node.left, node.right = slot(node.left), slot(node.right)
        case nodes.CondExpr():
            node.expr1 = slot(node.expr1)
            node.expr2 = slot(node.expr2) if node.expr2 else None
    return node


def _looks(
    node: nodes.Expr, inner: nodes.Expr, slot: Callable[[nodes.Expr], nodes.Expr], keep: bool
) -> nodes.Expr:
    """A filter on the text itself goes: the slot stands for the text as it is."""
    if not keep and not isinstance(inner, nodes.Name | nodes.Filter | nodes.Getitem | nodes.Call):
        return node
    put = slot(inner)
    if isinstance(put, nodes.Name) and put.name == _COPY:
        return put
    if keep and isinstance(node, nodes.Filter):
        node.node = put
    return node


def _marked(tree: nodes.Template) -> nodes.Template:
    """The separator as a mark that no row holds."""
    for piece in tree.find_all(nodes.TemplateData):
        piece.data = piece.data.replace(BETWEEN, _CUT)
    return tree


def _nothing_else(tree: nodes.Template) -> bool:
    """Whether the input is slots and white space."""
    for node in tree.body:
        if not isinstance(node, nodes.Output):
            return False
        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                before, cut, _ = part.data.partition(BETWEEN)
                if before.strip() or cut:
                    return not before.strip()
            elif not (isinstance(part, nodes.Name) and part.name == _COPY):
                return False
    return False


def _fault(parts: Rendered, plain: list[str]) -> str:
    if not parts.context:
        return "no_context"
    if not parts.input or not parts.target:
        return "empty_target" if parts.input else "empty_input"
    if parts.input == SLOT:
        return "nothing_but_the_context"
    slotted = (parts.input, parts.target)
    same = all(
        _folded(part.replace(SLOT, parts.context)) == _folded(other)
        for part, other in zip(slotted, plain, strict=True)
    )
    return "" if same else "not_the_same_task"


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
