from __future__ import annotations

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from engine.benchmarks import benchmark_files, items
from engine.core import JobError

ROWS = [
    {"question": "Was ist das?", "answer": {"text": ["ein Boot", "一艘船"], "start": [3]}, "n": 1},
    {"question": "ما هذا؟", "answer": {"text": ["قارب"], "start": [0]}, "n": 2},
]


def jsonl(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_parquet_table_and_json_lines_give_the_same_items(tmp_path):
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "b.parquet")
    import orjson

    jsonl(tmp_path / "b.jsonl", "\ufeff" + "\n\n".join(orjson.dumps(r).decode() for r in ROWS))
    for name, places in (("b.parquet", (1, 2)), ("b.jsonl", (1, 3))):
        found = list(items(tmp_path / name, ["question", "answer.text"]))
        assert [item.text for item in found] == [
            "Was ist das?",
            "ein Boot",
            "一艘船",
            "ما هذا؟",
            "قارب",
        ]
        assert found[0].place == f"{name}:{places[0]} question"
        assert found[4].place == f"{name}:{places[1]} answer.text"


def test_turns_are_read_through_their_list(tmp_path):
    file = jsonl(tmp_path / "a.jsonl", '{"turns": [{"content": "eins"}, {"content": "दो"}]}')
    assert [item.text for item in items(file, ["turns.content"])] == ["eins", "दो"]


def test_of_a_text_file_each_line_is_an_item(tmp_path):
    file = jsonl(tmp_path / "a.txt", "eins\n\n二\n")
    assert list(items(file, [])) == [("a.txt:1", "eins"), ("a.txt:3", "二")]


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"q": "a"}\n{oops', "a.jsonl:2: not a line of JSON"),
        ('["q"]', "a.jsonl:1: want an object"),
        ('{"text": "a", "id": 3}', "no row has q; it has id, text"),
        ("", "no row has q; it has no row"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, text, message):
    with pytest.raises(JobError, match=message):
        list(items(jsonl(tmp_path / "a.jsonl", text), ["q"]))


def test_a_field_that_is_empty_in_some_rows_is_no_mistake(tmp_path):
    file = jsonl(tmp_path / "a.jsonl", '{"q": null}\n{"x": 1}\n{"q": "da"}')
    assert [item.place for item in items(file, ["q"])] == ["a.jsonl:3 q"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.txt"])
def test_bytes_that_are_nothing_are_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\xfe\x00broken")
    with pytest.raises(JobError, match=name):
        list(items(tmp_path / name, ["q"]))


def test_a_folder_gives_its_benchmark_files_in_order(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("z.txt", "deep/a.JSONL", "notes.md", "b.parquet"):
        (tmp_path / name).write_text("x")
    found = [file.relative_to(tmp_path).as_posix() for file in benchmark_files(tmp_path)]
    assert found == ["b.parquet", "deep/a.JSONL", "z.txt"]
    assert benchmark_files(tmp_path / "z.txt") == [tmp_path / "z.txt"]
    assert benchmark_files(tmp_path / "notes.md") == []
