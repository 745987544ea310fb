"""Scoring and embedding as JSON, and what comes back.

Log-probabilities of a text that is already there: the chat is sent with the completion as its
last turn and vLLM returns ``prompt_logprobs`` of the whole. Which of those tokens are the
completion's? The chat template stands around it and differs from model to model (Qwen3 puts an
empty ``<think>`` before it that its generation prompt does not have), so the same chat is cut
into tokens once more with another completion: what both begin and end with is the template.

Bare text goes to ``/completions``. vLLM has no score without a reply, so one token is written
and thrown away.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from engine.models.bodies import BrokenReply, clean, parsed, said, usage
from engine.models.chat import Request, Texts

STAND_INS = "0Zb#7"
"""Completions to compare with. ASCII, so that their first and last bytes are no other letter's."""
LOWEST = -9999.0
"""What vLLM sends for minus infinity, which JSON cannot hold."""
_SCORING = {"max_tokens": 1, "prompt_logprobs": 0, "return_token_ids": True, "temperature": 0}


class Lacking(Exception):
    """The server answered, without what it was asked for: it does not have that ability."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Every token of a rendered prompt."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    logprobs: tuple[float | None, ...]
    """``None`` where there is nothing before the token."""
    model: str
    tokens_in: int


def chat_body(request: Request, model: str, rendered: Mapping[str, Any]) -> dict[str, Any]:
    """Score a whole chat, the completion as its last turn."""
    return {**_chat(request, model, rendered), **_SCORING}


def bare_body(request: Request, model: str) -> dict[str, Any]:
    """Score a text outside of any chat."""
    return {"model": model, "prompt": clean(request.messages[-1].content), **_SCORING}


def tokens_body(request: Request, model: str, rendered: Mapping[str, Any]) -> dict[str, Any]:
    """The same chat with a stand-in for the completion, to be cut into tokens."""
    body = _chat(request, model, rendered)
    body["messages"][-1]["content"] = stand_in(request.messages[-1].content)
    return body


def count_body(request: Request, model: str, rendered: Mapping[str, Any]) -> dict[str, Any]:
    """A chat up to where the reply begins, to be cut into tokens."""
    return {**_chat(request, model, rendered), "add_generation_prompt": True}


def _chat(request: Request, model: str, rendered: Mapping[str, Any]) -> dict[str, Any]:
    messages = [{"role": m.role, "content": clean(m.content)} for m in request.messages]
    return {"model": model, "messages": messages, "add_generation_prompt": False, **rendered}


def stand_in(completion: str) -> str:
    """A completion that shares neither its first nor its last character with this one.

    Templates may strip what they are given, so both are compared stripped, too.
    """
    bare = completion.strip()
    edges = {text[at] for text in (completion, bare) if text for at in (0, -1)}
    return next(each for each in STAND_INS if each not in edges)


def within(ids: Sequence[int], other: Sequence[int]) -> slice:
    """Where ``ids`` differ from the same template around another completion."""
    pairs = zip(ids, other, strict=False)
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    back = zip(reversed(ids[start:]), reversed(other[start:]), strict=False)
    after = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], back))
    return slice(start, len(ids) - after)


def read_scored(text: str, model: str) -> Scored:
    """The prompt's tokens in the body of a (chat) completion.

    Raises:
        BrokenReply: it is none.
        Lacking: it has no log-probabilities of the prompt.
    """
    answer = parsed(text)
    try:
        holder = answer if "prompt_logprobs" in answer else answer["choices"][0]
        entries, ids = holder.get("prompt_logprobs"), holder.get("prompt_token_ids")
        if not entries or ids is None:
            raise Lacking("its reply has no prompt_logprobs with token ids, as vLLM gives them")
        found = [(entry or {}).get(str(id_)) or {} for id_, entry in zip(ids, entries, strict=True)]
        return Scored(
            tuple(ids),
            tuple(clean(each.get("decoded_token") or "") for each in found),
            tuple(_finite(each.get("logprob")) for each in found),
            answer.get("model") or model,
            usage(answer)[0],
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        raise BrokenReply(said(answer) or f"no choices: {str(answer)[:80]}") from None


def _finite(logprob: float | None) -> float | None:
    return None if logprob is None else max(float(logprob), LOWEST)


def read_ids(text: str) -> tuple[int, ...]:
    """The ids in an answer of vLLM's ``/tokenize``.

    Raises:
        BrokenReply: the body is no JSON.
        Lacking: there are none in it.
    """
    answer = parsed(text)
    ids = answer.get("tokens") if isinstance(answer, Mapping) else None
    if not isinstance(ids, list) or not ids:
        raise Lacking("its /tokenize does not know chats, as vLLM's does")
    return tuple(ids)


def embed_body(request: Texts, model: str) -> dict[str, Any]:
    """Embed some texts; in base64, a fifth of the bytes that digits take."""
    texts = list(map(clean, request.texts))
    fields = {"model": model, "input": texts, "encoding_format": "base64", **request.sampling}
    fields |= fields.pop("extra_body", None) or {}
    return {name: value for name, value in fields.items() if value is not None}


def read_vectors(text: str, model: str, wanted: int) -> tuple[tuple[bytes, ...], str, int]:
    """The vectors as little-endian 32-bit floats, in the order asked; model; tokens in.

    Raises:
        BrokenReply: they are not there, or not as many as asked for.
    """
    answer = parsed(text)
    try:
        rows = sorted(answer["data"], key=lambda row: row["index"])
        vectors = tuple(_floats(row["embedding"]) for row in rows)
        served, tokens_in = answer.get("model") or model, usage(answer)[0]
    except (KeyError, TypeError, AttributeError, ValueError, struct.error):
        raise BrokenReply(said(answer) or f"no embeddings: {str(answer)[:80]}") from None
    if len(vectors) != wanted or len(set(map(len, vectors))) > 1 or not all(vectors):
        raise BrokenReply(f"{len(vectors)} embeddings for {wanted} texts, or of several sizes")
    return vectors, served, tokens_in


def _floats(embedding: str | list[float]) -> bytes:
    if isinstance(embedding, str):
        return base64.b64decode(embedding, validate=True)
    return struct.pack(f"<{len(embedding)}f", *embedding)
