"""A job's models that the engine serves itself: from the keys in the job to servers to be.

Nothing is started here. What can be known beforehand is: whether there is a vLLM, whether a
folder exists, whether the keys fit together; so `engine check` tells it in a second.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engine.core import JobError
from engine.job import Job, ModelPart
from engine.models import command, devices
from engine.models.admission import Throttle
from engine.models.command import SHARE
from engine.models.devices import Claim
from engine.models.serve import Fleet, Gauge, Served
from engine.models.server import Server, Spec
from engine.models.turns import Turns

ONLY_SERVED = ("args", "replicas", "devices", "start_timeout_s")
"""Keys that say how a model is served."""
NOT_SERVED = ("url", "api_key")
"""Keys that say who else serves it."""


def check(job: Job, name: str, part: ModelPart) -> None:
    """Refuse keys that do not fit together.

    Raises:
        JobError: says which, and where.
    """
    place = ("models", name)
    given = part.model_fields_set
    if not part.serve:
        for key in (key for key in ONLY_SERVED if key in given):
            raise job.error(
                (*place, key), f"`{key}` goes with `serve`: the model to start vLLM for"
            )
        return
    for key in (key for key in NOT_SERVED if key in given):
        raise job.error((*place, key), f"either `serve` or `{key}`: who serves the model?")
    if part.use != "openai":
        raise job.error((*place, "use"), f"`serve` starts a server; leave out `use: {part.use}`")
    try:
        command.check(part)
    except JobError as error:
        raise job.error((*place, "serve"), str(error)) from error


@dataclass(frozen=True, slots=True)
class Serves:
    """The servers to be of one model, and who asks them."""

    servers: list[Server]
    chats: list[Served]
    throttles: list[Throttle]
    meters: list[Gauge]


def serve(job: Job, name: str, part: ModelPart, fleet: Fleet, logs: Path) -> Serves:
    """A server of the fleet for each replica.

    Raises:
        JobError: there is no vLLM, or no such folder.
    """
    fail = partial(job.error, ("models", name, "serve"))
    try:
        words = command.find(job.environment)
    except JobError as error:
        raise fail(str(error)) from error
    model = _model(job, part.serve)
    if model is None:
        raise fail(f"there is no folder {part.serve} (looked for {_folder(job, part.serve)})")
    throttles = [Throttle(part.max_concurrent, time.monotonic) for _ in range(part.replicas)]
    servers = [
        fleet.add(
            Spec(
                name=f"{name}-{i}",
                serving=part,
                model=model,
                asked=part.model or command.served_as(part),
                replica=i,
                command=words,
                environment={**job.environment, **command.adapting(part)},
                base=job.base,
                log=(logs / f"{name}-{i}.log").absolute(),
                error=fail,
                timeout_s=part.timeout_s,
                feedback=throttle,
                takes_turns=fleet.takes_turns(name),
            )
        )
        for i, throttle in enumerate(throttles)
    ]
    chats = [Served(fleet, server, servers) for server in servers]
    return Serves(servers, chats, throttles, [Gauge(server) for server in servers])


def why(part: ModelPart) -> str:
    """One sentence on who will answer."""
    many = f" {part.replicas} times" if part.replicas > 1 else ""
    on = f" on devices {', '.join(map(str, part.devices))}" if part.devices else ""
    return f"the engine serves {part.serve} with vLLM{many}{on}"


# -- models that take turns -------------------------------------------------------------------


def claims(job: Job, names: Sequence[str]) -> dict[str, Claim]:
    """What each of these models takes, where the engine serves it."""
    parts = {name: job.file.models[name] for name in names}
    return {name: devices.claim(part) for name, part in parts.items() if part.serve}


def taking_turns(job: Job, names: Sequence[str]) -> Turns:
    """Those of these models that take turns, and which of them fit together."""
    claimed = claims(job, names)
    groups = devices.taking_turns(claimed)
    return Turns([name for group in groups for name in group], partial(_fit, claimed))


def turns(
    job: Job, names: Sequence[str], stages: Sequence[Mapping[str, Sequence[str]]]
) -> list[dict[str, Any]]:
    """The plan of those that take turns; ``stages``: step -> the models it asks."""
    claimed = claims(job, names)
    plans = []
    for group in devices.taking_turns(claimed):
        asked = [
            [m for m in group if any(m in asks for asks in steps.values())] for steps in stages
        ]
        numbered = [(number, here) for number, here in enumerate(asked, start=1) if here]
        takes = "; ".join(f"{name} takes {claimed[name].told()}" for name in group)
        plans.append(
            {
                "models": group,
                "why": f"take turns, since they do not fit together: {takes} ({SHARE})",
                "stages": [
                    {"stage": number, "models": here, "how": _how(job, claimed, here)}
                    for number, here in numbered
                ],
            }
        )
    return plans


def _how(job: Job, claimed: Mapping[str, Claim], names: Sequence[str]) -> str:
    """When each of the models that a stage asks has its devices."""
    models = " and ".join(names)
    if len(names) == 1:
        return f"{models} alone"
    if _fit(claimed, names):
        return f"{models} together"
    most = job.file.run.in_flight
    return f"{models} in turn, each for what up to {most} seeds ask of it (run.in_flight)"


def _fit(claimed: Mapping[str, Claim], names: Collection[str]) -> bool:
    return devices.fit([claimed[name] for name in names])


def _folder(job: Job, name: str) -> Path:
    return (job.base / Path(name).expanduser()).resolve()


def _model(job: Job, name: str) -> str | None:
    """What vLLM is told: a folder's full name, or a hub id as it is; None for what is neither."""
    if _folder(job, name).is_dir():
        return str(_folder(job, name))
    is_path = name.startswith((".", "/", "~")) or name.count("/") > 1
    return None if is_path else name
