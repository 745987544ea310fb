"""What a run did, on one page: ``report.html``, read from the ledger and from nothing else.

One reading of the accepted records, in which memory stays flat: they are counted, and what is
measured or shown is a sample. A sample depends on the records' ids only, so the same ledger
gives the same page. The page states how large each sample is. It needs no network and no script:
the charts are SVG, drawn by the template beside this file.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from engine.card import About
from engine.charts import (
    along,
    arc,
    compact,
    fit,
    histogram,
    median,
    most,
    nearness,
    share,
    slices,
    words_of,
)
from engine.core import Drop, Record, stable_id
from engine.draws import Draw
from engine.languages.names import english_name
from engine.ledger import Ledger
from engine.measures.bias import Leanings
from engine.rounds import End
from engine.rulings import Rulings
from engine.storage import explained
from engine.text.sides import turns
from engine.text.tokens import tokens
from engine.text.verbs import Opening, opening
from engine.tongues import Tongues

MEASURED = 20_000
"""Records whose texts are measured, about; all of them where there are fewer."""
NEAREST, NEAREST_TOKENS = 500, 30_000
"""Instructions compared with each other, and how many tokens all of them may have: every pair
of long ones takes minutes."""
SAMPLES, DROPPED, FAILURES = 24, 12, 20
"""Records, drops and failures shown."""
TEXT, FACT, TURNS, FACTS, CALLS = 1_200, 160, 8, 14, 40
"""Of a shown record: characters of a message and of a fact, messages, facts and calls."""
PICTURES = 4
"""Languages that have a picture of their openings of their own."""
SIDES = ("instruction", "response")


def write(book: Ledger, about: About, path: Path) -> None:
    """Write the report of a run; the file is put in place when it is whole.

    Raises:
        LedgerError: the ledger cannot be read, or the file cannot be written.
    """
    aside = path.with_name(f".{path.name}.new")
    with explained(path):
        page = _template().stream(_page(book, about))
        page.enable_buffering(100)
        try:
            with aside.open("w", encoding="utf-8") as file:
                file.writelines(page)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        share=share,
        compact=compact,
        along=along,
        fit=fit,
        language=_language,
        n="{:,}".format,
        arc=arc,
    )
    return environment.get_template("report.html.j2")


def _page(book: Ledger, about: About) -> dict[str, Any]:
    """Everything that the template is given."""
    survey = _surveyed(book, about)
    steps = [stage.step for stage in about.funnel]
    end = book.meta("end") or ""
    seeds, failed = book.seeds()
    drops, reasons = Counter[str](), book.reasons()
    for _, _, language, count in reasons:
        drops[language] += count
    return {
        "about": about,
        "accepted": survey.accepted,
        "surplus": book.waiting("") - survey.accepted,
        "measured": survey.measured,
        "end": {e.name: e.value for e in End}.get(end, end),
        "seeds": seeds,
        "failed": failed,
        "rounds": len(book.rounds()),
        "dropped": drops.total(),
        "widest": max((max(s.entered, s.kept + _all(s.dropped)) for s in about.funnel), default=0),
        "languages": _languages(survey.languages, reasons),
        "tongues": survey.tongues.page(steps),
        "checks": survey.rulings.table(steps),
        "judges": survey.leanings.figures(),
        "rates": {by: survey.rulings.rates(steps, by) for by in ("language", "source")},
        "histograms": {side: histogram(survey.lengths[side].values()) for side in SIDES},
        "medians": _medians(survey),
        "pictures": _pictures(survey.openings),
        "nearness": nearness(survey.texts()),
        "models": _models(book.called()),
        "sums": [sum(column) for column in zip(*(row[2:] for row in book.called()), strict=True)],
        "samples": survey.samples(),
        "drops": _dropped(book, reasons),
        "failures": list(itertools.islice(map(_failure, book.failures()), FAILURES)),
        "failures_all": sum(1 for _ in book.failures()),
    }


# -- reading the accepted records once -------------------------------------------------------


def _surveyed(book: Ledger, about: About) -> Survey:
    expected = min(book.waiting(""), about.target or math.inf)
    survey = Survey(expected, about.languages, Tongues(book.recall))
    for record in book.accepted(about.target or -1):
        survey.add(record)
    for step, drop in book.drops():
        survey.judged(drop.record, accepted=False)
        survey.tongues.add(drop.record, step, drop.reason)
    return survey


class Survey:
    """What one reading of the accepted records brings."""

    def __init__(self, expected: float, languages: Mapping[str, int], tongues: Tongues) -> None:
        """Prepare for about ``expected`` records in these languages (tag -> records)."""
        self.tongues = tongues
        self.accepted = self.measured = 0
        self.languages: Counter[str] = Counter()
        self.lengths: dict[str, dict[str, Counter[int]]] = {side: {} for side in SIDES}
        self.openings: dict[str, Counter[Opening]] = defaultdict(Counter)
        self._share = MEASURED / max(expected, 1)
        self.rulings, self.leanings = Rulings(), Leanings()
        self._texts: Draw[tuple[str, list[str]]] = Draw(NEAREST)
        spread = [tag for tag, _ in Counter(languages).most_common(SAMPLES)]
        quota = math.ceil(SAMPLES / max(len(spread), 1))
        self._quota = dict.fromkeys(spread, quota)
        self._any: Draw[Shown] = Draw(SAMPLES)
        self._ways: dict[tuple[str, tuple[str, ...]], Draw[Shown]] = {}

    def add(self, record: Record) -> None:
        """Count a record, and measure and keep it where the draw falls on it."""
        mark = int(stable_id("report", record.id), 16) / 2**64
        self.accepted += 1
        self.judged(record, accepted=True)
        self.tongues.add(record)
        self.languages[record.language] += 1
        if mark < self._share:
            self._measure(record, mark)
        self._any.offer(mark, lambda: shown(record))
        way = record.language, tuple(dict.fromkeys(hop.step for hop in record.lineage))
        if quota := self._quota.get(record.language):
            self._ways.setdefault(way, Draw(quota)).offer(mark, lambda: shown(record))

    def judged(self, record: Record, *, accepted: bool) -> None:
        """Count what checks and judges said of a record that has come to its end."""
        self.rulings.add(record, accepted=accepted)
        self.leanings.add(record)

    def _measure(self, record: Record, mark: float) -> None:
        self.measured += 1
        self.tongues.measure(record)
        for side in SIDES:
            length = len(tokens("\n".join(turns(record, side))))  # type: ignore[arg-type]
            self.lengths[side].setdefault(record.language, Counter())[length] += 1
        if opens := opening(_asked(record), record.language):
            self.openings[record.language][Opening(*(word[:40] for word in opens))] += 1
        self._texts.offer(mark, lambda: (record.language, tokens(record.last("user"))[:1000]))

    def texts(self) -> dict[str, list[list[str]]]:
        """Tokens of the sampled instructions by language, as many as can all be compared."""
        drawn, left = defaultdict(list), NEAREST_TOKENS
        for language, text in self._texts.drawn():
            left -= len(text)
            if left < 0:
                break
            drawn[language].append(text)
        return drawn

    def samples(self) -> list[Shown]:
        """Records to show: the languages in turn, within each the ways through the job in turn."""
        ways: dict[str, list[list[Shown]]] = defaultdict(list)
        for (language, _), draw in sorted(self._ways.items(), key=itemgetter(0)):
            ways[language].append(draw.drawn())
        order = sorted(ways, key=lambda tag: (-self.languages[tag], tag))
        picked = _in_turn([_in_turn(ways[tag]) for tag in order])
        unique = {sample.id: sample for sample in [*picked[:SAMPLES], *self._any.drawn()]}
        return list(unique.values())[:SAMPLES]


def _asked(record: Record) -> str:
    """The instruction without its input, where the record still says which part that is."""
    asked, bare = record.last("user"), record.facts.get("instruction")
    return bare if isinstance(bare, str) and bare and asked.startswith(bare) else asked


def _in_turn(lists: Iterable[Sequence[Shown]]) -> list[Shown]:
    """The first of each, the second of each, and so on."""
    rows = itertools.zip_longest(*([(value,) for value in values] for values in lists))
    return [value for row in rows for cell in row if cell for value in cell]


# -- what is shown of one record -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """As much of a record as fits on a page."""

    id: str
    language: str
    messages: list[tuple[str, str, int]]
    """Role, the start of the text, and the length of the text in characters."""
    more_messages: int
    facts: list[tuple[str, str]]
    """What is known and is not said in a message."""
    steps: list[str]
    prompts: list[str]
    models: list[str]
    calls: list[tuple[str, str, str, int, int]]
    """Step, prompt, model, tokens in, tokens out."""
    more_calls: int
    tokens: int
    drop: tuple[str, str, str] = ("", "", "")
    """Step, reason and detail, where it was dropped."""


def shown(record: Record) -> Shown:
    """What the page shows of a record."""
    calls = [(hop.step, call) for hop in record.lineage for call in hop.calls]
    messages = record.messages
    facts = [
        (key, _brief(value))
        for key, value in sorted(record.facts.items())
        if not (isinstance(value, str) and any(value in m.content for m in messages[:TURNS]))
    ]
    return Shown(
        record.id,
        record.language,
        [(m.role, _cut(m.content, TEXT), len(m.content)) for m in messages[:TURNS]],
        max(0, len(messages) - TURNS),
        facts[:FACTS],
        list(dict.fromkeys(hop.step for hop in record.lineage)),
        sorted({call.prompt for _, call in calls}),
        sorted({call.model for _, call in calls}),
        [(s, c.prompt, c.model, c.tokens_in, c.tokens_out) for s, c in calls[:CALLS]],
        max(0, len(calls) - CALLS),
        sum(call.tokens_in + call.tokens_out for _, call in calls),
    )


def _brief(value: object) -> str:
    return _cut(value if isinstance(value, str) else orjson.dumps(value).decode(), FACT)


def _cut(text: str, most: int) -> str:
    """The first ``most`` characters; a text that is hardly longer stays whole."""
    return text if len(text) <= most * 1.1 else text[:most].rstrip() + " …"


def _dropped(book: Ledger, reasons: Iterable[tuple[str, str, str, int]]) -> list[Shown]:
    """The first drops for each of the most frequent reasons."""
    counts = Counter[tuple[str, str]]()
    for step, reason, _, count in reasons:
        counts[step, reason] += count
    kinds = sorted(counts, key=lambda kind: (-counts[kind], kind))[:DROPPED]
    found = [book.drops(*kind, limit=DROPPED // len(kinds)) for kind in kinds]
    return [_drop(step, drop) for drops in found for step, drop in drops]


def _drop(step: str, drop: Drop) -> Shown:
    return replace(shown(drop.record), drop=(step, drop.reason, _cut(drop.detail or "", 300)))


def _failure(failure: Mapping[str, Any]) -> dict[str, Any]:
    lines = [line for line in str(failure["error"]).splitlines() if line.strip()]
    return {**failure, "error": _cut(lines[-1] if lines else "", 300)}


# -- tables and charts -----------------------------------------------------------------------


def _languages(
    accepted: Counter[str], reasons: Iterable[tuple[str, str, str, int]]
) -> list[tuple[str, int, int, list[tuple[str, int]]]]:
    """(tag, accepted, dropped, [(reason, count)]) by number, most first."""
    dropped: dict[str, Counter[str]] = defaultdict(Counter)
    for _, reason, language, count in reasons:
        dropped[language][reason] += count
    tags = sorted({*accepted, *dropped}, key=lambda tag: (-accepted[tag], tag))
    return [(t, accepted[t], dropped[t].total(), most(dropped[t])) for t in tags]


def _medians(survey: Survey) -> list[tuple[str, int, list[float]]]:
    """(tag, records measured, median length of each side); the language most measured first."""
    sizes = {tag: counter.total() for tag, counter in survey.lengths[SIDES[0]].items()}
    order = sorted(sizes, key=lambda tag: (-sizes[tag], tag))
    return [(t, sizes[t], [median(survey.lengths[side][t]) for side in SIDES]) for t in order]


def _models(called: Iterable[tuple[str, str, int, int, int, float]]) -> list[dict[str, Any]]:
    """Model by model, with the sums, its prompts: (prompt, calls, in, out, seconds)."""
    rows = itertools.groupby(called, key=itemgetter(0))
    prompts = {model: [row[1:] for row in group] for model, group in rows}
    return [
        {
            "model": model,
            "prompts": lines,
            "sums": [sum(c) for c in list(zip(*lines, strict=True))[1:]],
        }
        for model, lines in prompts.items()
    ]


# -- the picture of the openings -------------------------------------------------------------


def _pictures(openings: Mapping[str, Counter[Opening]]) -> list[dict[str, Any]]:
    """One picture of all languages together, and one each of the most frequent."""
    together = Counter[Opening]()
    for counts in openings.values():
        together.update(counts)
    order = sorted(openings, key=lambda tag: (-openings[tag].total(), tag))[:PICTURES]
    pictures = [_picture("", together, 16, 4)] if together else []
    several = order if len(openings) > 1 else []
    return pictures + [_picture(tag, openings[tag], 10, 3) for tag in several]


def _picture(
    language: str, openings: Counter[Opening], firsts: int, seconds: int
) -> dict[str, Any]:
    words = words_of(openings, firsts, seconds)
    return {
        "language": language,
        "total": openings.total(),
        "drawn": sum(count for _, count, _ in words),
        "words": words,
        "slices": list(slices(words)),
    }


# -- texts as the page writes them -----------------------------------------------------------


def _all(dropped: Mapping[str, int]) -> int:
    return sum(dropped.values())


def _language(tag: str) -> str:
    return english_name(tag) or "no language"


_PICTURES = {n: 0x2400 + n for n in range(32) if n not in (9, 10, 13)} | {0x7F: 0x2421}
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
_ODD = {**_PICTURES, **_SURROGATES}


def _visible(value: Any) -> Any:
    """A text as a page can hold it: control characters become their pictures."""
    return value.translate(_ODD) if isinstance(value, str) else value
