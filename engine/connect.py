"""The models of a job, as something that answers: servers, replicas, or the rehearsal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from engine import serving, shipped
from engine.core import REHEARSAL
from engine.job import Job, ModelPart
from engine.models import auto
from engine.models.admission import Throttle
from engine.models.chat import Chat
from engine.models.journal import Book, Brake, Journal
from engine.models.metrics import MetricsPage
from engine.models.openai_chat import OpenAIChat
from engine.models.pool import Pool
from engine.models.rates import Rates
from engine.models.rehearsal import Rehearsal
from engine.models.serve import Fleet


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
    elsewhere: ModelPart | None = None
    """How another process reaches the same answers; ``None`` where none can."""

    fleet: Fleet | None = None
    """The servers that the engine runs for the job, where this is one of them."""

    async def close(self) -> None:
        """Close its connections, and end what was started for it."""
        if self.fleet:
            await self.fleet.close()
        for client in self.clients:
            await client.close()


async def connect(
    job: Job, names: list[str], *, rehearse: bool, logs: Path = Path("logs")
) -> dict[str, Answerer]:
    """An answerer for each of these models; ``rehearse`` gives all of them to the rehearsal.

    Servers of the engine's own start with the first call, and write to ``logs``.

    Raises:
        JobError: a model names no server, or a variable in it is not set.
    """
    found: auto.Found | None = None
    answerers: dict[str, Answerer] = {}
    for name in names:
        serving.check(job, name, job.file.models[name])
    fleet = Fleet(serving.taking_turns(job, [] if rehearse else names))
    for name in names:
        part = job.file.models[name]
        if rehearse or part.use == "rehearsal":
            answerers[name] = _rehearsal(part, "the embedded rehearsal model; not real data")
        elif part.serve:
            answerers[name] = _served(job, name, part, fleet, logs)
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
    rehearsed = part.model_copy(update={"use": "rehearsal"})
    return Answerer(chat, identity, why, part, elsewhere=rehearsed)


def _found(part: ModelPart, found: auto.Found) -> Answerer:
    if found.kind == "rehearsal":
        return _rehearsal(part, found.why)
    return _servers(part, [found.url], found.model, found.api_key, found.why)


def _served(job: Job, name: str, part: ModelPart, fleet: Fleet, logs: Path) -> Answerer:
    served = serving.serve(job, name, part, fleet, logs)
    chats, throttles, meters = served.chats, served.throttles, served.meters
    most, rates = part.max_concurrent, _rates(part)
    pool = Pool(chats, most, throttles=throttles, meters=meters, rates=rates)
    chat = fleet.in_turn(name, pool, served.servers)
    identity = f"{part.identity()} {part.model}".rstrip()
    return Answerer(chat, identity, serving.why(part), part, fleet=fleet)


def _named(job: Job, name: str, part: ModelPart) -> Answerer:
    urls = [part.url] if isinstance(part.url, str) else part.url
    if not (urls and all(urls)):
        why = "`url` is missing: the server's base URL, ending in /v1 (or `serve`, or `use: auto`)"
        raise job.error(("models", name), why)
    if not part.model:
        raise job.error(("models", name), "`model` is missing: the name the server knows it by")
    urls = [job.expand(url, ("models", name, "url")) for url in urls]
    key = job.expand(part.api_key, ("models", name, "api_key"))
    return _servers(part, urls, part.model, key, f"{part.model} at {', '.join(urls)}")


def _servers(part: ModelPart, urls: list[str], model: str, key: str, why: str) -> Answerer:
    throttles = [Throttle(part.max_concurrent, time.monotonic) for _ in urls]
    clients = tuple(
        OpenAIChat(url, model, key or "-", part.timeout_s, feedback=throttle)
        for url, throttle in zip(urls, throttles, strict=True)
    )
    meters = [MetricsPage(url, key) for url in urls]
    rates = _rates(part)
    pool = Pool(clients, part.max_concurrent, throttles=throttles, meters=meters, rates=rates)
    named = {"use": "openai", "url": urls, "model": model, "api_key": key}
    there = part.model_copy(update=named)
    return Answerer(pool, model, why, part, clients, there)


def _rates(part: ModelPart) -> Rates | None:
    limits = part.requests_per_minute, part.tokens_per_minute
    return Rates(*limits, time.monotonic) if any(limits) else None


def journals(answerers: Mapping[str, Answerer], book: Book, brake: Brake) -> dict[str, Journal]:
    """Model -> a chat that answers from ``book`` where it can, and keeps there what it asks."""
    return {
        name: Journal(a.chat, a.identity, book, brake, a.part.sampling)
        for name, a in answerers.items()
    }


def identities(answerers: Mapping[str, Answerer]) -> dict[str, str]:
    """Model name -> what decides its replies: who answers, and with which sampling."""
    return {
        name: a.identity + (f" {orjson.dumps(a.part.sampling).decode()}" if a.part.sampling else "")
        for name, a in answerers.items()
    }
