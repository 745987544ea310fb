"""Language by language: what a run came to in each, for the report. Nothing is averaged over them.

Counted along one reading of the final records, accepted and dropped; texts and calls are measured
on the accepted records that the report samples. Of each language:

- ``confidence`` of the identifier (0..1), mean and lowest, and how many fields it could not tell,
  where a filter left it;
- lengths in characters, and tokens: the replies that hold a record's response, in characters and
  UTF-8 bytes a token, as the server counted them, reasoning included;
- how many times longer, and how many times more tokens a character, than in the language with the
  most accepted records; the texts are not the same ones, unless rows are parallel;
- tokens in and out behind an accepted record, dropped candidates included; a call that several
  records came from counts for each;
- candidates dropped as duplicates, and accepted instructions that occur again;
- every judge's mean with its 95 % interval, dropped records included;
- where each field is from: what a translator noted (``facts["provenance"]``), else ``model`` where
  a reply holds it, ``source`` where no model was asked, else ``not stated``;
- for every step, the share that passed of those that came to it and to an end. A language is that
  of the record in the end. Whoever looks at all languages together sees the lowest beside it.

All sums are of whole numbers, so that the order of reading cannot change a digit.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import regex

from engine.charts import median, most
from engine.core import Call, Json, Record, stable_id
from engine.models.keeping import Said
from engine.selecting import value_at
from engine.text.sameness import bare
from engine.text.sides import turns

Recall = Callable[[str], Said | None]
"""A journalled call by its key."""

SIDES = ("instruction", "response")
FIELDS = ("instruction", "input", "response")
JUDGES = {
    "rubric_judge": "scores.mean",
    "judge_ensemble": "judge_ensemble.mean",
    "instruction_rubric": "instruction_rubric.mean",
    "self_curation": "curation.score",
    "deita complexity": "scores_deita.complexity",
    "deita quality": "scores_deita.quality",
}
"""Judge -> the fact that holds its score."""
IDENTIFIED, UNSURE = "identified", "und"
"""The fact that the filter ``language`` leaves: field -> language and confidence."""
LOOKED = 500
"""Accepted records of a language, the first, whose calls are looked at: a look-up each."""
LATEST = 8
"""Calls that are looked at for the reply that holds a response, from the last."""
SCALE = 10_000
"""Parts of 1 in which scores are summed."""
_DUPLICATE = regex.compile(r"duplicate|not_novel|too_similar")


@dataclass(slots=True)
class Sum:
    """Numbers that came one by one, to a ten-thousandth."""

    n: int = 0
    total: int = 0
    squares: int = 0
    lowest: int = 0

    def add(self, value: float) -> None:
        """One more."""
        whole = round(value * SCALE)
        self.lowest = min(self.lowest, whole) if self.n else whole
        self.n, self.total, self.squares = self.n + 1, self.total + whole, self.squares + whole**2

    @property
    def mean(self) -> float:
        """The mean; there must be one number."""
        return self.total / self.n / SCALE

    @property
    def margin(self) -> float | None:
        """Half of the 95 % interval of the mean; ``None`` of fewer than two."""
        if self.n < 2:
            return None
        spread = (self.n * self.squares - self.total**2) / (self.n * (self.n - 1))
        return 1.96 * math.sqrt(spread / self.n) / SCALE


@dataclass(slots=True)
class Tongue:
    """What was counted of one language."""

    accepted: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """By reason."""
    passed: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    """By step: final records that passed it, and that were dropped there."""
    confidence: Sum = field(default_factory=Sum)
    unsure: int = 0
    """Fields that were identified, and that no identifier could tell."""
    judged: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    measured: int = 0
    lengths: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """By side: characters -> records."""
    characters: int = 0
    octets: int = 0
    tokens: int = 0
    """Of the replies that hold a response."""
    spent: int = 0
    """Tokens in and out on the way of all final records."""
    origins: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seen: set[str] = field(default_factory=set)
    repeated: int = 0


class Row(NamedTuple):
    """What the report says of one language; ``None`` where nothing is known."""

    tag: str
    accepted: int
    confidence: tuple[float, float, int] | None
    """Mean, lowest, and of how many fields."""
    unsure: tuple[int, int] | None
    """Fields that could not be told, of how many."""
    asked: float
    """Median characters of an instruction."""
    answered: float
    """Median characters of a response."""
    longest: int
    """Characters of a response that 95 of 100 do not exceed."""
    longer: float | None
    """How many times the median response of the reference."""
    characters: float | None
    octets: float | None
    """A token has so many."""
    dearer: float | None
    """How many times the tokens a character of the reference."""
    spent: float | None
    """Tokens behind an accepted record."""
    duplicates: tuple[int, int]
    """Dropped as such, of how many final records."""
    repeated: tuple[int, int]
    """Accepted instructions that occur again, of how many measured."""
    judged: Mapping[str, tuple[float, float | None, int]]
    """Judge -> mean, margin and number."""
    origins: Mapping[str, Sequence[tuple[str, int]]]


@dataclass(slots=True)
class Tongues:
    """The counts of all languages, filled record by record."""

    recall: Recall
    found: dict[str, Tongue] = field(default_factory=lambda: defaultdict(Tongue))

    def add(self, record: Record, step: str = "", reason: str = "") -> None:
        """Count a final record; ``step`` and ``reason`` where it was dropped."""
        mine = self.found[record.language]
        for name in dict.fromkeys(hop.step for hop in record.lineage if hop.step != step):
            mine.passed[name] += 1
        if step:
            mine.ended[step] += 1
            mine.dropped[reason] += 1
        else:
            mine.accepted += 1
        mine.spent += sum(c.tokens_in + c.tokens_out for hop in record.lineage for c in hop.calls)
        for language, confidence in _identified(record.facts.get(IDENTIFIED)):
            mine.unsure += language == UNSURE
            if language != UNSURE:
                mine.confidence.add(confidence)
        for judge, path in JUDGES.items():
            score = value_at(record.facts, path)
            if isinstance(score, int | float) and math.isfinite(score):
                mine.judged[judge].add(score)

    def measure(self, record: Record) -> None:
        """Measure an accepted record."""
        mine = self.found[record.language]
        mine.measured += 1
        for side in SIDES:
            mine.lengths[side][sum(map(len, turns(record, side)))] += 1  # type: ignore[arg-type]
        mark = stable_id(bare(record.last("user")))
        mine.repeated += mark in mine.seen
        mine.seen.add(mark)
        look = mine.measured <= LOOKED
        held = self._holding(record) if look else None
        if held and held[0].tokens_out:
            mine.characters += len(held[1])
            mine.octets += len(held[1].encode("utf-8", "replace"))
            mine.tokens += held[0].tokens_out
        for name, origin in _origins(record, held is not None, look):
            mine.origins[name][origin] += 1

    def _holding(self, record: Record) -> tuple[Call, str] | None:
        """The latest call whose reply holds the response, and that reply."""
        response = record.last("assistant").strip()
        calls = [call for hop in record.lineage for call in hop.calls]
        written = json.dumps(response, ensure_ascii=False)[1:-1]
        for call in reversed(calls[-LATEST:]) if response else ():
            said = self.recall(call.key)
            if said and (response in said.text or written in said.text):
                return call, said.text
        return None

    @property
    def reference(self) -> str:
        """The language that others are compared with: the one with the most accepted records."""
        return min(self.found, key=lambda tag: (-self.found[tag].accepted, tag), default="")

    def page(self, steps: Sequence[str]) -> dict[str, object]:
        """Everything that the template of the report is given."""
        rows = self.rows()
        return {
            "rows": rows,
            "reference": self.reference,
            "judges": sorted({judge for row in rows for judge in row.judged}),
            "steps": steps,
            "heat": self.heat(steps),
            "together": self.together(steps),
        }

    def rows(self) -> list[Row]:
        """A row for every language, the most accepted first, then by tag."""
        order = sorted(self.found, key=lambda tag: (-self.found[tag].accepted, tag))
        return [_row(tag, self.found[tag], self.found[self.reference]) for tag in order]

    def heat(self, order: Sequence[str]) -> list[tuple[str, list[Cell]]]:
        """For every language, in the order of ``rows``, what it came to at every step."""
        tags = [row.tag for row in self.rows()]
        return [(tag, [_cell(self.found[tag], step) for step in order]) for tag in tags]

    def together(self, order: Sequence[str]) -> list[tuple[Cell, str]]:
        """For every step all languages together, and the tag of the lowest, if they differ."""
        summed = Tongue()
        for mine in self.found.values():
            summed.passed.update(mine.passed)
            summed.ended.update(mine.ended)
        return [(_cell(summed, step), self._lowest(step)) for step in order]

    def _lowest(self, step: str) -> str:
        cells = {tag: _cell(mine, step) for tag, mine in self.found.items()}
        rates = {tag: cell.rate for tag, cell in cells.items() if cell.rate is not None}
        if len(set(rates.values())) < 2:
            return ""
        return min(rates, key=lambda tag: (rates[tag], tag))


class Cell(NamedTuple):
    """One language at one step."""

    passed: int
    ended: int

    @property
    def rate(self) -> float | None:
        """Share (0..1) that passed; ``None`` where none came."""
        came = self.passed + self.ended
        return self.passed / came if came else None


def _cell(mine: Tongue, step: str) -> Cell:
    return Cell(mine.passed[step], mine.ended[step])


def _row(tag: str, mine: Tongue, reference: Tongue) -> Row:
    answered, base = (median(each.lengths["response"]) for each in (mine, reference))
    price, usual = (_ratio(each.tokens, each.characters) for each in (mine, reference))
    sure = mine.confidence
    duplicates = sum(n for reason, n in mine.dropped.items() if _DUPLICATE.search(reason))
    return Row(
        tag=tag,
        accepted=mine.accepted,
        confidence=(sure.mean, sure.lowest / SCALE, sure.n) if sure.n else None,
        unsure=(mine.unsure, mine.unsure + sure.n) if mine.unsure + sure.n else None,
        asked=median(mine.lengths["instruction"]),
        answered=answered,
        longest=quantile(mine.lengths["response"], 0.95),
        longer=_ratio(answered, base) if mine.measured else None,
        characters=_ratio(mine.characters, mine.tokens),
        octets=_ratio(mine.octets, mine.tokens),
        dearer=price / usual if price and usual else None,
        spent=_ratio(mine.spent, mine.accepted),
        duplicates=(duplicates, mine.accepted + mine.dropped.total()),
        repeated=(mine.repeated, mine.measured),
        judged={name: (s.mean, s.margin, s.n) for name, s in sorted(mine.judged.items())},
        origins={name: most(mine.origins[name]) for name in FIELDS if mine.origins[name]},
    )


def quantile(counts: Counter[int], share: float) -> int:
    """The smallest value that at least this share (0..1) do not exceed; 0 of none."""
    need, seen = math.ceil(share * counts.total()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= need:
            return value
    return 0


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if part and whole else None


def _identified(value: Json) -> Iterator[tuple[str, float]]:
    """(language, confidence) of every field that an identifier was shown."""
    for found in value.values() if isinstance(value, Mapping) else ():
        if isinstance(found, Mapping) and isinstance(found.get("confidence"), int | float):
            yield str(found.get("language", "")), found["confidence"]


def _origins(record: Record, held: bool, look: bool) -> Iterator[tuple[str, str]]:
    """(field, where it is from) for the fields that the record has.

    ``held``: a reply holds the response; ``look``: replies were looked at.
    """
    said = record.facts.get("provenance")
    stated = said if isinstance(said, Mapping) else {}
    asked = any(hop.calls for hop in record.lineage)
    there = {
        "instruction": record.last("user"),
        "input": record.facts.get("input"),
        "response": record.last("assistant"),
    }
    for name in (name for name in FIELDS if there[name]):
        if not asked:
            unsaid = "source"
        elif name == "response" and (held or not look):
            unsaid = "model" if held else "not looked at"
        else:
            unsaid = "not stated"
        yield name, str(stated.get(name, unsaid))
