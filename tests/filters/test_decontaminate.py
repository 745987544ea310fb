from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from pydantic import ValidationError

from engine.core import Drop, JobError, Record
from engine.filters.decontaminate import FILTER, Params
from tests.conftest import seed
from tests.text.test_windows import TEXTS

ITEMS = list(TEXTS.values())


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    path = tmp_path / "harbour.jsonl"
    rows = [{"question": text, "answer": "42"} for text in ITEMS]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("where", ["instruction", "response", "pivot"])
async def test_an_item_is_found_in_every_script_wherever_it_stands(
    bind, benchmark, language, where
):
    text = f"Sag mir: {TEXTS[language]}!"
    record = {
        "instruction": seed(text, response="gut"),
        "response": seed("Los, bitte", response=text),
        "pivot": seed("Translated", response="so", pivot={"turns": [text]}),
    }[where]
    step, _ = bind(FILTER, against=benchmark, fields=["question"])
    (drop,) = await step(record)
    line = list(TEXTS).index(language) + 1
    assert isinstance(drop, Drop) and drop.reason == "contaminated"
    assert drop.detail == f"100% of harbour.jsonl:{line} question"


async def test_below_the_coverage_a_record_stays_and_says_how_much(bind, benchmark):
    some = " ".join(TEXTS["en"].split()[:8])
    settings = {"against": benchmark, "fields": ["question"]}
    step, _ = bind(FILTER, **settings, coverage=0.6)
    (record,) = await step(seed(some))
    assert isinstance(record, Record)
    assert record.verdicts[0].evidence == "50% of harbour.jsonl:1 question"
    for stricter in ({"coverage": 0.5}, {"coverage": 0}):
        (drop,) = await bind(FILTER, **settings, **stricter)[0](seed(some))
        assert isinstance(drop, Drop)
    (record,) = await bind(FILTER, **settings, ngram=13, coverage=0)[0](seed(some))
    assert isinstance(record, Record)


async def test_what_shares_nothing_passes(bind, benchmark):
    step, _ = bind(FILTER, against=benchmark, fields=["question"])
    for text in ("Erzähl vom Meer", "", "\ud800 \0 \u202b", "讲一个故事" * 200_000):
        (record,) = await step(seed(text))
        assert isinstance(record, Record) and record.verdicts[0].verdict == "pass"


async def test_files_of_a_folder_may_have_fields_of_their_own(bind, benchmark):
    folder = benchmark.parent
    (folder / "other.txt").write_text("eine ganz andere Frage nach dem Wetter\n", encoding="utf-8")
    (folder / "mine-1.jsonl").write_text('{"prompt": "how many boats came in last night then"}')
    fields = {"fields": ["question"], "fields_of": {"mine*": ["prompt"]}}
    step, _ = bind(FILTER, against=folder, **fields)
    found = [
        (await step(seed(text)))[0].detail
        for text in (
            "How many boats came in last night, then?",
            "Eine ganz andere Frage: nach dem Wetter",
            ITEMS[5],
        )
    ]
    assert found == [
        "100% of mine-1.jsonl:1 prompt",
        "100% of other.txt:1",
        "100% of harbour.jsonl:6 question",
    ]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({}, "which fields hold its text"),
        ({"fields": ["prompt"]}, "no row has prompt; it has answer, question"),
        ({"fields": ["answer"]}, "no item is 5 words long"),
    ],
)
async def test_a_benchmark_that_would_look_clean_unread_ends_the_job(
    bind, benchmark, settings, message
):
    step, _ = bind(FILTER, against=benchmark, **settings)
    with pytest.raises(JobError, match=message):
        await step(seed("Irgendetwas"))


def test_a_path_without_a_benchmark_is_refused_at_once(tmp_path):
    with pytest.raises(ValidationError, match="holds no benchmark"):
        Params(against=tmp_path)
    with pytest.raises(ValidationError, match="there is no"):
        Params(against=tmp_path / "missing.jsonl")


def test_the_files_are_read_once(benchmark):
    params = Params(against=benchmark, fields=["question"])
    assert params.loaded is params.loaded
    assert "loaded" not in params.model_dump()
