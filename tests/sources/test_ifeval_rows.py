"""Rows of our own with the defects that published files have; the published ones are not here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.core import Drop, JobError, Message, Record
from engine.sources.ifeval_rows import SOURCE
from engine.verifiers.constraints import VERIFIER
from tests.conftest import Bind, read

POEM: dict[str, Any] = {
    "key": 1001,
    "prompt": "写一首关于河的诗，至少出现两次“河流”，不要用逗号。",
    "instruction_id_list": ["keywords:frequency", "punctuation:no_comma"],
    "kwargs": [{"keyword": "河流", "frequency": 2, "relation": "at least"}, {}],
}
LATIN = POEM | {
    "key": 1002,
    "kwargs": [{"keyword": "river", "frequency": 2, "relation": "at least"}, {}],
}
SHORT = POEM | {"key": 1003, "kwargs": [{}]}
AGAIN = POEM | {"prompt": "写一首关于山的诗。"}


def seeds(folder: Path, *rows: dict[str, Any] | str, **params: Any) -> list[Record]:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "zh.jsonl").write_text("\ufeff" + "\n".join(lines) + "\n\n", encoding="utf-8")
    return list(read(SOURCE, folder, **{"path": "zh.jsonl", "language": "zh-CN", **params}))


def test_a_row_is_a_prompt_with_constraints_and_the_key_of_its_translations(tmp_path: Path):
    [found] = seeds(tmp_path, POEM, licence="Apache-2.0")
    assert found.messages == (Message("user", POEM["prompt"]),) and found.language == "zh-Hans"
    assert found.facts == {
        "source": "source",
        "licence": "Apache-2.0",
        "parallel_id": "1001",
        "constraints": [
            {"type": "keywords:frequency",
             "params": {"keyword": "河流", "relation": "at least", "count": 2}},
            {"type": "punctuation:no_comma", "params": {}},
        ],
    }  # fmt: skip


def test_what_is_wrong_with_a_row_stands_on_its_record(tmp_path: Path):
    good, latin, short, again = seeds(tmp_path, POEM, LATIN, SHORT, AGAIN)
    assert "constraint_defects" not in good.facts
    assert latin.facts["constraint_defects"] == [
        "foreign_keyword: keywords:frequency: 'river' in an answer in zh-Hans"
    ]
    assert short.facts["constraint_defects"] == ["unequal_lists: 2 constraints, 1 of kwargs"]
    assert again.facts["constraint_defects"] == ["duplicate_key: also on line 1"]
    assert len({each.id for each in (good, latin, short, again)}) == 4


async def test_the_verifier_reads_them_and_drops_what_cannot_be_read(tmp_path: Path, bind: Bind):
    step, _ = bind(VERIFIER)
    for record, reason in zip(seeds(tmp_path, POEM, SHORT), ("", "bad_constraint"), strict=True):
        turns = (*record.messages, Message("assistant", "河流啊河流。"))
        [found] = await step(Record("x", record.language, turns, record.facts))
        assert (found.reason if isinstance(found, Drop) else "") == reason


def test_a_line_that_is_no_json_ends_the_job_with_its_number(tmp_path: Path):
    with pytest.raises(JobError, match=r"zh\.jsonl:2: Expecting"):
        seeds(tmp_path, POEM, '{"key": 2,')
    (tmp_path / "zh.jsonl").write_bytes(b"\xff\xfe{")
    with pytest.raises(JobError, match="cannot be read"):
        list(read(SOURCE, tmp_path, path="zh.jsonl", language="zh-Hans"))


def test_a_file_has_one_language_and_the_job_says_it(tmp_path: Path):
    for language in ("", "qqq"):
        with pytest.raises(ValidationError):
            seeds(tmp_path, POEM, language=language)
