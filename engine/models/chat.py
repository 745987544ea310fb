"""What the engine asks of a model: messages in, text out; and what some models can do besides.

Pool, journal, rehearsal model, fake and real client are each a ``Chat``; they stack. A ``Model``
is a ``Chat`` that also scores, embeds and counts tokens; whoever needs that asks by ``able``, so
that a stack with a member that only chats fails with a sentence and not in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from engine.core import Message, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of its arguments, an object; a pydantic model's ``model_json_schema()`` fits."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model wrote."""

    name: str
    arguments: str
    """The JSON as the model wrote it; ``Kit.call_tools`` checks it against the schema."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One of several replies to one request."""

    text: str
    truncated: bool = False


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
    n: int = 1
    """Samples wanted in one call, 1 or more; a server may send fewer."""
    options: tuple[str, ...] = ()
    """The reply must be one of these; empty for any reply."""
    tools: tuple[Tool, ...] = ()
    """Functions that the reply may call."""

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
    key: str = ""
    """Where the journal will keep the reply; empty when there is no journal."""


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
    samples: tuple[Sample, ...] = ()
    """Every sample, ``text`` among them, where the request wanted more than one."""
    tool_calls: tuple[ToolCall, ...] = ()
    """In the model's order; empty where the request had no tools or none was called."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of all samples, in the server's order."""
        return tuple(sample.text for sample in self.samples) or (self.text,)


@dataclass(frozen=True, slots=True)
class Scores:
    """How likely a model finds a text, token by token, as it would write it at temperature 1."""

    tokens: tuple[str, ...]
    """The tokens of the text as the model cuts it, without those of the chat template.

    A token that ends in the middle of a character shows U+FFFD.
    """
    logprobs: tuple[float, ...]
    """Natural logarithm of each token's probability (0 or less), given all before it."""
    model: str = ""
    tokens_in: int = 0
    key: str = ""
    """Where the journal keeps them; empty when there is no journal."""

    @property
    def sum(self) -> float:
        """Log-probability of the whole text, in nats."""
        return math.fsum(self.logprobs)

    @property
    def mean_nll(self) -> float:
        """Negative log-likelihood per token, in nats; its exponential is the perplexity.

        ``Kit.score`` never gives scores without a token.
        """
        return -self.sum / len(self.logprobs)


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to embed."""

    texts: tuple[str, ...]
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the request, e.g. ``dimensions``."""
    role: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Vector:
    """A text as a vector."""

    floats: bytes
    """Little-endian 32-bit floats, as the server gave them."""
    model: str
    tokens_in: int = 0
    """The text's equal share of what its batch took."""
    key: str = ""
    """Where the journal keeps it; empty when there is no journal."""

    def unit(self) -> NDArray[np.float32]:
        """The vector at length 1 (L2); zeros stay zeros."""
        import numpy as np

        floats = np.frombuffer(self.floats, "<f4")
        unit: NDArray[np.float32] = (floats / (np.linalg.norm(floats) or 1.0)).astype(np.float32)
        return unit


@dataclass(frozen=True, slots=True)
class Count:
    """How many tokens a chat is to a model, its template and the opening of the reply included."""

    tokens: int
    model: str = ""
    """Whose tokens these are; ``rehearsal`` for an estimate from bytes."""
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


@runtime_checkable
class Model(Chat, Protocol):
    """A ``Chat`` that also scores, embeds and counts, or says that its server does not."""

    async def score(self, request: Request) -> Scores:
        """How likely the last message is, an assistant's, after the messages before it.

        Where it is the only message it is scored as bare text, outside of any chat. What has no
        token before it cannot be scored: the first token of a bare text is left out by models
        that put no token of their own at its beginning.

        Raises:
            ModelError: as in ``chat``, or the server gives no log-probabilities of prompts.
        """
        ...

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        """A vector for each text, in their order.

        Raises:
            ModelError: as in ``chat``, or the server has no embeddings.
        """
        ...

    async def count(self, request: Request) -> Count:
        """How many tokens the messages are, rendered up to where the reply begins.

        Raises:
            ModelError: as in ``chat``, or the server does not tell.
        """
        ...


def able(chat: Chat, ability: str) -> Model:
    """``chat`` as a ``Model``.

    Raises:
        ModelError: it can only chat; names the ability that is wanted of it.
    """
    if not isinstance(chat, Model):
        raise ModelError(f"{type(chat).__name__} answers chats only; it cannot {ability}")
    return chat
