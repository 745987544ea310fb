"""How well a score tells two kinds of item apart.

Source: Hanley, McNeil, "The meaning and use of the area under a receiver operating characteristic
(ROC) curve", 1982, doi:10.1148/radiology.143.1.7063747 (the area as a Wilcoxon statistic).
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.measures.losses import Undefined


def auc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """The chance that a random positive scores above a random negative; ties count half.

    Raises:
        Undefined: one of the two is empty.
    """
    if not positives or not negatives:
        raise Undefined("the area needs items of both kinds")
    both = sorted([(score, 1) for score in positives] + [(score, 0) for score in negatives])
    ranks, start = 0.0, 0
    while start < len(both):  # equal scores share the mean of their ranks
        end = start
        while end < len(both) and both[end][0] == both[start][0]:
            end += 1
        ranks += (start + 1 + end) / 2 * sum(kind for _, kind in both[start:end])
        start = end
    count = len(positives)
    return (ranks - count * (count + 1) / 2) / (count * len(negatives))
