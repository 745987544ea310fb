from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core import JobError
from engine.shipped import JOBS
from engine.sources.dataset_folders import SOURCE
from engine.text.field_maps import usable
from tests.conftest import read

CARD = """---
language: [no]
license: MIT
pretty_name: Fjell
homepage: https://example.org
---
<h1 align="center">Fjell</h1> <!-- hemmelig -->
Om fjell, og 3 < 4.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fjell").mkdir()
    (tmp_path / "fjell" / "README.md").write_text(CARD, encoding="utf-8")
    (tmp_path / "fjell" / "a.jsonl").write_text('{"navn": "Gaustatoppen", "h": 1883}\n\n')
    (tmp_path / "fjell" / "b.csv").write_text('\ufeffnavn,h\n"Galdhø\npiggen",2469\n')
    (tmp_path / "not-a-dataset").mkdir()
    (tmp_path / "LICENSE").write_text("MIT")
    return tmp_path


def test_a_dataset_is_a_seed_with_its_card_and_its_rows(folder: Path) -> None:
    [record] = read(SOURCE, folder, path=".")
    assert record.language == "nb" and not record.messages
    assert record.facts == {
        "dataset": "fjell",
        "title": "Fjell",
        "summary": "Fjell Om fjell, og 3 < 4.",
        "licence": "MIT",
        "website": "https://example.org",
        "source": "source",
        "rows": [{"navn": "Gaustatoppen", "h": 1883}, {"navn": "Galdhø\npiggen", "h": "2469"}],
    }
    assert [record] == list(read(SOURCE, folder, path="fjell"))


def test_or_each_row_is(folder: Path) -> None:
    found = list(read(SOURCE, folder, path=".", per="row", language="nn"))
    assert [each.facts["row"]["navn"] for each in found] == ["Gaustatoppen", "Galdhø\npiggen"]
    assert len({each.id for each in found}) == 2 and {each.language for each in found} == {"nn"}
    assert "rows" not in found[0].facts and found[0].facts["licence"] == "MIT"
    assert len(list(read(SOURCE, folder, path=".", per="row", max_rows=1))) == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("README.md", CARD.replace("license: MIT\n", ""), "names no licence"),
        ("README.md", CARD.replace("MIT", "[MIT, ISC]"), "names no licence"),
        ("README.md", CARD.replace("[no]", "[no, de]"), "want one tag"),
        ("README.md", CARD.replace("language: [no]\n", ""), "want one tag"),
        ("README.md", CARD.replace("[no]", "norsk bokmål"), "want one tag"),
        ("README.md", "# Fjell\n", "begins with a YAML header"),
        ("README.md", "---\na: [\n---\n", "header"),
        ("a.jsonl", '{"navn": \n', r"a\.jsonl:1: not JSON"),
        ("a.jsonl", "{}\n[1]\n", r"a\.jsonl:2: want an object"),
        ("b.csv", "navn,h\na\n", "row 2 has not as many cells"),
        ("b.csv", "navn,h\na,b,c\n", "row 2 has not as many cells"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    folder: Path, name: str, text: str, said: str
) -> None:
    (folder / "fjell" / name).write_text(text, encoding="utf-8")
    with pytest.raises(JobError, match=said):
        list(read(SOURCE, folder, path="."))


def test_nothing_to_read_is_told(folder: Path) -> None:
    with pytest.raises(JobError, match="no dataset"):
        list(read(SOURCE, folder, path="not-a-dataset"))
    for name in ("a.jsonl", "b.csv"):
        (folder / "fjell" / name).unlink()
    with pytest.raises(JobError, match="no row"):
        list(read(SOURCE, folder, path="."))


def test_bytes_that_are_no_utf8_are_told(folder: Path) -> None:
    (folder / "fjell" / "a.jsonl").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(JobError, match="not a readable UTF-8 file"):
        list(read(SOURCE, folder, path="."))


def test_the_shipped_datasets_have_fields_in_nine_languages() -> None:
    found: list[Any] = list(read(SOURCE, JOBS, path="tables/datasets"))
    assert len({each.language for each in found}) == len(found) == 9
    for each in found:
        assert each.facts["summary"] and len(usable(each.facts["rows"])) >= 3
