"""What a server can do, found out by asking it for each thing once.

Versions and documentation do not tell: fields that a server does not know are ignored with 200,
routes depend on flags, and a server that reports health may still die of its first request. So
ready means that one real generation was answered, and an ability is one that has been seen. The
first request with log-probabilities stalls vLLM for ten seconds; here that hurts nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from engine.core import ModelError

if TYPE_CHECKING:
    import aiohttp

YES_OR_NO = ["yes", "no"]
SCHEMA = {
    "type": "object",
    "properties": {"ok": {"enum": YES_OR_NO}},
    "required": ["ok"],
    "additionalProperties": False,
}
NAMES = {
    "chat": "chat",
    "json_schema": "JSON schema",
    "choice": "choice",
    "logprobs": "log-probabilities",
    "prompt_logprobs": "prompt log-probabilities",
    "tokenize": "tokenize",
    "lora": "LoRA at run time",
    "embeddings": "embeddings",
    "metrics": "metrics",
    "sleep": "sleep mode",
}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a server has been seen to do."""

    version: str = ""
    max_model_len: int = 0
    """Tokens of prompt and reply together; 0 where the server does not tell."""
    chat: bool = False
    json_schema: bool = False
    """A reply followed a schema that was sent with the request."""
    choice: bool = False
    logprobs: bool = False
    prompt_logprobs: bool = False
    tokenize: bool = False
    lora: bool = False
    """Adapters can be loaded while it runs."""
    embeddings: bool = False
    metrics: bool = False
    sleep: bool = False
    """It can give its device's memory up and take it again."""

    def told(self) -> str:
        """In words: what it can do, and what it cannot."""
        flags = [field.name for field in fields(self) if field.name in NAMES]
        can = ", ".join(NAMES[name] for name in flags if getattr(self, name))
        cannot = ", ".join(NAMES[name] for name in flags if not getattr(self, name))
        return can + (f"; not: {cannot}" if cannot else "")


class Refused(ModelError):
    """A server that is well does not do what it is wanted for."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: Any
    """JSON, or the text where it is none."""

    def at(self, *path: str | int) -> Any:
        """What stands there in the body; None where there is nothing."""
        here = self.body if self.status == 200 else None
        for step in path:
            try:
                here = here[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return None
        return here


class Probe:
    """Asks one server; ``root`` is its address without /v1."""

    def __init__(self, session: aiohttp.ClientSession, root: str, model: str) -> None:
        self._session, self._root, self._model = session, root, model

    async def healthy(self) -> bool:
        """Whether GET /health says so; what keeps it from answering is raised."""
        async with self._session.get(f"{self._root}/health") as response:
            return response.status == 200

    async def told(self, path: str) -> bool:
        """Whether it does what this route is for."""
        return (await self._post(path)).status == 200

    async def abilities(self) -> Abilities:
        """Make it generate, then try one thing after the other.

        Raises:
            Refused: it answers neither a chat nor an embedding; quotes what it said.
            ModelError: it broke down over that.
        """
        first = await self._chat()
        embeddings = bool((await self._embed()).at("data", 0, "embedding"))
        chat = first.at("choices", 0, "message") is not None
        if not (chat or embeddings):
            kind = Refused if first.status < 500 else ModelError
            raise kind(f"its first generation failed: {first.status} {_said(first.body)}")
        more = await self._of_chat() if chat else {}
        return Abilities(
            chat=chat,
            embeddings=embeddings,
            version=str((await self._get("/version")).at("version") or ""),
            max_model_len=int((await self._get("/v1/models")).at("data", 0, "max_model_len") or 0),
            tokenize=bool((await self._post("/tokenize", prompt="a")).at("count")),
            lora=(await self._post("/v1/load_lora_adapter")).status in (400, 422),
            metrics="vllm:" in str((await self._get("/metrics")).body),
            sleep=(await self._get("/is_sleeping")).at("is_sleeping") is False,
            **more,
        )

    async def _of_chat(self) -> dict[str, bool]:
        form = {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA}}
        typed = await self._chat(max_tokens=32, response_format=form)
        chosen = await self._chat(max_tokens=8, structured_outputs={"choice": YES_OR_NO})
        graded = await self._chat(logprobs=True, top_logprobs=1)
        scored = await self._chat(prompt_logprobs=0)
        return {
            "json_schema": _follows(typed.at("choices", 0, "message", "content")),
            "choice": chosen.at("choices", 0, "message", "content") in YES_OR_NO,
            "logprobs": bool(graded.at("choices", 0, "logprobs", "content")),
            "prompt_logprobs": bool(scored.at("prompt_logprobs")),
        }

    async def _chat(self, **fields: Any) -> _Answer:
        messages = [{"role": "user", "content": "Is the sky blue? Answer with yes or no."}]
        asked = {"messages": messages, "max_tokens": 1, "seed": 0, **fields}
        return await self._post("/v1/chat/completions", **asked)

    async def _embed(self) -> _Answer:
        return await self._post("/v1/embeddings", input="a")

    async def _post(self, path: str, **body: Any) -> _Answer:
        # a field of its own name is what a LoRA route lacks: it is to refuse, not to load
        named = {} if path.endswith("lora_adapter") else {"model": self._model}
        async with self._session.post(self._root + path, json={**named, **body}) as response:
            return _Answer(response.status, _parsed(await response.text()))

    async def _get(self, path: str) -> _Answer:
        async with self._session.get(self._root + path) as response:
            return _Answer(response.status, _parsed(await response.text()))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _follows(text: Any) -> bool:
    """Whether a reply is what SCHEMA describes."""
    found = _parsed(text) if isinstance(text, str) else None
    return isinstance(found, dict) and set(found) == {"ok"} and found["ok"] in YES_OR_NO


def _said(body: Any) -> str:
    while isinstance(body, Mapping):
        body = next((body[k] for k in ("error", "message", "detail") if body.get(k)), "")
    return " ".join(str(body).split())[:500]
