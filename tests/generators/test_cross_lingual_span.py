from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.core import Drop, Record
from engine.generators.cross_lingual_span import GENERATOR
from engine.languages.identify import identify
from engine.models.chat import Request
from tests.conftest import SHARED, Bind, needs_shared, seed
from tests.generators.reversing import DOCUMENTS, paper, replies, told, written

THIRTY = {
    "deu": "de", "fra": "fr", "spa": "es", "por_BR": "pt", "cmn_hans": "zh-Hans", "jpn": "ja",
    "kor": "ko", "arb": "ar", "hin": "hi", "ben": "bn", "tha": "th", "swh": "sw", "tur": "tr",
    "eus": "eu", "rus": "ru", "amh": "am", "khm": "km", "ell_monotonic": "el", "kat": "ka",
    "hye": "hy", "tam": "ta", "guj": "gu", "mya": "my", "vie": "vi", "urd": "ur", "yor": "yo",
    "zul": "zu", "ind": "id", "lao": "lo", "pan": "pa",
}  # fmt: skip
"""Names of texts in udhr2.zip and the tags of their languages, in 19 scripts."""
QUOTAS = dict.fromkeys(THIRTY.values(), 3)
ASK = "What is bread dough like that nobody has kneaded?"
SPAN = DOCUMENTS["de"].split("\n\n")[0]


def said(span: str = SPAN, instruction: str = ASK) -> str:
    return json.dumps({"span": span, "instruction": instruction}, ensure_ascii=False)


@pytest.mark.parametrize("path", replies("cross_lingual_span"), ids=lambda path: path.stem)
async def test_replies_as_models_write_them_pair_up_or_drop_by_rule(path: Path, bind: Bind) -> None:
    file = written(path)
    step, chat = bind(
        GENERATOR,
        {"cross_lingual_span/extract": file["reply"], "kit/again": file["reply"]},
        languages={"en": 1},
        min_words=5,
    )
    [outcome] = await step(paper("de"))
    assert told(outcome).splitlines()[0] == file["outcome"].strip()
    if isinstance(outcome, Record):
        start, end = outcome.facts["span"]
        assert outcome.last("assistant") == DOCUMENTS["de"][start:end]
    elif outcome.reason != "bad_reply":
        assert [request.take for request in chat.asked] == [0, 1], "it is asked once more"


async def test_the_record_says_which_language_asks_and_which_answers(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {"cross_lingual_span/extract": said()}, languages={"en": 1})
    [record] = await step(paper("de", title="Brot", path="de.md"))
    assert isinstance(record, Record)
    assert (record.language, record.facts["output_language"]) == ("de", "de")
    assert record.facts["instruction_language"] == "en" == chat.asked[0].language
    assert record.facts["provenance"] == {"instruction": "model", "response": "native"}
    assert record.facts["task_type"] == "span" and record.facts["source"] == "papers"
    assert "document" not in record.facts and record.facts["title"] == "Brot"
    assert chat.asked[0].inputs["origin"] == "German"
    assert len(chat.asked) == 1, "one call for a document"


async def test_places_count_from_the_files_beginning(bind: Bind) -> None:
    step, _ = bind(GENERATOR, {"cross_lingual_span/extract": said()}, languages={"en": 1})
    part = [100, 100 + len(DOCUMENTS["de"])]
    [record] = await step(paper("de", span=part))
    assert isinstance(record, Record) and record.facts["span"] == [100, 100 + len(SPAN)]


async def test_a_span_with_other_white_space_is_stored_as_the_text_has_it(bind: Bind) -> None:
    text = "Erster Satz,  mit\n  Einrückung.\r\nZweiter Satz steht auf einer Zeile darunter. Ende."
    quoted = "Erster Satz, mit Einrückung. Zweiter Satz steht auf einer Zeile darunter."
    script = {"cross_lingual_span/extract": said(quoted)}
    step, _ = bind(GENERATOR, script, languages={"en": 1}, min_words=5)
    [record] = await step(paper("de", text))
    assert isinstance(record, Record)
    assert record.last("assistant") == text.removesuffix(" Ende.")


async def test_a_text_is_never_asked_about_in_its_own_language(bind: Bind) -> None:
    step, chat = bind(GENERATOR, {"cross_lingual_span/extract": said()}, languages={"de": 1})
    [drop] = await step(paper("de"))
    assert isinstance(drop, Drop) and drop.reason == "no_other_language" and not chat.asked
    [drop] = await step(Record("at", "de-AT", (), {"document": DOCUMENTS["de"]}))
    assert isinstance(drop, Drop) and drop.reason == "no_other_language"


