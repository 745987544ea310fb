"""Chat completions as JSON: what a request looks like on the wire, and a reply in what came back.

Pure functions, shared by whoever sends a body: the client now, a file of calls later. The old
``guided_*`` fields of vLLM are not sent: since 0.12 they are ignored without a word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from engine.models.chat import Reply, Request, Sample, Tool, ToolCall

LOOSENING = frozenset({"uniqueItems"})
"""Schema keywords not sent: vLLM 0.32 refuses them (400 ``Grammar error``); validation has them."""
ABORTED = frozenset({"abort", "error"})
"""Finish reasons by which vLLM says that it gave the request up; the text is a fragment."""
CHOICE_FIELD = "structured_outputs"
"""vLLM's field for a reply that must be one of some texts; others ignore it, or refuse it."""

PASSING = frozenset({408, 409, 425, 429})
"""Refusals that another try may overcome, as it may any 5xx; other 4xx are the last word."""
RENDERING = ("chat_template", "chat_template_kwargs", "documents", "tools")
"""Sampling fields that change how a chat is rendered, and with that the score of a text in it."""


class BrokenReply(Exception):
    """A 200 that is cut short, empty or not what was asked for; worth another try."""


def body(request: Request, model: str, sampling: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a chat completion; ``sampling`` wins over the request's own.

    Fields that are not OpenAI's (``top_k``) are sent as they are, ``None`` leaves a field out.
    """
    fields: dict[str, Any] = {
        "model": model,
        "messages": [{"role": m.role, "content": clean(m.content)} for m in request.messages],
        "seed": request.seed,
    }
    if request.schema is not None:
        fields["response_format"] = _response_format(request.schema)
    if request.n > 1:
        fields["n"] = request.n
    if request.options:
        fields[CHOICE_FIELD] = {"choice": list(map(clean, request.options))}
    if request.tools:
        fields["tools"] = list(map(_function, request.tools))
    return _flat({**fields, **request.sampling, **sampling})


def read(text: str, model: str) -> Reply:
    """The reply in the body of a chat completion.

    Raises:
        BrokenReply: it is none, or the server gave up on the way.
    """
    answer = parsed(text)
    try:
        choices = sorted(answer["choices"], key=lambda choice: choice.get("index") or 0)
        samples = tuple(map(_sample, choices))
        calls = choices[0]["message"].get("tool_calls") or ()
        tokens_in, tokens_out = usage(answer)
        return Reply(
            samples[0].text,
            answer.get("model") or model,
            tokens_in,
            tokens_out,
            any(sample.truncated for sample in samples),
            samples=samples if len(samples) > 1 else (),
            tool_calls=tuple(map(_call, calls)) if calls else (),
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        raise BrokenReply(said(answer) or f"no choices: {str(answer)[:80]}") from None


def _sample(choice: Mapping[str, Any]) -> Sample:
    message, finish = choice["message"], choice.get("finish_reason")
    text = message.get("content") or message.get("refusal") or ""
    if finish in ABORTED or not isinstance(text, str):
        raise BrokenReply(f"finish_reason {finish}, content {str(text)[:80]!r}")
    return Sample(clean(text), finish == "length")


def _call(call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    arguments = function.get("arguments")
    if not isinstance(arguments, str):  # some servers send the object and not its text
        arguments = json.dumps(arguments or {}, ensure_ascii=False)
    return ToolCall(clean(str(function["name"])), clean(arguments))


def _function(tool: Tool) -> dict[str, Any]:
    about = {"name": tool.name, "description": tool.description}
    return {"type": "function", "function": about | {"parameters": sendable(tool.parameters)}}


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    # No "strict": vLLM, llama.cpp and Ollama hold a reply to its schema without it, and OpenAI
    # refuses with it every schema that has an optional field.
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": sendable(schema)}}


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    fields |= fields.pop("extra_body", None) or {}  # as people write it for the SDK
    return {name: value for name, value in fields.items() if value is not None}


def sendable(schema: Any) -> Any:
    """The schema without keywords that servers refuse; a property may still have such a name."""
    if isinstance(schema, Mapping):
        return {
            key: sendable(value)
            for key, value in schema.items()
            if key not in LOOSENING or isinstance(value, Mapping)
        }
    return [sendable(item) for item in schema] if isinstance(schema, list) else schema


def rendering(sampling: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``sampling`` that decide how a chat is rendered."""
    fields = {**sampling, **(sampling.get("extra_body") or {})}
    return {name: fields[name] for name in RENDERING if fields.get(name) is not None}


def parsed(text: str) -> Any:
    """The JSON of a body; the standard parser has the last word: orjson refuses lone surrogates.

    Raises:
        BrokenReply: it is none.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text)
    except ValueError:
        raise BrokenReply(f"a body that is not JSON: {text[:80]!r}") from None


def usage(answer: Mapping[str, Any]) -> tuple[int, int]:
    """Tokens in and out, as far as the server says."""
    told = answer.get("usage") or {}
    return told.get("prompt_tokens") or 0, told.get("completion_tokens") or 0


def clean(text: str) -> str:
    """The text with U+FFFD for each lone surrogate: nothing later could encode those."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def said(answer: object) -> str:
    """The server's own words in an error body, in any of the shapes servers use; else empty."""
    while isinstance(answer, Mapping):
        answer = next((answer[k] for k in ("error", "message", "detail") if answer.get(k)), "")
    return answer if isinstance(answer, str) else str(answer or "")
