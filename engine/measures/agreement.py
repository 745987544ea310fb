"""How far judges agree, and what several of them say together.

Krippendorff's alpha is 1 where they agree on everything, 0 where they might as well draw lots,
and below 0 where they contradict each other. It takes judges who abstain as they come. Scores are
ordinal: that 4 is as far from 5 as 1 is from 2 is not assumed.

Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011; the library
``krippendorff`` computes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Literal, TypeVar

T = TypeVar("T", bound=Hashable)
Level = Literal["nominal", "ordinal", "interval"]


def alpha(rows: Iterable[Sequence[float | None]], level: Level = "ordinal") -> float | None:
    """Krippendorff's alpha over items, each a row of the judges' scores, ``None`` for none.

    ``None`` where it is not defined: no item has two scores, or all scores are the same.
    """
    counted = [Counter(score for score in row if score is not None) for row in rows]
    counted = [counts for counts in counted if counts.total() > 1]
    domain = sorted(set().union(*counted))
    if len(domain) < 2:
        return None
    import krippendorff

    table = [[counts[value] for value in domain] for counts in counted]
    found = krippendorff.alpha(value_counts=table, value_domain=domain, level_of_measurement=level)
    return float(found)


def mean(scores: Iterable[float | None]) -> float | None:
    """The mean of those who did not abstain; ``None`` where all did."""
    given = [score for score in scores if score is not None]
    return sum(given) / len(given) if given else None


def majority(votes: Iterable[T | None]) -> T | None:
    """What more than half of those who did not abstain say; ``None`` where there is no such."""
    given = Counter(vote for vote in votes if vote is not None)
    if not given:
        return None
    [(vote, count)] = given.most_common(1)
    return vote if 2 * count > given.total() else None
