"""README says what is true: its table, its example, its commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine import load, run
from engine.wiring import wire
from tests.readme import README, renewed

TEXT = README.read_text(encoding="utf-8")


def block(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", TEXT, re.S)
    assert found, f"README has no block marked {mark!r}"
    return found[1]


def test_the_table_of_parts_is_that_of_the_docstrings() -> None:
    assert renewed(TEXT) == TEXT, "run `python -m tests.readme`"


@pytest.mark.slow
def test_the_python_example_runs(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", block("python example")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(README.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "target met 20" in ran.stdout


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The job that README explains, with documents, and its filter beside it."""
    found = re.search(r"## A job, line by line\n\n```yaml\n(.*?)```", TEXT, re.S)
    assert found
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "bat.md").write_text("# Bat\n\nHau testu bat da.\n")
    (tmp_path / "readme_parts").mkdir()
    (tmp_path / "readme_parts" / "__init__.py").touch()
    (tmp_path / "readme_parts" / "shout.py").write_text(block("own filter"))
    (tmp_path / "job.yaml").write_text(found[1])
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "job.yaml"


def test_the_job_that_is_explained_passes_the_check(job: Path) -> None:
    wiring = wire(load(job, environment={"MY_KEY": "x"}))
    assert [names[0] for names in wiring.stages] == ["reverse", "unique", "split"]


MORE = """
from engine import Filter, Kit, Prompt, Record
from engine.kit import NoParams, Tool

ANSWER, GRADE = Prompt("own/answer", reply=str), Prompt("own/grade", reply=str)
SEARCH = Tool("search", "Search.", {"type": "object", "properties": {}})
"""


def test_the_part_that_asks_for_more_than_chat_runs(tmp_path: Path) -> None:
    (tmp_path / "readme_more").mkdir()
    (tmp_path / "readme_more" / "__init__.py").touch()
    (tmp_path / "readme_more" / "asks.py").write_text(MORE + block("more than chat"))
    (tmp_path / "prompts" / "own").mkdir(parents=True)
    for name, given in (("answer", "question"), ("grade", "text")):
        header = f"---\npurpose: Try.\ninputs: [{given}]\n---\n"
        body = f'{{% turn "user" %}}\n{{{{ {given} }}}}\n{{% endturn %}}\n'
        (tmp_path / "prompts" / "own" / f"{name}.j2").write_text(header + body)
    (tmp_path / "seeds.jsonl").write_text('{"instruction": "Why do tides turn?"}\n')
    (tmp_path / "job.yaml").write_text(
        "job: more\nmodels: {m: {use: rehearsal}}\n"
        "source: {use: jsonl, with: {path: seeds.jsonl, language: en}}\n"
        "steps: {asks: {use: readme_more.asks}}\n"
    )
    [record] = run(load(tmp_path / "job.yaml"), tmp_path / "out").records()
    assert record.facts["grade"] in ("good", "poor") and record.facts["calls"] == 1
    assert record.facts["nll"] > 0 and -1 <= record.facts["alike"] <= 1.001


async def test_the_filter_that_is_shown_is_found_by_its_dotted_name(job: Path) -> None:
    wiring = wire(load(job, ["steps.format.use=readme_parts.shout"], {"MY_KEY": "x"}))
    check, params = wiring.steps["format"].kind.check, wiring.steps["format"].params
    from tests.conftest import seed

    class Given:
        pass

    kit = Given()
    kit.params = params  # type: ignore[attr-defined]
    assert check(seed("q", response="STOP SHOUTING"), kit).reason == "shouting"
    assert check(seed("q", response="Quietly."), kit).last("assistant") == "Quietly."
