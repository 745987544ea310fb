from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from engine.core import Drop, Record
from engine.generators.cross_in import GENERATOR
from engine.languages.tags import normalise
from engine.passes.cross_in_pairs import PASS
from engine.session import load
from engine.text.crossing import listed
from tests.conftest import Bind, seed, settle

ROWS = {
    "en": ("Add up the prices.", "bread 3, milk 2", "5"),
    "sw": ("Jumlisha bei hizi.", "mkate 3, maziwa 2", "tano"),
    "zh": ("把价格加起来。", "面包3，牛奶2", "五"),
}


def example(**more: object) -> list[Record]:
    return [
        replace(
            seed(f"{i}\n\n{x}", tag, o, parallel_id="p", instruction=i, input=x, licence="L"),
            id=tag,
        )
        for tag, (i, x, o) in ROWS.items()
    ]


async def made(bind: Bind, **ask: object) -> list[Record]:
    step, chat = bind(GENERATOR)
    outcomes = [
        outcome
        for record in settle(PASS, example(), **ask)
        if isinstance(record, Record)
        for outcome in await step(record)
    ]
    assert not chat.asked
    return [outcome for outcome in outcomes if isinstance(outcome, Record)]


async def test_every_pair_becomes_a_record_in_the_language_of_its_answer(bind: Bind) -> None:
    found = await made(bind, size=18, short="wait")
    assert len(found) == 12 and len({record.id for record in found}) == 12
    for record in found:
        cross, (asked, answered) = record.facts["cross"], record.facts["sides"]
        assert record.language == cross["answered"] == answered
        assert cross["asked"] == asked != answered
        assert record.facts["licence"] == "L" and record.facts["pairs"] is None
        user = f"{record.facts['instruction']}\n\n{record.facts['input']}"
        assert record.last("user") == user
    assert Counter(r.facts["cross"]["form"] for r in found) == {"answer": 6, "translation": 6}


async def test_what_is_asked_and_what_is_answered_are_rows_as_they_are(bind: Bind) -> None:
    for record in await made(bind, size=18, short="wait"):
        asked, answered = (ROWS[tag] for tag in record.facts["sides"])
        words = listed()[record.language]
        if record.facts["cross"]["form"] == "translation":
            assert record.facts["instruction"] in words.translate
            assert (record.facts["input"], record.last("assistant")) == (asked[0], answered[0])
        else:
            instruction, request = record.facts["instruction"].split("\n")
            assert instruction == asked[0] and request in words.answer
            assert (record.facts["input"], record.last("assistant")) == (asked[1], answered[2])


async def test_crossin_itself_is_a_grid_with_english_on_one_side(bind: Bind) -> None:
    """Each draw of its script gives English to X, X to English, and a translation to English."""
    grid = {"en": {"zh": 1}, "zh": {"en": 1}}
    ask = {"weights": grid, "request": "tag", "short": "wait"}
    rows = await made(bind, size=2, forms={"answer": 1}, **ask)
    rows += await made(
        bind, size=1, forms={"translation": 1}, **{**ask, "weights": {"zh": {"en": 1}}}
    )
    texts = [(r.facts["instruction"], r.facts["input"], r.last("assistant")) for r in rows]
    en, zh = ROWS["en"], ROWS["zh"]
    assert texts[:2] == [(en[0], f"{en[1]}\n[zh]", zh[2]), (zh[0], f"{zh[1]}\n[en]", en[2])]
    assert texts[2][1:] == (zh[0], en[0])


async def test_the_sentences_are_drawn_by_seed(bind: Bind) -> None:
    first, again = [await made(bind, size=18, short="wait") for _ in range(2)]
    assert first == again


async def test_a_row_without_pairs_drops(bind: Bind) -> None:
    step, _ = bind(GENERATOR)
    [drop] = await step(seed("Frage", response="Antwort"))
    assert isinstance(drop, Drop) and drop.reason == "no_pair"


def test_the_shipped_jobs_come_to_exactly_what_they_declare(tmp_path: Path) -> None:
    cross = load("cross_in", environment={}).preview(48, rehearse=True).records
    assert len(cross) == 60
    forms = Counter(record.facts["cross"]["form"] for record in cross)
    assert forms == {"answer": 40, "translation": 20}
    assert {normalise(record.language) for record in cross} == {"en", "sw", "ar", "zh", "de", "es"}
    mixed = load("language_mix", environment={}).preview(48, rehearse=True).records
    assert Counter(record.language for record in mixed) == {"sw": 4, "ar": 2, "de": 2}
