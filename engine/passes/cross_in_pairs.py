"""Pair the rows of parallel examples across languages, in exact shares of every direction.

Rows with one value under ``by`` are one example in several languages. A cell of the grid is a form
(``answer``: the task in a, the answer in b; ``translation``: the task in a, its text in b) and a
direction a to b. ``size`` pairs are divided over all cells by ``forms`` times ``weights`` with
largest remainders, equals by name, and within a cell examples are drawn without replacement. A cell
with fewer examples than pairs ends the run (``short: refuse``), or is left short (``wait``).

The row of a carries its pairs (the fact ``pairs``) to the generator ``cross_in``, which writes
them. A row that begins none is dropped (``in_pair``, or ``unpaired`` where its example is in
none), as is one that is no single question with its answer (``no_pair``) or names no example
(``no_example``). Rows are paired within a round, a licence and a split. Both sides of a pair have
passed what stands before this step: checks of translations belong there.

Source: Lin et al., 2024, arXiv:2404.11932 (CrossIn); Chen et al., "Monolingual or Multilingual
Instruction Tuning: Which Makes a Better Alpaca", 2023, arXiv:2309.08958 (the grid of languages).
Differs: exact counts and no example twice in a cell, where CrossIn draws language and row at
random; any direction, where it has English on one side; the request is a sentence in the
language asked for, with CrossIn's tag as ``request: tag``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, Field

from engine.core import Drop, JobError, Json, Outcome, Record, stable_id
from engine.fields import Tag
from engine.kit import Desk, Pass
from engine.selecting import seed_of
from engine.selection.quotas import apportion
from engine.spool import Spool
from engine.text.crossing import FACT, Form, Pair, Request, Side, sentences_for, side

Weight = Annotated[float, Field(gt=0)]
Sides = dict[str, Side]
"""An example's rows by language."""


class Params(BaseModel, extra="forbid"):
    """Settings a job may change."""

    size: int = Field(ge=1)
    """Pairs in all rounds together."""
    by: str = "parallel_id"
    """The fact that the rows of one example share."""
    weights: dict[Tag, dict[Tag, Weight]] | None = None
    """Language asked in -> language answered in -> weight; left out: every two languages that
    are there, both ways, alike."""
    forms: dict[Form, Weight] = Field(default={"answer": 2.0, "translation": 1.0}, min_length=1)
    """Form -> weight; CrossIn has two answers for each translation."""
    request: Request = "sentence"
    """How the language of an answer is asked for: a ``sentence`` in it, or CrossIn's ``tag``."""
    short: Literal["refuse", "wait"] = "refuse"
    """What to do where a cell has too few examples; see above."""


class Cell(NamedTuple):
    """A form and a direction."""

    form: Form
    asked: str
    answered: str

    def __str__(self) -> str:
        return f"{self.form} {self.asked}>{self.answered}"


def settle(
    fresh: Iterable[Record], kept: Iterable[Record], desk: Desk[Params]
) -> Iterator[Outcome]:
    """Every row that begins a pair, with its pairs; see the module."""
    have = Counter(
        str(_cell(Pair.model_validate(p))) for r in kept for p in r.facts.get(FACT) or ()
    )
    examples: defaultdict[str, Sides] = defaultdict(dict)
    with Spool[Record]() as waiting:
        for record in fresh:
            waiting.put(record)
            if (found := side(record)) and (name := _example(record, desk.params.by)):
                examples[name].setdefault(found.language, found)
        begun: defaultdict[str, list[Json]] = defaultdict(list)
        paired: set[str] = set()
        for pair in _pairs(examples, have, desk):
            begun[pair.asks.id].append(pair.model_dump(mode="json"))
            paired.add(pair.answers.id)
        for record in waiting:
            yield _outcome(record, begun.get(record.id), paired, desk.params.by)


def _outcome(record: Record, pairs: list[Json] | None, paired: set[str], by: str) -> Outcome:
    if pairs:
        return record.with_facts(**{FACT: pairs})
    if side(record) is None:
        return Drop(record, "no_pair")
    if not _example(record, by):
        return Drop(record, "no_example", f"no value under {by}")
    return Drop(record, "in_pair" if record.id in paired else "unpaired")


def _example(record: Record, by: str) -> str:
    """What rows must share to be paired; empty where the record does not name an example."""
    named = record.facts.get(by)
    if named is None or named == "":
        return ""
    return "\x1f".join(str(each) for each in (named, *map(record.facts.get, ("licence", "split"))))


def _pairs(examples: Mapping[str, Sides], have: Counter[str], desk: Desk[Params]) -> Iterator[Pair]:
    """The pairs that the grid asks for, cell by cell, in an order of examples that is drawn."""
    seed, ask = seed_of(desk), desk.params
    languages = {tag for sides in examples.values() for tag in sides}
    quotas = _grid(languages, ask)
    there = {cell: [n for n, s in examples.items() if {*cell[1:]} <= s.keys()] for cell in quotas}
    needs = {cell: quota - have[str(cell)] for cell, quota in quotas.items()}
    _enough(there, needs, ask)
    for cell, need in needs.items():
        order = sorted(there[cell], key=lambda name: stable_id(seed, str(cell), name))
        for name in order[: max(0, need)]:
            asks, answers = examples[name][cell.asked], examples[name][cell.answered]
            yield Pair(form=cell.form, request=ask.request, asks=asks, answers=answers)


def _grid(languages: set[str], ask: Params) -> dict[Cell, int]:
    """How many pairs each cell has in all rounds."""
    weights: Mapping[str, Mapping[str, float]] = ask.weights or _every_direction(languages)
    unworded = {b for row in weights.values() for b in row if sentences_for(b) is None}
    if unworded:
        raise JobError(
            f"no sentence asks for {', '.join(sorted(unworded))}: taxonomies/cross_in.yaml"
        )
    shares: dict[str, Fraction] = {}
    cells: dict[str, Cell] = {}
    for form, weight in ask.forms.items():
        mine = [
            (Cell(form, a, b), Fraction(str(w)))
            for a, row in weights.items()
            for b, w in row.items()
            if form == "answer" or a != b
        ]
        whole = sum(share for _, share in mine)
        cells |= {str(cell): cell for cell, _ in mine}
        shares |= {str(cell): Fraction(str(weight)) * share / whole for cell, share in mine}
    counts = apportion(ask.size, {name: shares[name] for name in sorted(shares)})
    return {cells[name]: count for name, count in counts.items()}


def _every_direction(languages: set[str]) -> dict[str, dict[str, float]]:
    worded = sorted(tag for tag in languages if sentences_for(tag))
    return {a: {b: 1.0 for b in worded if b != a} for a in sorted(languages)}


def _enough(there: Mapping[Cell, Sequence[str]], needs: Mapping[Cell, int], ask: Params) -> None:
    few = [
        f"{c} has {len(there[c])} of {need}" for c, need in needs.items() if need > len(there[c])
    ]
    if few and ask.short == "refuse":
        raise JobError(
            f"too few examples, and none is paired twice: {', '.join(few)}; or short: wait"
        )


def _cell(pair: Pair) -> Cell:
    return Cell(pair.form, pair.asks.language, pair.answers.language)


PASS = Pass(settle, Params)
