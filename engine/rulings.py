"""What the checks of a run said, counted: by check, by language and by source.

Counted are final records, accepted and dropped, each with the verdicts on its own way; so a
record from which three were made counts three times at the checks before. Memory holds counts
and a few examples, whatever the number of records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.core import Record

KINDS = ("pass", "fail", "error", "skipped")
COLUMNS = 12
"""Languages and sources that have a column of their own."""
EXAMPLES = 3
"""Marked records named under a check."""


@dataclass(slots=True)
class Rulings:
    """The counts, filled record by record."""

    counts: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    """(step, verdict, language, source) -> final records."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Step -> what its verdicts took in all."""
    names: dict[str, set[str]] = field(default_factory=dict)
    """Step -> ``check version``, more than one where the check changed between two starts."""
    examples: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Step -> (id, evidence) of accepted records that failed it or could not be decided."""

    def add(self, record: Record, *, accepted: bool) -> None:
        """Count what was said of a record that has come to its end."""
        source = str(record.facts.get("source", ""))
        for hop in record.lineage:
            if said := hop.verdict:
                self.counts[hop.step, said.verdict, record.language, source] += 1
                self.names.setdefault(hop.step, set()).add(f"{said.check} {said.version}")
                self.seconds[hop.step] = self.seconds.get(hop.step, 0.0) + said.seconds
                if accepted and said.verdict in ("fail", "error"):
                    shown = self.examples.setdefault(hop.step, [])
                    if len(shown) < EXAMPLES:
                        shown.append((record.id, f"{said.verdict}: {said.evidence}"))

    def table(self, order: Sequence[str]) -> list[dict[str, object]]:
        """One row a check, in the job's order: its counts, pass rate, version and examples."""
        rows: list[dict[str, object]] = []
        for step in self._steps(order):
            of_kind = Counter[str]()
            for (name, kind, _, _), n in self.counts.items():
                of_kind[kind] += n * (name == step)
            decided = of_kind["pass"] + of_kind["fail"]
            rows.append(
                {
                    "step": step,
                    "check": ", ".join(sorted(self.names[step])),
                    **{kind: of_kind[kind] for kind in KINDS},
                    "rate": of_kind["pass"] / decided if decided else None,
                    "seconds": self.seconds[step],
                    "examples": self.examples.get(step, []),
                }
            )
        return rows

    def rates(self, order: Sequence[str], by: str) -> tuple[list[str], list[tuple[str, list[str]]]]:
        """Pass rates by ``language`` or ``source``: the columns' names, and a row for each check.

        A cell is ``passed of decided`` in per cent with the number, and empty where none was
        decided.
        """
        at = {"language": 2, "source": 3}[by]
        whole = Counter[str]()
        for key, n in self.counts.items():
            whole[key[at]] += n
        columns = [name for name, _ in whole.most_common(COLUMNS)]
        return columns, [
            (step, [self._cell(step, at, column) for column in columns])
            for step in self._steps(order)
        ]

    def _cell(self, step: str, at: int, column: str) -> str:
        passed = failed = 0
        for key, n in self.counts.items():
            if key[0] == step and key[at] == column:
                passed += n * (key[1] == "pass")
                failed += n * (key[1] == "fail")
        decided = passed + failed
        return f"{100 * passed / decided:.0f} % of {decided:,}" if decided else ""

    def _steps(self, order: Sequence[str]) -> list[str]:
        known = [step for step in order if step in self.names]
        return [*known, *sorted(self.names.keys() - set(known))]


def of(accepted: Iterable[Record], dropped: Iterable[Record]) -> Rulings:
    """The rulings of these records."""
    found = Rulings()
    for record in accepted:
        found.add(record, accepted=True)
    for record in dropped:
        found.add(record, accepted=False)
    return found
