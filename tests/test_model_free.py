"""A job in which nothing asks a model needs none, and says so where one is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core import JobError
from engine.job import load
from engine.session import load as begin
from engine.session import run
from engine.wiring import wire

FREE = """
version: 1
job: free
source: {use: blank, with: {languages: [de, th]}}
steps:
  rewrite: {use: string_rewriting}
  proof: {use: rewriting}
target: {accepted: 6}
sink: {use: jsonl}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "job.yaml"


@pytest.mark.parametrize("models", ["", "models: {}\n"])
def test_it_runs_and_its_records_are_real(file: Path, tmp_path: Path, models: str) -> None:
    file.write_text(FREE.replace("source:", f"{models}source:"), encoding="utf-8")
    result = run(begin(file, environment={}), tmp_path / "out", rehearse=True)
    assert result.accepted == 6
    assert not any(record.rehearsed for record in begin(file, environment={}).preview(3).records)


def test_a_step_that_asks_one_says_that_there_is_none(file: Path) -> None:
    text = FREE.replace("proof: {use: rewriting}", "proof: {use: majority}")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(JobError, match=r"'writer' \(prompt .*\) has no model: the job has none"):
        wire(load(file, environment={}))
