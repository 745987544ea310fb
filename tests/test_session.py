"""A job in a folder: claimed, changed, started over, previewed, and read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import engine
from engine.core import JobError, LedgerError
from engine.ledger import Ledger
from engine.rounds import End

JOB = """
version: 1
job: tales
seed: 4
models: {writer: {use: rehearsal}}
source: {use: documents, with: {path: texts, language_from: folder, licence: CC0-1.0}}
steps:
  reverse: {use: reverse_instructions, with: {min_words: 5}}
  length: {use: length}
  split: {use: split, with: {validation: 0.3}}
"""
TEXTS = {
    "en": "A tide is the slow rise and fall of the sea, drawn by the moon and, less, by the sun.",
    "de": "Ein guter Sauerteig braucht Mehl, Wasser, Wärme und vor allem mehrere Tage Geduld.",
    "eu": "Itsasoak egunean bitan egiten du gora eta bitan behera, ilargiak erakarrita, beti.",
}


@pytest.fixture
def job(tmp_path: Path) -> Path:
    for language, text in TEXTS.items():
        folder = tmp_path / "texts" / language
        folder.mkdir(parents=True)
        for i in range(4):
            (folder / f"{i}.txt").write_text(f"{text} ({i})\n", encoding="utf-8")
    (tmp_path / "job.yaml").write_text(JOB, encoding="utf-8")
    return tmp_path / "job.yaml"


def test_a_run_leaves_a_dataset_a_card_a_report_and_every_drop(job: Path, tmp_path: Path) -> None:
    result = engine.run(engine.load(job), tmp_path / "out")
    assert result.end is End.MET
    rows = result.dataset()
    assert len(rows) + len(list(result.drops())) == 12 and result.failures() == []
    assert all(rows["rehearsal"]) and set(rows["licence"]) == {"CC0-1.0"}
    texts = {f"{text} ({i})" for text in TEXTS.values() for i in range(4)}
    assert {row["messages"][-1]["content"].strip() for row in rows} <= texts
    card = (tmp_path / "out" / "dataset" / "README.md").read_text(encoding="utf-8")
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "REHEARSAL" in card.upper() and "REHEARSAL" in report.upper()
    assert len(result.dataset("train")) + len(result.dataset("validation")) == len(rows)


def test_a_changed_job_is_refused_with_what_changed(job: Path, tmp_path: Path) -> None:
    engine.run(engine.load(job), tmp_path / "out")
    changed = engine.load(job, ["steps.reverse.with.min_words=6", "seed=5"])
    with pytest.raises(
        JobError, match=r"seed: 4 -> 5(.|\n)*steps\.reverse\.with\.min_words: 5 -> 6"
    ):
        engine.run(changed, tmp_path / "out")
    (tmp_path / "texts" / "en" / "0.txt").write_text("Another text, with enough words in it.")
    with pytest.raises(JobError, match=r"source\.path \(content\)"):
        engine.run(engine.load(job), tmp_path / "out")


def test_how_a_job_is_run_may_change_in_the_same_folder(job: Path, tmp_path: Path) -> None:
    first = engine.run(engine.load(job), tmp_path / "out")
    again = engine.load(job, ["run.in_flight=3", "sink={use: jsonl, with: {format: alpaca}}"])
    second = engine.run(again, tmp_path / "out")
    assert second.accepted == first.accepted
    lines = (tmp_path / "out" / "dataset").glob("*.jsonl")
    assert sum(len(path.read_text().splitlines()) for path in lines) == first.accepted


def test_fresh_starts_over_but_pays_for_nothing_twice(job: Path, tmp_path: Path) -> None:
    engine.run(engine.load(job), tmp_path / "out")
    before = calls(tmp_path / "out")
    result = engine.run(
        engine.load(job, ["steps.length.with={min_instruction: 3}"]), tmp_path / "out", fresh=True
    )
    assert result.end is End.MET and calls(tmp_path / "out") == before


def calls(folder: Path) -> list[str]:
    ledger = Ledger(folder)
    keys = [said.key for said in ledger.calls()]
    ledger.close()
    return keys


def test_a_preview_leaves_nothing_behind(job: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    preview = engine.load(job).preview(2)
    assert len(preview.records) + len(preview.drops) == 2 and preview.calls
    asked = json.loads(preview.calls[0].asked)
    assert asked["messages"][-1]["role"] == "user"
    assert sorted(tmp_path.rglob("*")) == before


async def test_the_same_within_a_running_loop_and_watched(job: Path, tmp_path: Path) -> None:
    seen: list[str] = []

    async def watch(live: engine.session.Live) -> None:  # type: ignore[name-defined]
        seen.append(live.name)

    result = await engine.arun(engine.load(job), tmp_path / "out", watch=watch)
    assert result.end is End.MET and seen == ["tales"]


async def test_a_notebook_may_call_run_and_preview_though_its_loop_is_running(
    job: Path, tmp_path: Path
) -> None:
    assert engine.run(engine.load(job), tmp_path / "out").end is End.MET
    assert engine.load(job).preview(1).calls


def test_a_folder_in_use_is_refused(job: Path, tmp_path: Path) -> None:
    held = Ledger(tmp_path / "out", write=True)
    with pytest.raises(LedgerError, match="in use by another engine"):
        engine.run(engine.load(job), tmp_path / "out")
    held.close()


def test_the_public_names_are_there() -> None:
    wanted = {"load", "run", "arun", "Job", "Record", "Drop", "Generator", "Filter", "Pass"}
    assert wanted | {"Kit", "Prompt", "Result"} <= set(engine.__all__)
    assert all(getattr(engine, name) is not None for name in engine.__all__)
