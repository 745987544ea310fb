"""Which served models fit together on their devices, by what each of them claims.

vLLM takes a share of a device's memory when it loads, ``gpu-memory-utilization``, whatever the
model needs; it refuses to load where so much is not free. So nothing has to be measured or
guessed: models fit together where the shares on each device come to no more than all of it. Two
models that leave the share at vLLM's default never do, and then they take turns.

A model that names no devices lands on the first that vLLM sees, which may be anybody's: it counts
on every device.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import networkx as nx

from engine.models.command import SHARE, Serving

DEFAULT_SHARE = 0.92
"""vLLM's own (0.32)."""
TURN_SHARE = 0.85
"""What a model that takes turns is given where the job does not say: a server that sleeps keeps
1-2 GB of the device, and the one that loads beside it would be refused."""
ANYWHERE = ""
"""The device of those that name none."""
ALL = 1.0 + 1e-9


@dataclass(frozen=True, slots=True)
class Claim:
    """What a model takes."""

    shares: Mapping[str, float]
    """Device -> share of its memory, 0..1 for each replica on it."""

    def on(self, device: str) -> float:
        """Its share of this device."""
        return self.shares.get(device, self.shares.get(ANYWHERE, 0.0))

    def told(self) -> str:
        """In words."""
        named = [f"{share:g} of device {device}" for device, share in self.shares.items() if device]
        return ", ".join(named) or f"{self.on(ANYWHERE):g} of any device"


def claim(serving: Serving) -> Claim:
    """What a model that is served so takes."""
    share = float(serving.flag(SHARE, DEFAULT_SHARE))
    shares: dict[str, float] = {}
    for replica in range(serving.replicas):
        for device in serving.share(replica) or [ANYWHERE]:
            shares[device] = shares.get(device, 0.0) + share
    return Claim(shares)


def fit(claims: Collection[Claim]) -> bool:
    """Whether they fit together; one alone is taken to."""
    devices = {device for claim in claims for device in claim.shares}
    return len(claims) < 2 or all(sum(c.on(d) for c in claims) <= ALL for d in devices)


def taking_turns(claims: Mapping[str, Claim]) -> list[list[str]]:
    """Groups of models that share devices and do not fit together, in the order given."""
    return [group for group in _sharing(claims) if not fit([claims[name] for name in group])]


def _sharing(claims: Mapping[str, Claim]) -> Iterator[list[str]]:
    """Models that share a device, or share one with one that does."""
    beside: nx.Graph[str] = nx.Graph()
    beside.add_nodes_from(claims)
    names = list(claims)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            devices = {*claims[one].shares, *claims[other].shares}
            if any(claims[one].on(d) and claims[other].on(d) for d in devices):
                beside.add_edge(one, other)
    for group in nx.connected_components(beside):
        yield sorted(group, key=names.index)
