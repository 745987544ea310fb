"""What a set of judged records says of its judges: agreement, and how far they lean.

Read from what the judges left among the facts (``judge_ensemble``, ``pairwise``), one record at a
time, so that a report can count along. The figures, each ``None`` where the records do not have it:

- ``alpha``: Krippendorff's, ordinal, of the panel's scores to half a point; by language as well.
- ``abstained``: share (0..1) of seats that gave no score.
- ``position``: chance that the answer shown first wins a decided contest, less 0.5.
- ``contradictory``: share of pairs whose two orders name different winners.
- ``length_slope``: what verdicts gain as a response grows by a factor of e, in points; of pairs
  (``pairs_length_slope``) in wins, -1..1, for the longer of the two answers.
- ``own_family``: judge -> how many points more than the rest of the panel it gives to responses
  of a model of its own family, less the same for others' responses.

A dropped record cannot be counted by whoever reads only what was kept: for figures without that
tilt the judge's step is set to ``on_fail: mark``.

Source: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", 2023,
arXiv:2306.05685 (position, verbosity and self-enhancement bias).
Differs: self-enhancement is a difference of differences within one panel, so that a judge that is
kind to everybody does not look partial.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import regex

from engine.core import Json, Record
from engine.measures.agreement import alpha, mean

Row = tuple[float | None, ...]
_FAMILY = regex.compile(r"\p{L}+")


def family(model: str) -> str:
    """The family of a model by its name: ``qwen`` of ``Qwen/Qwen3-8B``; empty where unknown."""
    found = _FAMILY.search(model.rstrip("/").rpartition("/")[2])
    return found[0].casefold() if found else ""


@dataclass(slots=True)
class Line:
    """A least-squares line through points that come one by one."""

    n: int = 0
    sums: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Of x, y, x * x and x * y."""

    def add(self, x: float, y: float) -> None:
        """One more point."""
        self.n += 1
        new = (x, y, x * x, x * y)
        self.sums = tuple(a + b for a, b in zip(self.sums, new, strict=True))  # type: ignore[assignment]

    @property
    def slope(self) -> float | None:
        """What y gains for 1 of x; ``None`` where all x are the same."""
        x, y, xx, xy = self.sums
        spread = self.n * xx - x * x
        return (self.n * xy - x * y) / spread if spread > 1e-9 * max(1.0, self.n * xx) else None


@dataclass(slots=True)
class Leanings:
    """Counts along a set of judged records."""

    judged: int = 0
    pairs: int = 0
    _rows: dict[str, Counter[Row]] = field(default_factory=lambda: defaultdict(Counter))
    """Language -> how often the panel gave these scores: few enough at any size of the set."""
    _length: Line = field(default_factory=Line)
    _pair_length: Line = field(default_factory=Line)
    _shown: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _contradictory: int = 0
    _more: dict[tuple[str, bool], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, record: Record) -> None:
        """Count one record; one that no judge has seen does not matter."""
        panel, pair = record.facts.get("judge_ensemble"), record.facts.get("pairwise")
        if isinstance(panel, Mapping):
            self._panel(panel, record.language)
        if isinstance(pair, Mapping):
            self._pair(pair)

    def figures(self) -> dict[str, Json]:
        """All figures so far, as JSON values."""
        rows = sum(self._rows.values(), Counter[Row]())
        seats = sum(len(row) * times for row, times in rows.items())
        empty = sum(row.count(None) * times for row, times in rows.items())
        decided = self._shown["A"] + self._shown["B"]
        return {
            "judged": self.judged,
            "pairs": self.pairs,
            "alpha": _rounded(alpha(rows.elements())),
            "alpha_by_language": {
                language: _rounded(alpha(self._rows[language].elements()))
                for language in sorted(self._rows)
            },
            "abstained": _rounded(empty / seats if seats else None),
            "position": _rounded(self._shown["A"] / decided - 0.5 if decided else None),
            "contradictory": _rounded(self._contradictory / self.pairs if self.pairs else None),
            "length_slope": _rounded(self._length.slope),
            "pairs_length_slope": _rounded(self._pair_length.slope),
            "own_family": self._own_family(),
        }

    def _panel(self, panel: Mapping[str, Any], language: str) -> None:
        scores: Mapping[str, float | None] = panel["scores"]
        self.judged += 1
        halves = (None if s is None else round(2 * s) / 2 for s in scores.values())
        self._rows[language][tuple(halves)] += 1
        together = mean(scores.values())
        if together is not None and panel["words"]:
            self._length.add(math.log(panel["words"]), together)
        writer = family(panel["writer"])
        families = {judge: family(model) for judge, model in panel["models"].items()}
        for judge, score in scores.items():
            of = families.get(judge, "")
            others = mean(s for j, s in scores.items() if families.get(j, "") != of)
            if score is not None and others is not None and of and writer:
                self._more[judge, of == writer].append(score - others)

    def _pair(self, pair: Mapping[str, Any]) -> None:
        self.pairs += 1
        forth, back = pair["orders"]
        for shown in (forth, back):
            self._shown[shown] += 1
        self._contradictory += forth == back != "tie"
        first, second = pair["words"]
        if first and second:
            won = {"first": 1.0, "second": -1.0, "tie": 0.0}[pair["winner"]]
            self._pair_length.add(math.log(first / second), won)

    def _own_family(self) -> dict[str, Json]:
        own = {judge: _mean(more) for (judge, its), more in self._more.items() if its}
        rest = {judge: _mean(more) for (judge, its), more in self._more.items() if not its}
        return {judge: _rounded(own[judge] - rest[judge]) for judge in sorted(own.keys() & rest)}


def figures(records: Iterable[Record]) -> dict[str, Json]:
    """The figures of all these records."""
    leanings = Leanings()
    for record in records:
        leanings.add(record)
    return leanings.figures()


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
