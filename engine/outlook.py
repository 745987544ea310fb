"""What a run would still need for its target, read from its ledger.

The yield and the cost of a seed are those of the rounds that are done: records of a job with
passes are accepted only at a round's end, so that seeds of an unfinished one count by what they
will probably become, and what has been paid for them already is not needed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from engine.budget import paid_by_run
from engine.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Needs:
    """What is missing, and what it would take."""

    records: int
    """Accepted records that the target lacks."""
    seeds: int
    calls: int
    tokens_in: int
    tokens_out: int
    hours: float
    """At this run's speed; 0 where it has not been timed."""
    accepted_per_seed: float
    """What the estimate rests on, with the next."""
    after_seeds: int


def needs(ledger: Ledger) -> dict[str, Any] | None:
    """What the target still lacks; ``None`` where it is met, or where there is none.

    Where no record has been accepted, only ``records`` can be said.
    """
    target = int(ledger.meta("target") or 0)
    done, failed = ledger.seeds()
    missing = target - ledger.waiting("")
    if missing <= 0:
        return None
    accepted, seeds = _yield(ledger, done + failed)
    if not accepted:
        return {"records": missing}
    rate = accepted / seeds
    # seeds of a round that is not settled: what they have brought, or will bring at its end
    coming = max(ledger.waiting("") - accepted, (done + failed - seeds) * rate)
    more = max(1, round((target - accepted - coming) / rate))
    calls, tokens_in, tokens_out, grown_s = _cost(ledger, done + failed, more)
    found = Needs(
        missing,
        more,
        round(calls),
        round(tokens_in),
        round(tokens_out),
        grown_s / 3600,
        rate,
        seeds,
    )
    return asdict(found)


def lacks(ledger: Ledger) -> dict[str, int]:
    """Tag -> records that the job's share of that language still lacks."""
    quotas: dict[str, int] = orjson.loads(ledger.meta("quotas") or "{}")
    have = ledger.accepted_languages() if quotas else {}
    short = {tag: wanted - have.get(tag, 0) for tag, wanted in quotas.items()}
    return {tag: count for tag, count in short.items() if count > 0}


def listed(counts: Mapping[str, int]) -> str:
    """``eu 3, wo 12``."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _yield(ledger: Ledger, started: int) -> tuple[int, int]:
    """(accepted, seeds) of the rounds that are done; before one is, of all there is.

    That is nothing where passes have let a part of the round go on and no more.
    """
    past = ledger.rounds()
    done = next((i for i, (_, over) in enumerate(past) if not over), len(past))
    seeds = sum(int(feed["count"]) for taken, _ in past[:done] for feed in taken.values())
    accepted = ledger.accepted_before(done)
    if accepted and seeds:
        return accepted, seeds
    return (0, 0) if ledger.passed() else (ledger.waiting(""), started)


def _cost(ledger: Ledger, started: int, more: int) -> list[float]:
    """Calls, tokens in, tokens out and seconds that ``more`` seeds need, and the started ones."""
    spent = [*paid_by_run(ledger), float(ledger.meta("grown_s") or 0)]
    settled = orjson.loads(ledger.meta("settled") or "null")
    seeds, *took = settled or [started, *spent]
    return [
        max(n / seeds * more, n / seeds * (started + more) - paid)
        for n, paid in zip(took, spent, strict=True)
    ]


def sentence(needed: dict[str, Any]) -> str:
    """The same for people, with what it rests on."""
    if "seeds" not in needed:
        why = "what they take cannot be said before a first round is through"
        return f"{needed['records']:,} records; {why}"
    time = f", {roughly(3600 * needed['hours'])}" if needed["hours"] else ""
    return (
        f"{needed['records']:,} records: about {_about(needed['seeds'])} seeds, "
        f"{_about(needed['calls'])} calls, {_about(needed['tokens_in'])} tokens in, "
        f"{_about(needed['tokens_out'])} tokens out{time}, going by the first "
        f"{needed['after_seeds']:,} seeds ({needed['accepted_per_seed']:.2g} accepted a seed)"
    )


def roughly(seconds: float) -> str:
    """An estimate in words, no finer than it can be: ``40 s``, ``12 min``, ``3 h 10 min``."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes < 2880 else f"{minutes // 1440} d"


def _about(n: int) -> str:
    """A number to three digits, since more would promise more than is known."""
    return f"{int(float(f'{n:.3g}')):,}"
