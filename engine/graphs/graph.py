"""A graph that the job declares: questions, checks and the ways between them, without Python.

The idea: most methods are a handful of prompts, a condition and a loop. Written in the job they
become the same LangGraph as a generator of the engine: every call is journalled and stands in the
lineage, replies are typed and asked for again when they are not, a check's verdict decides the
way. All of it is checked before the first call.

Records enter at the node that stands first; a node's edges are tried in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from engine.core import JobError
from engine.declared import Declared, Found, Misplaced, Site
from engine.flows import expressions
from engine.flows.checking import Draft, check, kept
from engine.flows.making import Parts
from engine.flows.making import graph as made
from engine.flows.shapes import Edge, KeepPart, Name, NodePart, reply_type
from engine.kit import Generator
from engine.prompting import Prompt

if TYPE_CHECKING:
    from langgraph.graph import StateGraph

FORMS = {"text": "text", "list": "numbered_list"}
"""What a reply is to look like, for the header of the prompt that a template becomes."""


class Params(BaseModel, extra="forbid"):
    """The graph."""

    nodes: dict[Name, NodePart] = Field(min_length=1)
    """Nodes by name; the first is where records enter. Each has a ``prompt`` (a file), a
    ``template`` or a ``check``, and ``adds`` what comes back to what later nodes may use, beside
    ``instruction``, ``response``, ``facts`` and ``visits``."""
    edges: list[Edge] = Field(min_length=1)
    """``a -> b``, or from, to and ``when``: of a node's edges the first that holds is taken."""
    keep: KeepPart
    """The record that comes out, at the end called ``keep``."""


def build(params: Params, site: Site) -> Generator[Params]:
    """The generator that this job declares.

    Raises:
        Misplaced: it is no graph that could run.
    """
    prompts = {n: _prompt(n, p, site) for n, p in params.nodes.items() if not p.check}
    checks = {n: _check(n, p, site) for n, p in params.nodes.items() if p.check}
    uses = {n: frozenset(site.library.load(p.name).header.inputs) for n, p in prompts.items()}
    draft = Draft(params.nodes, params.edges, params.keep, uses)
    _written(params)
    check(draft)
    asked = (*prompts.values(), *(prompt for kind, _ in checks.values() for prompt in kind.prompts))
    roles = tuple(dict.fromkeys(role for kind, _ in checks.values() for role in kind.roles))

    def graph() -> StateGraph[Any, Any, Any, Any]:
        return made(Parts(draft, prompts, checks))

    return Generator(graph, Params, tuple(dict.fromkeys(asked)), roles)


def _prompt(name: str, node: NodePart, site: Site) -> Prompt[object]:
    called = node.prompt or f"graph/{site.step}.{name}"
    try:
        if node.template:
            form = "label" if isinstance(node.reply, list) else FORMS.get(str(node.reply), "text")
            site.library.write(
                called,
                node.template,
                "template",
                purpose=f"The node {name} of the step {site.step}.",
                role=node.role,
                sampling=node.sampling,
                form=form,
            )
        site.library.load(called)
    except JobError as error:
        field = "template" if node.template else "prompt"
        raise Misplaced(("nodes", name, field), str(error)) from error
    return Prompt(called, reply=reply_type(name, node.reply))


def _check(name: str, node: NodePart, site: Site) -> Found:
    return site.check(node.check, node.settings, ("nodes", name))


def _written(params: Params) -> None:
    """Every condition and text can be read."""
    for place, text, expression in _texts(params):
        try:
            (expressions.condition if expression else expressions.template)(text, "jinja")
        except JobError as error:
            raise Misplaced(place, str(error)) from error


def _texts(params: Params) -> Iterator[tuple[tuple[str | int, ...], str, bool]]:
    for i, edge in enumerate(params.edges):
        if edge.when:
            yield ("edges", i, "when"), edge.when, True
    yield from kept(params.keep)


GENERATOR = Declared(Params, build)
