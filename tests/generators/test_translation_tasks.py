from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine.core import Drop, Record
from engine.generators.translation_tasks import GENERATOR
from engine.languages.native_names import name_in
from engine.sources.aligned import SOURCE
from engine.text.translation_words import templates
from tests.conftest import SHARED, Bind, needs_shared, read
from tests.generators.reversing import TAGS


def pair(source: str = "en", target: str = "sw", number: int = 0, **facts: Any) -> Record:
    texts = {"source_text": "The well is deep.", "target_text": "Kisima ni kirefu."}
    about = {"source_language": source, "target_language": target, "number": number}
    return Record(f"{source}{target}{number}", target, (), texts | about | facts)


def bitext(folder: Path, lines: int = 100) -> list[int]:
    """A toy bitext; the numbers of its lines that are blank on neither side."""
    blank = {"en": {3, 4, 50}, "sw": {4, 33, 98}}
    for tag, out in blank.items():
        text = "\n".join("" if n in out else f"{tag} line {n}" for n in range(lines))
        (folder / f"{tag}.txt").write_text(f"{text}\n", encoding="utf-8")
    return [n for n in range(lines) if n not in blank["en"] | blank["sw"]]


async def made(records: list[Record], bind: Bind, **params: Any) -> list[Record]:
    step, chat = bind(GENERATOR, **params)
    found = [outcome for record in records for outcome in await step(record)]
    assert not chat.asked, "no model"
    return [outcome for outcome in found if isinstance(outcome, Record)]


async def test_a_pair_gets_the_template_that_a_loader_of_the_bitext_would_give_it(
    tmp_path: Path, bind: Bind
) -> None:
    whole = bitext(tmp_path)
    records = await made(list(read(SOURCE, tmp_path, path=".")), bind, asked_in=["en"])
    sentences = templates("en")
    assert len(sentences) == 33, "as many as the paper's"
    there = [record for record in records if record.facts["direction"] == "en>sw"]
    # what the paper's loader does: the counter goes on where a side is blank
    wanted = [
        (f"en line {n}", n % 33, sentences[n % 33].format(source="English", target="Swahili"))
        for n in whole
    ]
    told = [
        (r.facts["input"], int(r.facts["template"].removeprefix("en/")), r.facts["instruction"])
        for r in there
    ]
    assert told == wanted and len(told) == 95
    assert [r.last("user") for r in there] == [f"{asked}\n\n{text}" for text, _, asked in wanted]
    assert [r.last("assistant") for r in there] == [f"sw line {n}" for n in whole]


async def test_both_directions_have_as_many_rows(tmp_path: Path, bind: Bind) -> None:
    bitext(tmp_path)
    for how, wanted in (("both", {95}), ("turns", {47, 48})):
        records = await made(list(read(SOURCE, tmp_path, path=".", directions=how)), bind)
        counts = Counter(record.facts["direction"] for record in records)
        assert set(counts) == {"en>sw", "sw>en"} and set(counts.values()) == wanted


async def test_what_is_held_out_always_has_the_first_template(bind: Bind) -> None:
    held = [pair(number=n, split=split) for n, split in enumerate(["validation", "test"] * 20)]
    assert {r.facts["template"] for r in await made(held, bind, asked_in=["en"])} == {"en/0"}
    train = await made([pair(number=n, split="train") for n in range(66)], bind, asked_in=["en"])
    assert Counter(r.facts["template"] for r in train) == {f"en/{n}": 2 for n in range(33)}


@pytest.mark.parametrize(
    ("asked_in", "wanted"),
    [(["source"], "de"), (["target"], "sw"), (["th"], "th"), (["yo", "target"], "sw"),
     (["source", "target", "en"], "de")],
)  # fmt: skip
async def test_the_job_says_in_which_language_one_asks(
    asked_in: list[str], wanted: str, bind: Bind
) -> None:
    [record] = await made([pair("de", "sw", 1)], bind, asked_in=asked_in)
    assert record.facts["instruction_language"] == wanted and record.language == "sw"
    for side in ("de", "sw"):
        assert name_in(wanted, side) in record.facts["instruction"]


@pytest.mark.parametrize(
    ("record", "asked_in", "reason"),
    [(pair(target_text=" \n"), ["en"], "blank_side"), (pair(source_text=""), ["en"], "blank_side"),
     (pair(source=""), ["en"], "not_aligned"), (pair(number="x"), ["en"], "not_aligned"),
     (pair("yo", "wo"), ["source", "target"], "no_wording"),
     (pair("xx", "sw"), ["en"], "no_wording")],
)  # fmt: skip
async def test_what_makes_no_task_drops(
    record: Record, asked_in: list[str], reason: str, bind: Bind
) -> None:
    step, _ = bind(GENERATOR, asked_in=asked_in)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason == reason


LANGUAGES = ("en", "de", "fr", "es", "pt", "zh", "ja", "ar", "hi", "sw", "th", "tr", "ru", "eu")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_template_names_both_languages_in_its_own(language: str, bind: Bind) -> None:
    assert len(templates(language)) >= 4
    for number in range(len(templates(language))):
        [record] = await made([pair("it", "ko", number)], bind, asked_in=[language])
        asked = record.facts["instruction"]
        assert name_in(language, "it") in asked and name_in(language, "ko") in asked
        assert "{" not in asked


def test_no_language_is_asked_for_in_another_ones_words() -> None:
    seen = Counter(each for language in LANGUAGES for each in templates(language))
    assert max(seen.values()) == 1 and templates("zh-Hant") == () and templates("wo") == ()


def test_names_of_languages_are_those_of_the_language_that_asks() -> None:
    assert (name_in("sw", "de"), name_in("de", "sw"), name_in("zh-Hant", "de")) == (
        "Kijerumani", "Suaheli", "德文",
    )  # fmt: skip
    assert name_in("de-AT", "en") == "Englisch" and name_in("en", "pt-BR").endswith("Portuguese")
    assert name_in("xx", "de") == "" == name_in("de", "xx") == name_in("", "de")


@needs_shared
@pytest.mark.slow
async def test_the_declarations_articles_make_hundreds_of_directions(bind: Bind) -> None:
    names = {name: tag for name, tag in TAGS.items() if tag not in ("bo", "he", "fa")}
    asked = {"path": "udhr2.zip", "glob": [f"{name}.txt" for name in names], "languages": names}
    seeds = list(read(SOURCE, SHARED, **asked, by="numbers", most=2))
    records = await made(seeds, bind)
    counts = Counter(record.facts["direction"] for record in records)
    tags = {record.language for record in records}
    assert len(tags) >= 25 and len(counts) == len(tags) * (len(tags) - 1) >= 600
    assert set(counts.values()) == {2} and len(records) == len(seeds)
    english = [r for r in records if r.facts["direction"] == "en>sw"]
    assert "free and equal" in english[0].facts["input"]
    assert "huru" in english[0].last("assistant")
