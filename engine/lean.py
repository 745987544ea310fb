"""LangGraph's graphs, compiled without what nobody here listens to: a quarter of a graph's time.

LangGraph wraps every node for tracers: each plain function is given to a thread, each route is
traced as a run, and a node and the writing of what it returned are a chain with callbacks and a
task of its own. The engine keeps lineage itself and traces nothing, so plain functions are run
where they stand (a node that waits is ``async``), and a node's chain is run as the sequence it
is. What a graph means is as before: nodes, edges, state and errors are LangGraph's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import Runnable
from langgraph.graph import StateGraph


def compiled(graph: StateGraph[Any, Any, Any, Any]) -> Any:
    """The graph, ready to run."""
    parts: Any = graph
    routes = [spec.path for specs in parts.branches.values() for spec in specs.values()]
    for part in [*routes, *(spec.runnable for spec in parts.nodes.values())]:
        plain = getattr(part, "func", None)
        if hasattr(part, "func_accepts"):
            part.trace = False
            part.afunc = _awaited(plain) if plain is not None else part.afunc
    app = graph.compile()
    for node in app.nodes.values():
        chain: Any = node.node
        if steps := getattr(chain, "steps", ()):
            vars(node)["node"] = Steps(steps)  # where the cached property keeps it
    return app


def _awaited(plain: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        return plain(*args, **kwargs)

    return run


class Steps(Runnable[Any, Any]):
    """Runnables in their order, each given what the one before it returned."""

    def __init__(self, steps: Any) -> None:
        """``steps``: a node, then what writes its result and leads on."""
        self._steps: tuple[Runnable[Any, Any], ...] = tuple(steps)

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """The same without a loop."""
        for step in self._steps:
            input = step.invoke(input, config, **kwargs)
            kwargs = {}
        return input

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """What the last one returns."""
        for step in self._steps:
            input = await step.ainvoke(input, config, **kwargs)
            kwargs = {}
        return input
