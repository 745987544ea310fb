"""The models of a job, as something that answers: servers, replicas, or the rehearsal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from engine import shipped
from engine.core import REHEARSAL
from engine.job import Job, ModelPart
from engine.models import auto
from engine.models.chat import Chat
from engine.models.openai_chat import OpenAIChat
from engine.models.pool import Pool
from engine.models.rehearsal import Rehearsal


@dataclass(frozen=True, slots=True)
class Answerer:
    """Who answers for one of the job's models."""

    chat: Chat
    identity: str
    """The model's name as its server knows it; part of the journal's key."""
    why: str
    """One sentence that says which it is."""
    part: ModelPart
    clients: tuple[OpenAIChat, ...] = ()

    async def close(self) -> None:
        """Close its connections."""
        for client in self.clients:
            await client.close()


async def connect(job: Job, names: list[str], *, rehearse: bool) -> dict[str, Answerer]:
    """An answerer for each of these models; ``rehearse`` gives all of them to the rehearsal.

    Raises:
        JobError: a model names no server, or a variable in it is not set.
    """
    found: auto.Found | None = None
    answerers: dict[str, Answerer] = {}
    for name in names:
        part = job.file.models[name]
        if rehearse or part.use == "rehearsal":
            answerers[name] = _rehearsal(part, "the embedded rehearsal model; not real data")
        elif part.use == "auto":
            found = found or await auto.find(job.environment)
            answerers[name] = _found(part, found)
        else:
            answerers[name] = _named(job, name, part)
    return answerers


def _rehearsal(part: ModelPart, why: str) -> Answerer:
    faults = part.faults.model_dump(exclude_defaults=True)
    identity = REHEARSAL + (orjson.dumps(faults).decode() if faults else "")
    chat = Rehearsal(shipped.folder("taxonomies") / "rehearsal", part.faults)
    return Answerer(chat, identity, why, part)


def _found(part: ModelPart, found: auto.Found) -> Answerer:
    if found.kind == "rehearsal":
        return _rehearsal(part, found.why)
    return _servers(part, [found.url], found.model, found.api_key, found.why)


def _named(job: Job, name: str, part: ModelPart) -> Answerer:
    urls = [part.url] if isinstance(part.url, str) else part.url
    if not (urls and all(urls)):
        why = "`url` is missing: the server's base URL, ending in /v1 (or `use: auto`)"
        raise job.error(("models", name), why)
    if not part.model:
        raise job.error(("models", name), "`model` is missing: the name the server knows it by")
    urls = [job.expand(url, ("models", name, "url")) for url in urls]
    key = job.expand(part.api_key, ("models", name, "api_key"))
    return _servers(part, urls, part.model, key, f"{part.model} at {', '.join(urls)}")


def _servers(part: ModelPart, urls: list[str], model: str, key: str, why: str) -> Answerer:
    clients = tuple(OpenAIChat(url, model, key or "-", part.timeout_s) for url in urls)
    return Answerer(Pool(clients, part.max_concurrent), model, why, part, clients)


def identities(answerers: Mapping[str, Answerer]) -> dict[str, str]:
    """Model name -> what decides its replies: who answers, and with which sampling."""
    return {
        name: a.identity + (f" {orjson.dumps(a.part.sampling).decode()}" if a.part.sampling else "")
        for name, a in answerers.items()
    }