async def test_languages_are_drawn_by_their_weights(bind: Bind) -> None:
    def answer(request: Request) -> str:
        return said(instruction="")

    weights = {"en": 2, "fr": 1, "de": 1, "sw": 5}
    step, chat = bind(GENERATOR, {"cross_lingual_span/extract": answer}, languages=weights)
    for n in range(400):
        await step(paper("sw", id=f"r{n}"))
    drawn = Counter(request.language for request in chat.asked if not request.take)
    assert set(drawn) == {"en", "fr", "de"} and abs(drawn["en"] - 200) < 40


@pytest.mark.parametrize(
    ("span", "reason"), [("Zeit und keine Kraft.", "span_too_short"), (SPAN, "span_too_long")]
)
async def test_spans_keep_to_their_bounds(span: str, reason: str, bind: Bind) -> None:
    script = {"cross_lingual_span/extract": said(span)}
    step, _ = bind(GENERATOR, script, languages={"en": 1}, min_words=5, max_words=20)
    [drop] = await step(paper("de"))
    assert isinstance(drop, Drop) and drop.reason == reason


@pytest.mark.parametrize(
    "record", [seed("Hallo"), paper("de", "Zu kurz."), paper("zh", "太短了。")]
)
async def test_documents_that_will_not_do_cost_no_call(record: Record, bind: Bind) -> None:
    step, chat = bind(GENERATOR)
    [drop] = await step(record)
    assert isinstance(drop, Drop) and drop.reason in ("no_document", "document_too_short")
    assert not chat.asked


def source() -> dict[str, Any]:
    """The declarations in thirty languages, each in a good many parts."""
    wanted = {"path": str(SHARED / "udhr2.zip"), "glob": [f"{name}.txt" for name in THIRTY]}
    cut = {"split": "paragraphs", "min_characters": 500, "max_characters": 900}
    return {**wanted, **cut, "language_from": "stem", "languages": THIRTY}


def held_against_the_texts(records: list[Record]) -> None:
    """Every response is a verbatim span of its file, and every quota is met."""
    with zipfile.ZipFile(SHARED / "udhr2.zip") as archive:
        whole = {name: archive.read(f"udhr2/{name}.txt").decode() for name in THIRTY}
    assert len(THIRTY) == 30
    assert Counter(record.language for record in records) == QUOTAS
    for record in records:
        text, (start, end) = whole[Path(record.facts["path"]).stem], record.facts["span"]
        assert record.last("assistant") == text[start:end] and end > start, record.facts["path"]


def thirty(tmp_path: Path, **steps: dict[str, Any]) -> list[Record]:
    """The records of a rehearsed job with these steps, evened out to the quotas at the end."""
    job = {
        "version": 1,
        "job": "thirty",
        "models": {"writer": {"use": "auto"}, "translator": {"use": "auto"}},
        "source": {"use": "documents", "with": source()},
        "steps": {**steps, "even": {"use": "balance", "with": {"counts": QUOTAS}}},
        "target": {"accepted": sum(QUOTAS.values())},
        "sink": {"use": "jsonl"},
    }
    (tmp_path / "job.yaml").write_text(json.dumps(job), encoding="utf-8")
    result = engine.run(engine.load(tmp_path / "job.yaml"), tmp_path / "out", rehearse=True)
    records = list(result.records())
    assert all(record.rehearsed for record in records)
    return records


@needs_shared
@pytest.mark.slow
def test_a_job_in_thirty_languages_fills_every_quota_with_verbatim_spans(tmp_path: Path) -> None:
    settings = {"languages": {"en": 1, "es": 1, "tr": 1}, "min_words": 8}
    records = thirty(tmp_path, make={"use": "cross_lingual_span", "with": settings})
    held_against_the_texts(records)
    for record in records:
        asked = record.facts["instruction_language"]
        assert asked in {"en", "es", "tr"} - {record.language}
        assert identify(record.last("user")).tag in (asked, "und")


@needs_shared
@pytest.mark.slow
def test_a_muri_job_in_thirty_languages_fills_every_quota_with_whole_parts(tmp_path: Path) -> None:
    make = {"use": "muri", "with": {"min_words": 8}}
    records = thirty(tmp_path, make=make, told={"use": "language"})
    held_against_the_texts(records)
    for record in records:
        found = identify(record.last("user"), [record.language]).tag
        assert found in (record.language, "und"), record.last("user")
        assert record.facts["pivot"] == "en"
        assert identify(record.facts["pivot_instruction"]).tag in ("en", "und")
