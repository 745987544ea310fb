"""Real text goes through whole jobs: public seed tasks, 388 languages, long speeches."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine
from engine.result import Result
from tests.conftest import SHARED, needs_shared

pytestmark = [needs_shared, pytest.mark.slow]


def run(folder: Path, job: str) -> Result:
    (folder / "job.yaml").write_text(job, encoding="utf-8")
    return engine.run(engine.load(folder / "job.yaml"), folder / "out", rehearse=True)


def test_the_public_seed_tasks_grow_a_pool(tmp_path: Path) -> None:
    seeds = SHARED / "self_instruct_seed_tasks.jsonl"
    result = run(
        tmp_path,
        f"""
job: seeds
models: {{writer: {{use: auto}}}}
source: {{use: pool, with: {{path: {seeds}, language: en, grow_from: novel}}}}
steps:
  invent: {{use: self_instruct}}
  novel: {{use: rouge_novelty, with: {{against: {seeds}}}}}
  instances: {{use: self_instruct_instances}}
  split: {{use: split}}
target: {{accepted: 60, round: 8}}
""",
    )
    rows = result.dataset()
    assert len(rows) == result.accepted == 60
    assert set(rows["language"]) == {"en"} and all(rows["rehearsal"])
    for record in result.records():
        assert [hop.step for hop in record.lineage] == ["invent", "novel", "instances", "split"]
        assert record.lineage[0].calls and record.lineage[2].calls


def test_the_declaration_of_human_rights_goes_through_in_every_language(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        f"""
job: rights
models: {{writer: {{use: auto}}}}
source:
  use: documents
  with: {{path: {SHARED / "udhr2.zip"}, language_from: stem, otherwise: und}}
steps:
  reverse: {{use: reverse_instructions, with: {{max_document_chars: 2000}}}}
  unique: {{use: near_duplicate, with: {{field: response}}}}
""",
    )
    done = result.accepted + sum(1 for _ in result.drops())
    assert not result.failures()
    assert done == 387, "388 files, one of them empty"
    records = list(result.records())
    assert len({record.language for record in records}) > 300
    assert all(record.last("assistant") and record.last("user") for record in records)


def test_the_long_speeches_are_responses_to_the_letter(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        f"""
job: speeches
models: {{writer: {{use: auto}}}}
source:
  use: documents
  with: {{path: {SHARED / "inaugural.zip"}, language: en, encodings: {{2005-Bush.txt: cp950}}}}
steps:
  reverse: {{use: reverse_instructions}}
  length: {{use: length, with: {{max_response: 20000}}}}
  split: {{use: split, with: {{validation: 0.1}}}}
""",
    )
    assert not result.failures()
    assert result.accepted + sum(1 for _ in result.drops()) == 59
    longest = max(len(record.last("assistant")) for record in result.records())
    assert longest > 40_000


def test_evol_instruct_takes_the_public_seed_tasks(tmp_path: Path) -> None:
    seeds = SHARED / "self_instruct_seed_tasks.jsonl"
    result = run(
        tmp_path,
        f"""
job: evolve
models: {{writer: {{use: auto}}, judge: {{use: auto}}}}
source: {{use: jsonl, with: {{path: {seeds}, language: en}}}}
steps:
  evolve: {{use: evol_instruct, with: {{rounds: 2}}}}
  novel: {{use: rouge_novelty}}
target: {{candidates: 175}}
""",
    )
    assert not result.failures()
    generations = {record.facts["generation"] for record in result.records()}
    assert generations == {1, 2}
