from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, Message, Record
from engine.generators.code_switch import GENERATOR
from engine.languages.switching import Swap, restored
from engine.shipped import JOBS
from engine.sources.aligned import SOURCE
from tests.conftest import SHARED, Bind, needs_shared, read, seed
from tests.generators.reversing import TAGS

LEXICONS = JOBS / "lexicons"
PROBLEMS = (JOBS / "seeds/word_problems.jsonl").read_text(encoding="utf-8")
ROWS = [json.loads(line) for line in PROBLEMS.splitlines()]


def rows(times: int = 1) -> list[Record]:
    return [
        Record(f"r{n}-{time}", "en", (Message("user", r["instruction"]),
               Message("assistant", r["output"])), {"source": "rows"})
        for time in range(times) for n, r in enumerate(ROWS)
    ]  # fmt: skip


def back(record: Record) -> str:
    return restored(record.last("user"), [Swap(**swap) for swap in record.facts["swaps"]])


async def switched(records: list[Record], bind: Bind, **params: Any) -> list[Record]:
    step, chat = bind(GENERATOR, **params)
    found = [outcome for record in records for outcome in await step(record)]
    assert not chat.asked, "no model"
    assert all(isinstance(outcome, Record) for outcome in found)
    return [outcome for outcome in found if isinstance(outcome, Record)]


async def test_swaps_keep_numbers_names_and_the_answer_and_can_be_undone(bind: Bind) -> None:
    given = rows(20)
    records = await switched(given, bind, languages=["de", "sw", "hi", "es"], lexicons=LEXICONS)
    for before, after in zip(given, records, strict=True):
        assert back(after) == before.last("user")
        assert after.last("assistant") == before.last("assistant") and after.language == "en"
        for kept in (r"\d[\d,:]*", r"Amina|Garissa|Python", r"`[^`]*`"):
            assert re.findall(kept, after.last("user")) == re.findall(kept, before.last("user"))
    assert any(after.facts["swaps"] for after in records)


@pytest.mark.parametrize("rate", [0.2, 0.5])
@pytest.mark.slow
async def test_the_realised_rate_is_the_jobs_within_one_per_cent(rate: float, bind: Bind) -> None:
    text = "\n".join(row["instruction"] for row in ROWS)
    given = [Record(f"r{n}", "en", (Message("user", text),)) for n in range(100)]
    languages = ["de", "sw", "hi", "es"]
    how = {"languages": languages, "lexicons": LEXICONS, "rate": rate, "epochs": 4}
    records = await switched(given, bind, **how)
    chances = sum(record.facts["chances"] for record in records)
    swaps = sum(len(record.facts["swaps"]) for record in records)
    assert chances > 10_000 and abs(swaps / chances - rate) < 0.01


@pytest.mark.slow
async def test_languages_are_drawn_evenly_in_every_epoch_and_again_the_same(bind: Bind) -> None:
    languages = ["de", "sw", "hi", "es"]
    how = {"languages": languages, "lexicons": LEXICONS, "epochs": 2}
    records, again = [await switched(rows(15), bind, **how) for _ in range(2)]
    assert [r.messages for r in records] == [r.messages for r in again]
    for epoch in (0, 1):
        drawn = Counter(r.facts["switched_into"] for r in records if r.facts["epoch"] == epoch)
        even = drawn.total() / len(languages)
        chi_square = sum((drawn[tag] - even) ** 2 / even for tag in languages)
        assert drawn.total() == 180 and chi_square < 16.3, "p = 0.001 at 3 degrees of freedom"
    first = {r.id: r for r in await switched(rows(15), bind, **{**how, "epochs": 1})}
    assert all(first[r.id].messages == r.messages for r in records if not r.facts["epoch"])


async def test_one_language_a_text_and_never_its_own(bind: Bind) -> None:
    records = await switched(rows(), bind, languages=["en", "sw"], lexicons=LEXICONS, rate=1)
    words = {line.split("\t")[1].casefold() for line in
             (LEXICONS / "en-sw.tsv").read_text(encoding="utf-8").splitlines()[1:]}  # fmt: skip
    for record in records:
        assert record.facts["switched_into"] == "sw"
        text = record.last("user")
        said = {text[s["start"] : s["end"]].casefold() for s in record.facts["swaps"]}
        assert said <= words and len(record.facts["swaps"]) == record.facts["chances"]


