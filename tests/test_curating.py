from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import csv, parquet

import engine
from engine.core import JobError
from engine.curating import STEPS, Asked, write

ROWS = [
    {"instruction": "Eleza maji ni nini.", "output": "Maji ni kinywaji.", "language": "sw"},
    {"instruction": "Nenne drei Farben.", "output": "Rot, Grün und Blau.", "language": "de"},
    {"instruction": "水は何度で沸騰しますか。", "output": "百度です。", "language": "ja"},
    {"instruction": "Nenne drei Farben.", "output": "Rot, Grün und Blau.", "language": "de"},
]


def jsonl(path: Path) -> None:
    path.write_text("\n".join(json.dumps(row) for row in ROWS), "utf-8")


def table(path: Path) -> None:
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)


def commas(path: Path) -> None:
    csv.write_csv(pyarrow.Table.from_pylist(ROWS), path)


def tabs(path: Path) -> None:
    options = csv.WriteOptions(delimiter="\t")
    csv.write_csv(pyarrow.Table.from_pylist(ROWS), path, options)


@pytest.mark.parametrize(
    ("name", "put"),
    [("d.jsonl", jsonl), ("d.parquet", table), ("d.csv", commas), ("d.tsv", tabs)],
)
def test_a_dataset_of_any_kind_is_checked_and_thinned(
    tmp_path: Path, name: str, put: Callable[[Path], None]
) -> None:
    put(tmp_path / name)
    asked = Asked(tmp_path / name, ("length", "near_duplicate:threshold=0.9,field=both"))
    job = engine.load(write(asked, tmp_path / "out"))
    result = engine.run(job, tmp_path / "out")
    kept = list(result.records())
    assert [record.language for record in kept] == ["sw", "de", "ja"]
    assert [record.last("assistant") for record in kept] == [row["output"] for row in ROWS[:3]]
    assert [v.check for v in kept[0].verdicts] == ["length", "near_duplicate"]


def test_without_steps_there_are_usual_ones(tmp_path: Path) -> None:
    jsonl(tmp_path / "d.jsonl")
    job = engine.load(write(Asked(tmp_path / "d.jsonl"), tmp_path / "out"))
    assert tuple(job.file.steps) == STEPS


def test_conversations_and_other_columns_are_found(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "Habari za asubuhi?"}, {"from": "gpt", "value": "Nzuri."}]
    row = {"conversations": turns, "topic": "greeting"}
    (tmp_path / "d.jsonl").write_text("\n" + json.dumps(row), "utf-8")
    asked = Asked(tmp_path / "d.jsonl", ("length",), "sw", "CC0-1.0", ("topic",))
    [record] = engine.run(engine.load(write(asked, tmp_path / "o")), tmp_path / "o").records()
    assert record.last("assistant") == "Nzuri." and record.language == "sw"
    assert record.facts["topic"] == "greeting" and record.facts["licence"] == "CC0-1.0"


def test_the_same_words_go_on_where_they_stopped(tmp_path: Path) -> None:
    jsonl(tmp_path / "d.jsonl")
    asked = Asked(tmp_path / "d.jsonl", ("length",))
    first = write(asked, tmp_path / "out")
    before = first.read_bytes()
    engine.run(engine.load(first), tmp_path / "out")
    again = engine.run(engine.load(write(asked, tmp_path / "out")), tmp_path / "out")
    assert first.read_bytes() == before and again.accepted == 4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"steps": ("evol_instruct",)}, "evol_instruct writes new records"),
        ({"steps": ("lenght",)}, "did you mean 'length'"),
        ({"steps": ("length", "length")}, "named twice"),
        ({"steps": ("length:max",)}, "KEY=VALUE"),
        ({"dataset": Path("none.jsonl")}, "no such file"),
        ({"dataset": Path("d.txt")}, "'.txt'"),
        ({"dataset": Path("odd.jsonl")}, "there are a, b"),
        ({"dataset": Path("broken.jsonl")}, "not JSON"),
        ({"dataset": Path("untold.jsonl")}, "say --language TAG"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    jsonl(tmp_path / "d.jsonl")
    Path("d.txt").write_text("x")
    Path("odd.jsonl").write_text('{"a": 1, "b": 2}')
    Path("broken.jsonl").write_text("{")
    Path("untold.jsonl").write_text('{"instruction": "Habari?"}')
    with pytest.raises(JobError) as error:
        write(Asked(**{"dataset": Path("d.jsonl"), **change}), tmp_path / "out")
    assert told in str(error.value) and "\n" not in str(error.value)
