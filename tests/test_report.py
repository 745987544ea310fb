from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine import report
from engine.card import About, Stage
from engine.core import (
    Call,
    Drop,
    Hop,
    LedgerError,
    Message,
    Outcome,
    Record,
    Verdict,
    stable_id,
)
from engine.draws import Draw
from engine.entries import Leaf, Unit
from engine.ledger import Ledger
from engine.models.journal import Said

VOID = {"meta", "link", "br", "img", "input", "hr"}
TASKS = {
    "en": ["Write a poem about rain.", "Explain tides.", "Please list three rivers."],
    "ar": ["اكتب قصيدة عن المطر", "اشرح المد والجزر"],
    "zh-Hans": ["解释潮汐。", "写一首诗"],
}
CALL = Call("self_instruct/propose@77a0e1", "writer", "llama-9", "k1", 120, 45)


class Page(HTMLParser):
    """The page's text, and whether every element that opens is closed in its place."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.text, self.open = html, "", list[str]()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._skip = False
        self.feed(html)
        self.close()
        assert not self.open
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        self._skip = tag in ("style", "script")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self._skip = False

    def handle_data(self, data):
        self.text += "" if self._skip else f" {data}"

    def section(self, name: str) -> str:
        """The text from a heading to the next."""
        inner = self.html.split(f'<h2 id="{name}">')[1].split("<h2 id=")[0]
        return " ".join(re.sub(r"<[^>]+>", " ", inner).split())


def record(number: int, language: str = "en", text: str = "", **facts: object) -> Record:
    tasks = TASKS.get(language, TASKS["en"])
    turns = (
        Message("user", text or tasks[number % len(tasks)]),
        Message("assistant", "An answer of five words."),
    )
    hops = (Hop("bootstrap", "p", (CALL,)), Hop("length", "p"))
    return Record(stable_id("r", language, str(number)), language, turns, facts, hops)


async def fill(book: Ledger, outcomes: Sequence[Outcome], src: str = "length") -> None:
    await book.begin_round(0, {"seeds": {"start": 0, "count": len(outcomes)}})
    for at, outcome in enumerate(outcomes):
        dropped = isinstance(outcome, Drop)
        entered = outcome.record if isinstance(outcome, Drop) else outcome
        leaf = Leaf(src, None if dropped else "", outcome)
        tally = {src: (1, int(not dropped), int(dropped))}
        await book.commit(Unit(0, 0, at, entered), [leaf], tally)


def about(book: Ledger, *, target: int | None = None, rehearsal: bool = False) -> About:
    """What ``engine.outputs`` makes of a ledger, for the one step ``length``."""
    languages = Counter(r.language for r in book.accepted(target or -1))
    reasons = Counter[str]()
    for _, reason, _, count in book.reasons():
        reasons[reason] += count
    entered, kept, _ = book.tallies().get("length", (0, 0, 0))
    return About(
        name="quick <start> & co",
        job="",
        engine="0.1.0",
        format="messages",
        splits={"train": languages.total()},
        pattern="",
        languages=languages,
        models={},
        prompts=[],
        funnel=[Stage("length", entered, kept, reasons)],
        licences={},
        rehearsal=rehearsal,
        target=target,
    )


@pytest.fixture
def book(tmp_path: Path) -> Iterable[Ledger]:
    ledger = Ledger(tmp_path / "run", write=True)
    yield ledger
    ledger.close()


def page(book: Ledger, **more: object) -> Page:
    path = book.path.parent / "report.html"
    report.write(book, about(book, **more), path)
    assert [p.name for p in path.parent.glob(".report*")] == []
    return Page(path.read_text(encoding="utf-8"))


async def test_the_page_says_what_the_ledger_holds(book):
    kept = [record(i, language) for i in range(4) for language in TASKS]
    lost = [Drop(record(i, "ar"), "too_short", f"{i} words") for i in range(90, 92)]
    lost.append(Drop(record(93, "sw"), "wrong_language"))
    await fill(book, [*kept, *lost])
    await book.fail(Unit(0, 0, 99, record(99)), "Traceback\n  deep\nModelError: no answer")
    book.note(end="MET")
    seen = page(book, target=10)
    assert "10 of 10 records accepted" in seen.text
    assert "Target met. 15 seeds grown in 1 round, 1 failed; 3 candidates dropped" in seen.text
    assert "2 accepted beyond the target" in seen.text
    assert "length 15 12 3 too_short 2 13.3 % wrong_language 1 6.7 %" in seen.section("funnel")
    assert "English en 4 40.0 % 0" in seen.section("languages")
    assert "Arabic ar 3 30.0 % 2 too_short 2" in seen.section("languages")
    assert "Swahili sw 0 0.0 % 1 wrong_language 1" in seen.section("languages")
    assert "1 record failed" in seen.section("failures")
    assert "ModelError: no answer" in seen.section("failures")
    assert "Traceback" not in seen.text
    assert "too_short at length Arabic" in seen.section("dropped")
    assert "0 words" in seen.section("dropped")


async def test_calls_are_summed_by_model_and_prompt(book):
    for at, (model, prompt, seconds) in enumerate(
        [("m1", "a@1", 1.0), ("m1", "a@1", 3.0), ("m1", "b@2", 2.0), ("m2", "a@1", 0.0)]
    ):
        said = Said(f"k{at}", prompt, "writer", model, 1000, 50, False, 0, seconds, b"{}", "x")
        await book.keep(said)
    seen = page(book).section("cost")
    assert "m1 3 3,000 150 2.00 25 a@1 2 2,000 100 2.00 25 b@2 1 1,000 50 2.00 25" in seen
    assert "m2 1 1,000 50 – – a@1 1 1,000 50 – –" in seen
    assert "All 4 4,000 200 1.50 33" in seen


async def test_lengths_openings_and_neighbours_are_those_of_the_records(book):
    texts = [
        "Write a poem about rain.",
        "Write a poem about rain.",
        "Please write songs",
        "List it",
    ]
    await fill(book, [record(i, text=text) for i, text in enumerate(texts)])
    seen = page(book)
    assert "Measured on all 4 records" in seen.section("lengths")
    assert "English en 4 5" in seen.section("lengths")  # 5, 5, 3 and 2 words; 5 in each answer
    assert "write 3 : poem 2, songs 1" in seen.section("openings")
    assert "English : 100.0 % of 4 instructions" in seen.section("openings")
    assert "4 of 4 instructions were compared" in seen.section("nearness")
    assert "above 0.7: 2 (50.0 %)" in seen.section("nearness")


async def test_one_task_with_several_inputs_opens_alike_but_is_compared_with_its_input(book):
    task, inputs = "Sort these words.", ["oak elm ash fir", "red blue green pink"]
    texts = [f"{task}\n\n{given}" for given in inputs]
    await fill(book, [record(i, text=t, instruction=task) for i, t in enumerate(texts)])
    seen = page(book)
    assert "sort 2 : words 2" in seen.section("openings")
    assert "Median 0.43" in seen.section("nearness")  # 3 of 7 words, in the same order
    assert "instruction Sort" not in seen.section("samples")  # the message says it already


async def test_every_language_with_many_openings_has_its_own_picture(book):
    await fill(book, [record(i, language) for i in range(3) for language in TASKS])
    seen = page(book)
    assert sum(attrs.get("class") == "ring" for _, attrs in seen.elements) == 1 + len(TASKS)
    assert "Simplified Chinese : 100.0 % of 3 instructions" in seen.section("openings")
    assert "解释 2 : 潮汐 2" in seen.section("openings")


async def test_samples_show_every_language_with_its_text_direction_and_lineage(book):
    many = [record(i) for i in range(200)]
    await fill(book, [*many, record(1, "ar"), record(1, "zh-Hans", topic="water", tags=["a", 1])])
    seen = page(book)
    assert seen.html.count("<article>") == report.SAMPLES
    texts = [a for tag, a in seen.elements if a.get("class") == "text"]
    assert {a["lang"] for a in texts} == {"en", "ar", "zh-Hans"}
    assert {a["dir"] for a in texts} == {"auto"}
    samples = seen.section("samples")
    assert "topic water" in samples
    assert "bootstrap → length" in samples
    assert "1 call, 165 tokens" in samples
    assert "bootstrap self_instruct/propose@77a0e1 llama-9 120 45" in samples


async def test_the_same_ledger_gives_the_same_page_in_whatever_order_it_was_filled(tmp_path):
    pages = []
    for name, step in (("a", 1), ("b", -1)):
        ledger = Ledger(tmp_path / name, write=True)
        units = [(at, record(at, language)) for at, language in enumerate(["en", "ar"] * 40)]
        for at, one in units[::step]:
            await ledger.commit(Unit(0, 0, at, one), [Leaf("length", "", one)], {})
        pages.append(page(ledger).html)
        ledger.close()
    assert pages[0] == pages[1]


def test_a_run_that_kept_nothing_still_has_a_report(book):
    seen = page(book, target=300)
    assert "0 of 300 records accepted" in seen.text
    for section in ("lengths", "samples"):
        assert "Nothing was accepted" in seen.section(section)
    assert "Nothing was dropped" in seen.section("dropped")
    assert "No record failed" in seen.section("failures")
    assert "No model was called" in seen.section("cost")


async def test_texts_cannot_become_markup(book):
    bad = "</div><script>alert(1)</script><img src=http://evil.example/x onerror=y> {{ 7*7 }} &amp;"
    odd = record(1, 'e"n<b>', text=bad, **{"<i>": bad, "list": [bad]})
    await fill(book, [odd, Drop(record(2, text=bad), "<b>", bad)])
    await book.keep(Said("k", bad, "w", bad, 1, 1, False, 0, 1.0, b"{}", ""))
    await book.fail(Unit(0, 0, 9, record(9)), bad)
    seen = page(book)
    tags = {tag for tag, _ in seen.elements}
    assert not tags & {"script", "img"}
    assert bad in seen.text.replace(" & amp;", "&amp;")
    assert not [a for _, a in seen.elements if "onerror" in a]


async def test_nothing_is_fetched_from_anywhere(book):
    await fill(book, [record(i, language) for i in range(3) for language in TASKS])
    seen = page(book)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", seen.html)
    assert not [a for _, a in seen.elements if "src" in a or "xlink:href" in a]
    assert all(a["href"].startswith("#") for _, a in seen.elements if "href" in a)
    assert {a["href"][1:] for _, a in seen.elements if "href" in a} <= {
        a["id"] for _, a in seen.elements if "id" in a
    }


@pytest.mark.slow
async def test_a_record_of_a_megabyte_is_shown_by_its_start_and_says_so(book):
    await fill(book, [record(1, text="wort " * 210_000, document="d" * 1_000_000)])
    seen = page(book)
    assert "1,050,000 characters; only the start is shown." in seen.text
    assert len(seen.html) < 100_000


async def test_odd_records_are_survived(book):
    odd = [
        Record("bare", "und"),
        Record("none", "", (Message("user", ""), Message("assistant", ""))),
        record(3, text="\x00\x07\u202e\ufffe\U000e0001 a\r\nb\u2028c"),
        record(4, text="😀"),
        Record("talk", "en", tuple(Message("user", f"turn {i}") for i in range(30))),
        record(5, nothing=None, deep={"a": [{}]}, instruction=7),
    ]
    await fill(book, odd)
    seen = page(book)
    assert "6 records accepted" in seen.text
    assert "\x00" not in seen.html
    assert "␀␇" in seen.html
    assert "No messages." in seen.text
    assert "22 more messages." in seen.text


async def test_many_languages_fold_and_many_records_are_sampled(book):
    tags = [f"{a}{b}" for a in "abcdefghij" for b in "pqrst"]
    await fill(book, [record(i, tag) for tag in tags for i in range(3)])
    survey = report.Survey(10_000_000, Counter(), report.Tongues(book.recall))
    for one in book.accepted():
        survey.add(one)
    assert survey.accepted == 150
    assert survey.measured < 10
    seen = page(book)
    assert "30 more languages" in seen.section("languages")
    assert seen.html.count("<article>") == report.SAMPLES


def test_a_draw_is_of_the_smallest_marks_whatever_the_order():
    draws = []
    for order in ([5, 1, 4, 2, 3], [1, 2, 3, 4, 5]):
        draw = Draw[int](3)
        for value in order:
            draw.offer(value / 10, lambda value=value: value)
        draws.append(draw.drawn())
    assert draws == [[1, 2, 3], [1, 2, 3]]


def test_a_rehearsal_says_so_at_the_top_and_a_real_run_does_not(book):
    assert "REHEARSAL." in page(book, rehearsal=True).text.split("Funnel")[0]
    assert "REHEARSAL" not in page(book).text


def test_an_end_that_this_engine_does_not_know_is_told_as_it_is(book):
    book.note(end="ECLIPSE")
    assert "Eclipse." in page(book).text


def test_a_folder_that_is_not_there_is_a_clear_error_and_leaves_nothing(book, tmp_path):
    with pytest.raises(LedgerError):
        report.write(book, about(book), tmp_path / "missing" / "report.html")


async def test_the_checks_have_their_pass_rates_by_language(book):
    def judged(number, language, ruling):
        said = Verdict("rubric_judge", "0a1b2c3d", ruling, "mean 2.0", 0.25)
        made = record(number, language)
        return replace(made, lineage=(*made.lineage, Hop("judge", "p", (), said)))

    outcomes = [judged(1, "ar", "pass"), judged(2, "ar", "fail"), judged(3, "en", "error")]
    await fill(book, [*outcomes, Drop(judged(4, "en", "fail"), "low_score")], "judge")
    text = page(book).section("checks")
    assert "judge rubric_judge 0a1b2c3d 1 2 1 0 33.3 % 1.0" in text
    assert "50 % of 2" in text and "0 % of 1" in text
    assert "fail: mean 2.0" in text and "error: mean 2.0" in text


async def test_what_panels_and_pairs_say_of_their_judges_is_told(book):
    def seen(number, **facts):
        made = record(number, **facts)
        said = Hop("judge", "p", (), Verdict("judge_ensemble", "0a1b2c3d", "pass"))
        return replace(made, lineage=(*made.lineage, said))

    def panelled(number, first, second):
        panel = {"scores": {"a": first, "b": second}, "words": 10 * number, "writer": "qwen-1"}
        return seen(number, judge_ensemble={**panel, "models": {"a": "qwen-2", "b": "llama-3"}})

    pair = {"orders": ["A", "A"], "words": [5, 9], "winner": "tie"}
    pairs = [seen(10 + n, pairwise=pair) for n in range(2)]
    await fill(book, [panelled(1, 5, 5), panelled(2, 2, 2), *pairs, Drop(panelled(4, 4, 1), "low")])
    text = page(book).section("checks")
    assert "3 records seen by a panel and 2 pairs judged in both orders" in text
    assert "names different winners" in text or "name different winners 1.000" in text
    assert "towards the answer shown first, in the chance that it wins 0.500" in text
    assert "own family of models" not in text, "nobody else wrote anything here"
