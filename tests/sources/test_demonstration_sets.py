from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from engine.core import JobError, Record
from engine.sources.demonstration_sets import SOURCE
from tests.conftest import read


def line(language: str, set: int | str, instruction: str, **more: str) -> str:
    return json.dumps({"language": language, "set": set, "instruction": instruction, **more})


def write(folder: Path, *lines: str) -> None:
    (folder / "sets.jsonl").write_text("\n".join(lines), encoding="utf-8")


def draws(folder: Path, count: int, **params: Any) -> list[Record]:
    return list(islice(read(SOURCE, folder, path="sets.jsonl", **params), count))


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    lines = [line("de", s, f"d{s}{n}", input="x") for s in (1, 2, 3) for n in "ab"]
    lines += [line("zh", "甲", f"z{n}", constraints="一个字", output="好") for n in "ab"]
    write(tmp_path, *lines[::-1], "")
    return tmp_path


def test_languages_take_turns_and_so_do_their_sets(sets: Path):
    found = draws(sets, 8, demonstrations=2)
    assert [(r.language, r.facts["set"]) for r in found] == [
        ("zh", "甲"), ("de", "1"), ("zh", "甲"), ("de", "2"),
        ("zh", "甲"), ("de", "3"), ("zh", "甲"), ("de", "1"),
    ]  # fmt: skip
    assert len({r.id for r in found}) == 8, "one set is shown in many draws"


def test_a_draw_shows_its_set_in_the_set_s_own_order_and_says_where_it_is_from(sets: Path):
    [record] = draws(sets, 1, demonstrations=2, languages=["de"], licence="CC0-1.0")
    assert record.facts == {
        "source": "source",
        "licence": "CC0-1.0",
        "set": "1",
        "demonstrations": [
            {"instruction": f"d1{n}", "input": "x", "constraints": "", "output": ""} for n in "ba"
        ],
    }
    assert not record.messages


def test_draws_are_the_same_at_every_start_and_in_every_round(sets: Path):
    first = draws(sets, 9, demonstrations=2)
    assert first == draws(sets, 9, demonstrations=2)
    assert first == draws(sets, 9, demonstrations=2, round=3)


@pytest.mark.parametrize(
    ("lines", "params", "said"),
    [
        ([line("de", 1, "a"), "{"], {}, r"sets\.jsonl:2: .*JSON"),
        ([line("de", 1, "")], {}, r"sets\.jsonl:1: instruction"),
        ([line("de", 1, "a"), '{"instruction": "b", "set": 1}'], {}, "2: language"),
        ([], {}, "no demonstration at all"),
        ([line("de", 1, "a")], {}, "set 1 in de has 1 demonstrations, not 3"),
        ([line("de", 1, n) for n in "abcd"], {}, "set 1 in de has 4 demonstrations, not 3"),
        ([line("de", 1, n) for n in "abc"], {"languages": ["sw"]}, "in sw; it has de"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_the_place(
    lines: list[str], params: dict[str, Any], said: str, tmp_path: Path
):
    write(tmp_path, *lines)
    with pytest.raises(JobError, match=said):
        draws(tmp_path, 1, **params)
