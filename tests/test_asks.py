"""What a part asks is held against its prompts before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine
from engine.core import JobError
from engine.wiring import wire

JOB = """
job: asks
models: {m: {use: rehearsal}}
source: {use: jsonl, with: {path: seeds.jsonl, language: en}}
steps: {own: {use: asks_PART.check}}
"""
PART = """
from engine import Filter, Kit, Prompt, Record
from engine.kit import NoParams

ONE = Prompt("asks/one", reply=str)
TWO = Prompt("asks/two", reply=str)


async def check(record: Record, kit: Kit[NoParams]) -> Record:
    await kit.ask(ASKED)
    return record


FILTER = Filter(check, NoParams, prompts=(ONE,))
"""
PROMPT = """---
purpose: Ask.
inputs: [text, language]
---
{% turn "user" %}
{{ text }} in {{ language }}
{% endturn %}
"""


def wired(folder: Path, name: str, asked: str, how: str = "ask") -> None:
    (folder / "prompts" / "asks").mkdir(parents=True)
    for prompt in ("one", "two"):
        (folder / "prompts" / "asks" / f"{prompt}.j2").write_text(PROMPT)
    (folder / f"asks_{name}").mkdir()
    (folder / f"asks_{name}" / "__init__.py").touch()
    part = PART.replace("ASKED", asked).replace("kit.ask(", f"kit.{how}(")
    (folder / f"asks_{name}" / "check.py").write_text(part)
    (folder / "seeds.jsonl").write_text('{"instruction": "Name a river."}\n')
    (folder / "job.yaml").write_text(JOB.replace("PART", name))
    wire(engine.load(folder / "job.yaml"))


@pytest.mark.parametrize(
    ("name", "asked", "told"),
    [
        ("wrong", "ONE, txt=1", r"check\.py:10: asks/one takes \['text'\], is given \['txt'\]"),
        ("less", "ONE", r"takes \['text'\], is given \[\]"),
        ("other", "TWO, text=1", r"asks asks/two, which is not among the part's prompts"),
    ],
)
def test_a_wrong_keyword_is_told_with_file_and_line(
    name: str, asked: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(JobError, match=told):
        wired(tmp_path, name, asked)


@pytest.mark.parametrize(
    ("how", "besides"),
    [
        ("ask_many", "3"),
        ("choose", "['a', 'b']"),
        ("call_tools", "[]"),
        ("score", "'x', role='judge'"),
    ],
)
def test_every_way_of_asking_is_held_against_the_prompt(
    how: str, besides: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    wired(tmp_path / "right", f"right_{how}", f"ONE, {besides}, text=1", how)
    with pytest.raises(JobError, match=r"takes \['text'\], is given \['txt'\]"):
        wired(tmp_path / "wrong", f"wrong_{how}", f"ONE, {besides}, txt=1", how)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("right", "ONE, text=1"),
        ("takes", "ONE, take=3, language='sw', text=1"),
        ("some", "ONE, **{}"),
    ],
)
def test_what_fits_passes(
    name: str, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    wired(tmp_path, name, asked)
