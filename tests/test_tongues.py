"""The report's part on languages: its figures by hand, and its bytes. Renew the bytes after a
change that is meant, and read the diff: ``python -m tests.test_tongues``."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine import report
from engine.card import About, Stage
from engine.core import Call, Drop, Hop, Message, Outcome, Record, stable_id
from engine.entries import Leaf, Unit
from engine.ledger import Ledger
from engine.models.journal import Said
from engine.tongues import Cell, Sum, Tongues, quantile

FROZEN = Path(__file__).parent / "frozen" / "tongues.html"
STEPS = ("write", "judge", "near", "end")
TEXTS = {
    "en": ("How do tides work? {}", "The Moon pulls the water of the sea, number {}."),
    "th": ("น้ำขึ้นน้ำลงเกิดจากอะไร {}", "ดวงจันทร์ดึงน้ำในทะเล {}"),
    "sw": ("Maji kupwa na kujaa hutokeaje? {}", "Mwezi huvuta maji ya bahari, namba {}."),
    "ar": ("كيف يحدث المد والجزر؟ {}", "القمر يجذب ماء البحر {}"),
}
TOKENS = {"en": 10, "th": 40, "sw": 16, "ar": 20}


def record(tag: str, number: int, steps: Sequence[str] = STEPS, /, **facts: object) -> Record:
    ask, answer = (text.format(number) for text in TEXTS[tag])
    key = f"{tag}{number}"
    call = Call("p@1", "writer", "m", key, 5, TOKENS[tag])
    hops = tuple(Hop(step, "p", (call,) if step == "write" else ()) for step in steps)
    turns = (Message("user", ask), Message("assistant", answer))
    return Record(stable_id(key), tag, turns, facts, hops)


def reply(made: Record) -> Said:
    call = made.lineage[0].calls[0]
    text = json.dumps({"answer": made.last("assistant")}, ensure_ascii=False)
    if made.language == "en":
        text = made.last("assistant")
    return Said(call.key, "p@1", "writer", "m", 5, call.tokens_out, False, 0, 1.0, b"{}", text)


def everything() -> list[tuple[str, Outcome]]:
    """(the step a record ended at, what became of it)."""
    found: list[tuple[str, Outcome]] = []
    for tag, count in {"en": 6, "th": 3, "sw": 4, "ar": 1}.items():
        for n in range(count):
            facts = {
                "scores": {"mean": 3 + n % 3},
                "identified": {"response": {"language": tag, "confidence": 0.9 - n / 10}},
                "provenance": {} if tag == "en" else {"instruction": "translated"},
            }
            found.append(("", record(tag, n, **facts)))
    low, twin = record("th", 90, STEPS[:2], scores={"mean": 1}), record("th", 91, STEPS[:3])
    found += [("judge", Drop(low, "low_score")), ("near", Drop(twin, "near_duplicate"))]
    found.append(("write", Drop(record("ar", 92, STEPS[:1]), "bad_reply")))
    return found


def counted(outcomes: Sequence[tuple[str, Outcome]]) -> Tongues:
    journal = {c.lineage[0].calls[0].key: reply(c) for _, c in outcomes if isinstance(c, Record)}
    tongues = Tongues(journal.get)
    for step, outcome in outcomes:
        if isinstance(outcome, Drop):
            tongues.add(outcome.record, step, outcome.reason)
        else:
            tongues.add(outcome)
            tongues.measure(outcome)
    return tongues


def rows(outcomes: Sequence[tuple[str, Outcome]]):
    return {row.tag: row for row in counted(outcomes).rows()}


def test_every_language_has_a_row_the_most_accepted_first_and_all_add_up():
    found = counted(everything())
    assert [row.tag for row in found.rows()] == ["en", "sw", "th", "ar"]
    assert [row.accepted for row in found.rows()] == [6, 4, 3, 1]
    assert sum(row.duplicates[1] for row in found.rows()) == len(everything())
    assert found.reference == "en"


def test_tokens_are_those_of_the_replies_that_hold_the_response():
    en, th = (rows(everything())[tag] for tag in ("en", "th"))
    text = record("en", 0).last("assistant")
    assert en.characters == en.octets == len(text) / 10 and en.dearer == 1
    wrapped = reply(record("th", 0)).text
    assert th.characters == len(wrapped) / 40
    assert th.octets == len(wrapped.encode()) / 40 > 2 * th.characters
    assert th.dearer == pytest.approx(40 / len(wrapped) / (10 / len(text)))


def test_a_response_that_no_reply_holds_measures_no_tokens():
    found = Tongues({}.get)
    found.measure(record("th", 1))
    found.add(record("th", 1))
    [row] = found.rows()
    assert (row.characters, row.octets, row.dearer) == (None, None, None)
    assert row.origins["response"] == [("not stated", 1)]
    assert row.longer == 1


def test_what_dropped_candidates_cost_is_the_cost_of_those_that_were_accepted():
    found = rows(everything())
    assert found["en"].spent == 5 + 10 and found["ar"].spent == 2 * (5 + 20)
    assert found["th"].spent == 5 * (5 + 40) / 3
    assert rows([("judge", Drop(record("th", 1, STEPS[:2]), "low"))])["th"].spent is None


def test_lengths_are_in_characters_and_against_the_reference():
    sw = rows(everything())["sw"]
    assert sw.answered == sw.longest == len(TEXTS["sw"][1].format(0))
    assert sw.longer == sw.answered / len(TEXTS["en"][1].format(0))


def test_confidence_has_the_lowest_beside_the_mean_and_is_empty_where_no_filter_ran():
    en = rows(everything())["en"]
    assert en.confidence == (pytest.approx(0.65), 0.4, 6)
    assert rows([("", record("en", 1))])["en"].confidence is None
    told = {"instruction": ("de", 0.5), "response": ("de", 1), "input": ("und", 0.0)}
    both = {name: {"language": tag, "confidence": sure} for name, (tag, sure) in told.items()}
    mixed = rows([("", record("en", 1, identified=both))])["en"]
    assert mixed.confidence == (0.75, 0.5, 2) and mixed.unsure == (1, 3)
    assert rows([("", record("en", 1, identified={"response": "en"}))])["en"].unsure is None


def test_duplicates_are_dropped_ones_of_all_and_repeats_are_counted_among_the_accepted():
    th = rows(everything())["th"]
    assert th.duplicates == (1, 5) and th.repeated == (0, 3)
    again = [("", record("th", 1)), ("", record("th", 1)), ("", record("sw", 1))]
    assert rows(again)["th"].repeated == (1, 2) and rows(again)["sw"].repeated == (0, 1)


def test_judges_count_dropped_records_and_say_how_sure_a_mean_is():
    th = rows(everything())["th"].judged["rubric_judge"]
    assert th == (pytest.approx((3 + 4 + 5 + 1) / 4), pytest.approx(1.96 * (35 / 12 / 4) ** 0.5), 4)
    assert rows(everything())["ar"].judged["rubric_judge"] == (3.0, None, 1)
    for bad in (None, float("nan"), "5"):
        assert not rows([("", record("en", 1, scores={"mean": bad}))])["en"].judged


def test_provenance_is_what_is_stated_else_what_can_be_seen():
    assert rows(everything())["sw"].origins == {
        "instruction": [("translated", 4)],
        "response": [("model", 4)],
    }
    own = Record("x", "sw", record("sw", 1).messages, {"input": "namba"})
    assert rows([("", record("en", 1)), ("", record("th", 1))])["en"].origins["instruction"] == [
        ("not stated", 1)
    ]
    found = Tongues({}.get)
    found.measure(own)
    assert [list(each) for each in found.rows()[0].origins.values()] == [[("source", 1)]] * 3


def test_the_heat_map_has_every_language_at_every_step_and_no_average_without_the_lowest():
    found = counted(everything())
    heat = dict(found.heat(STEPS))
    assert heat["th"] == [Cell(5, 0), Cell(4, 1), Cell(3, 1), Cell(3, 0)]
    assert heat["ar"] == [Cell(1, 1), Cell(1, 0), Cell(1, 0), Cell(1, 0)]
    assert [cell.rate for cell in heat["ar"]] == [0.5, 1, 1, 1]
    assert Cell(0, 0).rate is None
    together = found.together(STEPS)
    assert together[0] == (Cell(16, 1), "ar") and together[1] == (Cell(15, 1), "th")


def test_the_order_of_reading_changes_no_digit():
    shuffled = everything()
    random.Random(5).shuffle(shuffled)
    assert counted(shuffled).page(STEPS) == counted(everything()).page(STEPS)


def test_sums_and_quantiles_of_little():
    assert quantile(Counter(), 0.95) == 0
    assert quantile(Counter({3: 19, 90: 1}), 0.95) == 3
    assert quantile(Counter({3: 18, 90: 2}), 0.95) == 90
    one = Sum()
    one.add(-0.5)
    assert (one.mean, one.margin, one.lowest) == (-0.5, None, -5000)
    assert Tongues({}.get).page(STEPS)["rows"] == []


# -- the page --------------------------------------------------------------------------------


def fragment(folder: Path) -> str:
    """The page's part on languages, of the frozen outcomes."""
    book = Ledger(folder / "run", write=True)
    try:
        asyncio.run(_fill(book))
        funnel = [Stage(step, 17, 14, {}) for step in STEPS]
        about = About(
            *(
                "frozen",
                "",
                "0",
                "messages",
                {"train": 14},
                "",
                {"en": 6},
                {},
                [],
                funnel,
                {},
                False,
            )
        )
        report.write(book, about, folder / "report.html")
    finally:
        book.close()
    html = (folder / "report.html").read_text(encoding="utf-8")
    return html.split("<h3>Identified")[1].split("<h2 id=")[0]


async def _fill(book: Ledger) -> None:
    outcomes = everything()
    await book.begin_round(0, {"seeds": {"start": 0, "count": len(outcomes)}})
    for at, (step, outcome) in enumerate(outcomes):
        entered = outcome.record if isinstance(outcome, Drop) else outcome
        leaf = Leaf(step or STEPS[-1], None if step else "", outcome)
        await book.keep(reply(entered))
        await book.commit(Unit(0, 0, at, entered), [leaf], {})


def test_the_page_of_frozen_records_is_the_same_to_the_byte(tmp_path):
    assert fragment(tmp_path) == FROZEN.read_text(encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        FROZEN.write_text(fragment(Path(place)), encoding="utf-8")
