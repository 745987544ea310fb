"""The one thing the engine asks of a model: messages in, text out.

Pool, journal, rehearsal model, fake and real client are each a ``Chat``; they stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.core import Message


@dataclass(frozen=True, slots=True)
class Request:
    """One chat call. What the model sees comes first; the rest never changes the answer."""

    messages: tuple[Message, ...]
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Standard fields of a chat completion: temperature, top_p, max_tokens, stop, ..."""
    schema: Mapping[str, Any] | None = None
    """JSON schema that the reply must follow; ``None`` for free text."""
    seed: int = 0
    take: int = 0
    """Tells apart several samples of one question; part of the journal's key."""

    prompt: str = ""
    """Prompt name and version, e.g. ``evol_instruct/judge@9f3c2a``: for logs and lineage."""
    role: str = ""
    """The role the prompt asked for."""
    form: str = "text"
    """Shape of a free-text reply as the prompt's header names it; the rehearsal model reads it."""
    language: str = "en"
    """BCP-47 tag the reply is wanted in; the rehearsal model reads it."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What filled the prompt; the rehearsal model reads it."""
    depth: int = 0
    """How far its seed has come; the pool lets deeper requests go first."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    text: str
    model: str
    """Model name as the server reported it."""
    tokens_in: int = 0
    tokens_out: int = 0
    truncated: bool = False
    """The token limit cut the reply (``finish_reason: length``)."""
    key: str = ""
    """Where the journal keeps it; empty when there is no journal."""


class Chat(Protocol):
    """Anything that answers a request."""

    async def chat(self, request: Request) -> Reply:
        """Answer.

        Raises:
            ModelError: no answer after retries, or the server refused the request.
        """
        ...
