"""Tool calls as values: what a model wrote, held against the schema of what it called.

A server's tool parser finds calls in what a model writes and promises little about them: the
function may not exist, its arguments may lack a field. What is wrong is told in one sentence, so
that the model can be asked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core import Json, ReplyError
from engine.models.chat import Reply, Tool, ToolCall


@dataclass(frozen=True, slots=True)
class Called:
    """A call that fits its tool."""

    name: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ToolReply:
    """A reply of a model that had tools."""

    text: str
    """What it said beside its calls, stripped; empty where it only called."""
    calls: tuple[Called, ...]
    """In the model's order; empty where it called none."""
    truncated: bool = False
    """The token limit cut the text."""


def check(tools: Sequence[Tool]) -> None:
    """Make sure that these tools can be offered.

    Raises:
        ValueError: there is none, two have one name, or a schema is no JSON schema.
    """
    import jsonschema

    names = [tool.name for tool in tools]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"tools have names of their own, and there is at least one: {names}")
    for tool in tools:
        try:
            jsonschema.Draft202012Validator.check_schema(tool.parameters)
        except jsonschema.SchemaError as error:
            raise ValueError(f"the parameters of {tool.name}: {error.message}") from error


def read(reply: Reply, tools: Sequence[Tool]) -> ToolReply:
    """The reply with its calls as values.

    Raises:
        ReplyError: a call fits no tool, or there is neither a call nor a text.
    """
    by_name = {tool.name: tool for tool in tools}
    calls = tuple(_called(call, by_name) for call in reply.tool_calls)
    text = reply.text.strip()
    if not calls and not text:
        raise ReplyError("an empty reply that calls no tool")
    return ToolReply(text, calls, reply.truncated)


def told(reply: Reply) -> str:
    """The reply as text, its calls as JSON, for a conversation that goes on."""
    calls = [
        f'{{"name": {json.dumps(c.name)}, "arguments": {c.arguments}}}' for c in reply.tool_calls
    ]
    return "\n".join(filter(None, [reply.text.strip(), *calls]))


def _called(call: ToolCall, tools: Mapping[str, Tool]) -> Called:
    tool = tools.get(call.name)
    if tool is None:
        raise ReplyError(f"it calls {call.name!r}; the tools are {', '.join(tools)}")
    try:
        arguments: Any = json.loads(call.arguments or "{}")
    except ValueError as error:
        start = call.arguments[:80]
        raise ReplyError(
            f"the arguments of {call.name} are not JSON: {error} in {start!r}"
        ) from None
    if wrong := _misfit(arguments, tool.parameters):
        raise ReplyError(f"the arguments of {call.name}: {wrong}")
    return Called(call.name, arguments)


def _misfit(arguments: object, schema: Mapping[str, Any]) -> str:
    import jsonschema
    import referencing

    if not isinstance(arguments, dict):
        return "they are one JSON object"
    # a registry of its own: by default a schema could name an address and have it fetched
    validator = jsonschema.Draft202012Validator(schema, registry=referencing.Registry())
    error = jsonschema.exceptions.best_match(validator.iter_errors(arguments))
    if error is None:
        return ""
    where = ".".join(map(str, error.absolute_path))
    return f"{where}: {error.message[:200]}" if where else str(error.message)[:200]