async def test_words_of_the_job_are_never_swapped(bind: Bind) -> None:
    how = {"languages": ["sw"], "lexicons": LEXICONS, "rate": 1}
    record = seed("Goats eat bread", "en")
    [free] = await switched([record], bind, **how)
    [kept] = await switched([record], bind, **how, keep=["bread"])
    assert (free.last("user"), kept.last("user")) == ("Mbuzi eat mkate", "Mbuzi eat bread")


async def test_aligned_segments_come_before_a_lexicon(bind: Bind) -> None:
    segments = [
        {"text": "Goats eat bread.", "sw": "Mbuzi hula mkate."},
        {"text": "Why?", "de": "?"},
    ]
    record = seed("Goats eat bread. Why?", "en", "Hunger.", segments=segments)
    [made] = await switched([record], bind, languages=["sw"], lexicons=LEXICONS, rate=1)
    assert made.last("user") == "Mbuzi hula mkate. Why?" and back(made) == "Goats eat bread. Why?"
    assert "segments" not in made.facts and made.facts["chances"] == 1


async def test_a_separate_input_is_not_told_apart_any_longer(bind: Bind) -> None:
    record = seed("Count.\n\ngoats", "en", "1", instruction="Count.", input="goats")
    [made] = await switched([record], bind, languages=["sw"], lexicons=LEXICONS, rate=1)
    assert made.facts["instruction"] == made.last("user") == "Count.\n\nmbuzi"
    assert made.facts["input"] == ""


@pytest.mark.parametrize(
    ("record", "reason"),
    [(seed("Nothing known here", "en"), "nothing_to_switch"), (seed("", "en"), "nothing_to_switch"),
     (seed("Mbuzi", "sw"), "no_other_language"), (seed("Ziegen", "de"), "nothing_to_switch"),
     (seed("Goats.", "en", segments=[{"text": "Cows.", "sw": "x"}]), "not_aligned")],
)  # fmt: skip
async def test_what_cannot_be_switched_drops_once_an_epoch(
    record: Record, reason: str, bind: Bind
) -> None:
    step, _ = bind(GENERATOR, languages=["sw"], lexicons=LEXICONS, epochs=2)
    drops = await step(record)
    assert [drop.reason for drop in drops if isinstance(drop, Drop)] == [reason] * 2
    assert len({drop.record.id for drop in drops if isinstance(drop, Drop)}) == 2


def test_lexicons_that_cannot_be_read_are_told_before_a_run(tmp_path: Path) -> None:
    (tmp_path / "en-sw.tsv").write_text("road\n", encoding="utf-8")
    with pytest.raises(ValidationError, match=r"en-sw\.tsv:1: want a word"):
        GENERATOR.params(languages=["sw"], lexicons=tmp_path)
    with pytest.raises(ValidationError, match=r"no lexicon such as en-de\.tsv"):
        GENERATOR.params(languages=["de"], lexicons=tmp_path)
    with pytest.raises(ValidationError, match="is a file; want the folder it is in"):
        GENERATOR.params(languages=["de"], lexicons=LEXICONS / "en-sw.tsv")


@pytest.mark.parametrize("path", sorted(LEXICONS.glob("*.tsv")), ids=lambda path: path.stem)
def test_shipped_lexicons_are_tidy(path: Path) -> None:
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    assert head.startswith("#") and len(lines) >= 45 and len(set(lines)) == len(lines)
    assert all(re.fullmatch(r"[a-z ]+\t[^\t]+", line) for line in lines)


@needs_shared
async def test_articles_of_the_declaration_are_swapped_for_those_of_other_languages(
    bind: Bind,
) -> None:
    names = {name: tag for name, tag in TAGS.items() if tag in {"sw", "th", "hi", "zh-Hans", "am"}}
    names |= {"eng": "en"}
    asked = {"path": "udhr2.zip", "glob": [f"{name}.txt" for name in names], "languages": names}
    articles: dict[str, dict[str, str]] = {}
    for piece in read(SOURCE, SHARED, **asked, by="numbers", through=["en"], directions="from"):
        said = articles.setdefault(piece.facts["piece"], {"text": piece.facts["source_text"]})
        said[piece.language] = piece.facts["target_text"]
    text = "\n".join(each["text"] for each in articles.values())
    record = Record("rights", "en", (Message("user", text),), {"segments": [*articles.values()]})
    languages = sorted(set(names.values()))
    records = await switched([record], bind, languages=languages, rate=0.4, epochs=40)
    assert {record.facts["switched_into"] for record in records} == set(languages) - {"en"}
    assert all(back(record) == text and record.facts["chances"] == 30 for record in records)
    share = sum(len(record.facts["swaps"]) for record in records) / (30 * 40)
    assert abs(share - 0.4) < 0.05
