"""Two answers scored in both orders, and what becomes of their instruction.

Judges like a place as well as an answer, so each answer is shown first once and its two scores are
averaged. The gap decides: a strong model far ahead of the target is worth learning from.

Source: Wang et al., "CodecLM: Aligning Language Models with Tailored Synthetic Data", 2024,
arXiv:2404.05875 (contrastive filtering).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ruled = Literal["accept", "again", "target_better", "poor_answer"]
Order = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Contrast:
    """The scores of a strong and of a target answer, by order; each pair strong first."""

    forth: Order
    """With the strong answer shown first."""
    back: Order
    """With the target's answer shown first."""

    @property
    def strong(self) -> float:
        """Mean score of the strong answer."""
        return (self.forth[0] + self.back[0]) / 2

    @property
    def target(self) -> float:
        """Mean score of the target's answer."""
        return (self.forth[1] + self.back[1]) / 2

    @property
    def gap(self) -> float:
        """Points by which the strong answer leads; below 0 where it does not."""
        return self.strong - self.target

    def ruled(self, gap: float, good: float, lead: float) -> Ruled:
        """What becomes of the instruction.

        Args:
            gap: the strong answer leads by more: ``accept``.
            good: a strong answer of less is a ``poor_answer``, else it may go on (``again``).
            lead: the target leads by more: ``target_better``.
        """
        if self.gap > gap:
            return "accept"
        if -self.gap > lead:
            return "target_better"
        return "again" if self.strong >= good else "poor_answer"
