"""Conditions and texts of a declared graph: jinja in a sandbox, read before anything runs.

A job file is text that travels: what it computes may look at values and call what jinja offers,
and nothing else (no attribute that leads to Python's own, no change of a value).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jinja2
import jinja2.meta
import jinja2.nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.core import JobError
from engine.prompting import READING

Values = Mapping[str, Any]


def environment() -> jinja2.Environment:
    """The sandbox; a name or attribute that is not there is an error, never an empty text."""
    return ImmutableSandboxedEnvironment(**READING)


def condition(text: str, where: str) -> Callable[[Values], Any]:
    """What an expression says of these values.

    Raises:
        JobError: it is no expression; when called, it cannot be computed from them.
    """
    try:
        whole = environment().compile_expression(text, undefined_to_none=False)
    except jinja2.TemplateSyntaxError as error:
        raise JobError(f"{where}: {error.message} in {text!r}") from error

    def value(values: Values) -> Any:
        found = _computed(lambda: whole(**values), where, text)
        if isinstance(found, jinja2.Undefined):
            raise JobError(f"{where}: {text!r} is not there")
        return found

    return value


def template(text: str, where: str) -> Callable[[Values], str]:
    """A text with values filled in.

    Raises:
        JobError: it is no template; when called, it cannot be filled in from them.
    """
    try:
        whole = environment().from_string(text)
    except jinja2.TemplateSyntaxError as error:
        raise JobError(f"{where}: {error.message}") from error
    return lambda values: str(_computed(lambda: whole.render(**values), where, text))


def _computed(work: Callable[[], Any], where: str, text: str) -> Any:
    try:
        return work()
    except (jinja2.UndefinedError, SecurityError) as error:
        raise JobError(f"{where}: {error.message} in {text!r}") from error
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise JobError(f"{where}: {error} in {text!r}") from error


def names(text: str, *, expression: bool) -> set[str]:
    """The names that it takes from outside."""
    return jinja2.meta.find_undeclared_variables(_parsed(text, expression=expression))


def attributes(text: str, *, expression: bool) -> Iterator[tuple[str, str]]:
    """Every ``name.attribute`` in it."""
    for node in _parsed(text, expression=expression).find_all(jinja2.nodes.Getattr):
        if isinstance(node.node, jinja2.nodes.Name):
            yield node.node.name, node.attr


def _parsed(text: str, *, expression: bool) -> jinja2.nodes.Template:
    return environment().parse("{{ (" + text + ") }}" if expression else text)
