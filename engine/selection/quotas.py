"""How many of each group: whole numbers that sum to what was asked, and never more than there is.

Every function takes groups as a mapping in which the order matters for ties: by name, or as
stated. Shares are fractions, so that no rounding decides. A quota above what a group has would
mean to repeat its records without a word; here it never is, unless more room is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

Counts = dict[str, int]
Sizes = Mapping[str, int]
Weights = Mapping[str, float | Fraction]


def apportion(total: int, weights: Weights) -> Counts:
    """Divide ``total`` by weight, what is left over to the largest remainders, the first of equals.

    Nothing for anyone where all weights are 0.
    """
    exact = {name: Fraction(weight) for name, weight in weights.items()}
    if not (whole := sum(exact.values())):
        return dict.fromkeys(exact, 0)
    shares = {name: total * weight / whole for name, weight in exact.items()}
    counts = {name: int(share) for name, share in shares.items()}
    left = total - sum(counts.values())
    for name in sorted(shares, key=lambda name: counts[name] - shares[name])[:left]:
        counts[name] += 1
    return counts


def spread(total: int, weights: Weights, rooms: Sizes) -> Counts:
    """Divide ``total`` by weight; what a group has no room for goes to the others by weight."""
    counts: Counts = {}
    opened = {name: weight for name, weight in weights.items() if weight}
    while True:
        shares = apportion(total - sum(counts.values()), opened)
        full = {name: rooms[name] for name, share in shares.items() if share > rooms[name]}
        if not full:
            return {name: {**counts, **shares}.get(name, 0) for name in weights}
        counts |= full
        opened = {name: weight for name, weight in opened.items() if name not in full}


def tempered(sizes: Sizes, temperature: float, cap: int | None = None) -> dict[str, float]:
    """Weights n ** (1 / temperature), of sizes of ``cap`` at most; 1 is by size, more is evener."""
    capped = {name: min(n, n if cap is None else cap) for name, n in sizes.items()}
    return {name: n ** (1 / temperature) if n else 0.0 for name, n in capped.items()}


def unimax(total: int, rooms: Sizes) -> Counts:
    """An even share for each group, the smallest first, that is never more than its room."""
    counts: Counts = {}
    for done, name in enumerate(sorted(rooms, key=lambda name: (rooms[name], name))):
        even = (total - sum(counts.values())) // (len(rooms) - done)
        counts[name] = min(even, rooms[name])
    return {name: counts[name] for name in rooms}


def smart_split(total: int, shares: Mapping[str, Fraction], rooms: Sizes) -> Counts:
    """SMART's split: round down, and give the remainder out one by one from the first.

    What groups have no room for goes one by one, in turns, to those that have.
    """
    counts = {name: int(total * share) for name, share in shares.items()}
    for name in list(counts)[: total - sum(counts.values())]:
        counts[name] += 1
    counts = {name: min(count, rooms[name]) for name, count in counts.items()}
    left = min(total, sum(rooms[name] for name in counts)) - sum(counts.values())
    while left:
        for name in [name for name in counts if counts[name] < rooms[name]][:left]:
            counts[name] += 1
            left -= 1
    return counts


def top_up(quotas: Sizes, have: Sizes) -> Counts:
    """How many more each group needs, so that all together have as many as the quotas say.

    Groups above their quota keep what they have, so others get less than theirs, by what they
    need.
    """
    needs = {name: max(0, quota - have.get(name, 0)) for name, quota in quotas.items()}
    allowed = max(0, sum(quotas.values()) - sum(have.get(name, 0) for name in quotas))
    return needs if sum(needs.values()) <= allowed else apportion(allowed, needs)
