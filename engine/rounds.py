"""How many seeds a round takes, and when there is no next one.

Everything here depends on the past rounds alone, never on time or concurrency, so that a run
that is killed and resumed takes the same rounds as one that was not.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

from engine.plan import Feed, Plan

BARREN = 3
"""Rounds in a row that bring nothing before the run gives up on its target."""
SMALLEST = 8
"""Seeds in the smallest round that is worth a barrier."""

Past = list[tuple[dict[str, Any], bool]]
"""Per round: source -> {start, count, spent} and more of ``engine.seeding``; whether it is done."""


class End(Enum):
    """Why a run came to its end."""

    MET = "target met"
    SPENT = "target not met: the candidates are spent"
    BARREN = "target not met: the last rounds brought nothing new"
    BUDGET = "stopped by a budget"
    ERRORS = "too many errors"
    WAITING = "waiting for a batch; answer its files, then run the same command again"
    INTERRUPTED = "interrupted; run the same command again to go on"


def ending(plan: Plan, past: Past, accepted: int, barren: int) -> End | None:
    """Why there is no next round; ``None`` when there is one."""
    if plan.target.accepted and accepted >= plan.target.accepted:
        return End.MET
    if past and (not _live(plan, past) or _left(plan, past) == 0):
        return End.SPENT if plan.target.accepted else End.MET
    return End.BARREN if barren >= BARREN else None


def feeds(plan: Plan, past: Past, accepted: int, came: int = 0) -> dict[str, Any]:
    """Source -> {start, count} of the next round; count -1 takes all there is.

    ``came`` is given where seeds are taken by language: how many records were good enough, whether
    wanted or not.
    """
    live = _live(plan, past)
    size = min(_size(plan, past, accepted, came), _left(plan, past))
    counts: dict[str, Any] = {}
    for i, feed in enumerate(live):
        total = sum(later.weight for later in live[i:])  # anew: differences of floats drift
        share = size if size == math.inf else math.ceil(size * feed.weight / total)
        start = sum(taken[feed.name]["count"] for taken, _ in past if feed.name in taken)
        if share > 0:
            counts[feed.name] = {"start": start, "count": -1 if share == math.inf else share}
        size -= share if size < math.inf else 0
    return counts


def _live(plan: Plan, past: Past) -> list[Feed]:
    spent = {name for taken, _ in past for name, feed in taken.items() if feed.get("spent")}
    return [feed for feed in plan.feeds if feed.name not in spent]


def _taken(past: Past) -> int:
    return sum(int(feed["count"]) for taken, _ in past for feed in taken.values())


def _left(plan: Plan, past: Past) -> float:
    return (plan.target.candidates or math.inf) - _taken(past)


def _size(plan: Plan, past: Past, accepted: int, came: int) -> float:
    """Seeds of the next round: enough for what is missing, at the yield seen so far."""
    target = plan.target
    if target.round:
        return target.round
    if not target.accepted:
        return math.inf
    if not past:
        return max(SMALLEST, math.ceil(target.accepted / 4))
    wanted = math.ceil(1.1 * (target.accepted - accepted) * _taken(past) / max(accepted, came, 1))
    return max(SMALLEST, min(wanted, 4 * _taken(past)))
