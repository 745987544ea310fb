"""What the journal writes down: the question that makes a key, and the answer as text.

A plain question and a plain answer look as they always did, so that what old journals hold still
serves; what a request has besides (several samples, options, tools) joins the question only
where it has it. Answers that are more than one text are JSON.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from engine.models.bodies import rendering
from engine.models.chat import Count, Reply, Request, Sample, Scores, ToolCall, Vector


@dataclass(frozen=True, slots=True)
class Said:
    """A journalled call."""

    key: str
    prompt: str
    role: str
    model: str
    tokens_in: int
    tokens_out: int
    truncated: bool
    max_tokens: int
    """The limit it was asked with; 0 where there was none."""
    seconds: float
    asked: bytes
    """JSON: messages, sampling, schema, seed, take, and what else the request had."""
    text: str
    """The reply; JSON where it is more than one text: samples, tool calls, scores, a vector."""


def asked_chat(request: Request) -> bytes:
    """What the model sees of a chat, without the limit that would only cut its reply."""
    question: dict[str, Any] = {
        "messages": request.messages,
        "sampling": {k: v for k, v in request.sampling.items() if k != "max_tokens"},
        "schema": request.schema,
        "seed": request.seed,
        "take": request.take,
    }
    if request.n > 1:
        question["n"] = request.n
    if request.options:
        question["options"] = request.options
    if request.tools:
        question["tools"] = request.tools
    return _dumped(question)


def asked_scores(request: Request) -> bytes:
    """What decides a score: the messages and how they are rendered."""
    return _dumped(
        {"messages": request.messages, "score": True, "sampling": rendering(request.sampling)}
    )


def asked_vector(text: str, sampling: Mapping[str, Any]) -> bytes:
    """What decides a vector: the text alone, not those that were sent with it."""
    messages = [{"role": "user", "content": text}]
    return _dumped({"messages": messages, "embed": True, "sampling": sampling})


def asked_count(request: Request) -> bytes:
    """What decides a count. Texts are told by their digest: they are long and counted often."""
    messages = [{"role": m.role, "content": _digest(m.content)} for m in request.messages]
    return _dumped({"messages": messages, "count": True, "sampling": rendering(request.sampling)})


def written(reply: Reply, request: Request) -> str:
    """A reply as text: its own, or JSON where the request could bring more."""
    if request.n == 1 and not request.tools:
        return reply.text
    samples = reply.samples or (Sample(reply.text, reply.truncated),)
    return _dumped({"samples": samples, "calls": reply.tool_calls}).decode()


def read_reply(said: Said, request: Request) -> Reply:
    """The reply of a journalled call."""
    cut = bool(said.truncated)  # SQLite knows only 0 and 1; a fact must not depend on a restart
    about = (said.model, said.tokens_in, said.tokens_out, cut, said.key)
    if request.n == 1 and not request.tools:
        return Reply(said.text, *about)
    kept = orjson.loads(said.text)
    samples = tuple(Sample(**each) for each in kept["samples"])
    calls = tuple(ToolCall(**each) for each in kept["calls"])
    return Reply(samples[0].text, *about, samples if len(samples) > 1 else (), calls)


def written_scores(scores: Scores) -> str:
    """Scores as text."""
    return _dumped({"tokens": scores.tokens, "logprobs": scores.logprobs}).decode()


def read_scores(said: Said) -> Scores:
    """The scores of a journalled call."""
    kept = orjson.loads(said.text)
    tokens, logprobs = tuple(kept["tokens"]), tuple(kept["logprobs"])
    return Scores(tokens, logprobs, said.model, said.tokens_in, said.key)


def written_vector(vector: Vector) -> str:
    """A vector as text: its bytes in base64, half of what digits would take."""
    return _dumped({"float32": base64.b64encode(vector.floats).decode()}).decode()


def read_vector(said: Said) -> Vector:
    """The vector of a journalled call."""
    floats = base64.b64decode(orjson.loads(said.text)["float32"])
    return Vector(floats, said.model, said.tokens_in, said.key)


def read_count(said: Said) -> Count:
    """The count of a journalled call, whose text is the number."""
    return Count(int(said.text), said.model, said.key)


def shown(question: Mapping[str, Any], answer: str) -> str:
    """A journalled answer for people to read; ``question`` is the ``asked`` of its call."""
    if question.get("count"):
        return f"{answer} tokens"
    if question.get("embed"):
        size = len(base64.b64decode(orjson.loads(answer)["float32"])) // 4
        return f"(a vector of {size} numbers)"
    if question.get("score"):
        kept = orjson.loads(answer)
        both = zip(kept["tokens"], kept["logprobs"], strict=True)
        return "\n".join(f"{logprob:9.4f}  {token!r}" for token, logprob in both)
    if "n" not in question and "tools" not in question:
        return answer
    kept = orjson.loads(answer)
    texts = [each["text"] for each in kept["samples"] if each["text"]]
    calls = [f"{each['name']}({each['arguments']})" for each in kept["calls"]]
    return "\n---\n".join([*texts, *calls])


def _digest(text: str) -> str:
    mark = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"({len(text)} characters, {mark})"


def _dumped(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
