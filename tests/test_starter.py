from __future__ import annotations

from pathlib import Path

import pytest

from engine import catalogue, parts, shipped, starter
from engine.core import JobError
from engine.job import load
from engine.wiring import wire

METHODS = sorted({*catalogue.entries("jobs"), *parts.names("generators")})
UNSHIPPED = sorted(parts.names("generators").keys() - catalogue.entries("jobs").keys())


@pytest.mark.parametrize("method", METHODS)
def test_a_written_job_checks_and_reads_only_what_lies_beside_it(
    method: str, tmp_path: Path
) -> None:
    said = starter.write(method, tmp_path / "mine.yaml")
    assert said[0] == f"wrote {tmp_path / 'mine.yaml'}"
    wiring = wire(load(tmp_path / "mine.yaml"))
    assert wiring.job.name == "mine"
    for bound in (*wiring.sources.values(), *wiring.steps.values()):
        for _, value in bound.params:
            if isinstance(value, Path) and value.parent != shipped.folder("taxonomies"):
                assert value.is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize("method", METHODS)
def test_a_printed_job_checks_once_the_user_has_put_files_there(
    method: str, tmp_path: Path
) -> None:
    begun = starter.start(method)
    (tmp_path / "job.yaml").write_text(begun.text, encoding="utf-8")
    if begun.examples:
        with pytest.raises(JobError, match="there is no"):
            wire(load(tmp_path / "job.yaml"))
    for name, example in begun.examples.items():
        (tmp_path / name).symlink_to(example)
    wire(load(tmp_path / "job.yaml"))


def test_a_shipped_job_keeps_its_comments_in_their_column() -> None:
    text = starter.start("self_instruct").text
    (line,) = (line for line in text.split("\n") if line.strip().startswith("path:"))
    (below,) = (line for line in text.split("\n") if line.strip().startswith("licence:"))
    assert line.strip().startswith("path: seeds.jsonl ")
    assert line.index("#") == below.index("#")
    assert "reads seeds.jsonl" in text.split("\n\n")[0]


def test_a_composed_job_explains_every_setting() -> None:
    for method in UNSHIPPED:
        text = starter.start(method).text
        kind = parts.find(method, ("generators",), Path())
        for setting in catalogue.settings(kind.params):
            assert f"      {setting.name}: " in text
            assert " ".join(setting.text.replace("``", "`").split()[:4]) in text


@pytest.mark.parametrize(
    ("code", "source"),
    [
        ('facts["document"]', "documents"),
        ("record.facts.get('demonstrations')", "pool"),
        ('facts["topic"]', "taxonomy"),
        ('facts["style"]', "jsonl"),
        ("", "jsonl"),
    ],
)
def test_the_source_is_the_one_whose_facts_the_method_reads(code: str, source: str) -> None:
    assert starter.source_for(code) == source


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "seeds.jsonl").write_text("mine", encoding="utf-8")
    said = starter.write("self_instruct", tmp_path / "a.yaml")
    assert "already there" in said[1]
    assert (tmp_path / "seeds.jsonl").read_text("utf-8") == "mine"
    with pytest.raises(JobError, match="nothing was written"):
        starter.write("self_instruct", tmp_path / "a.yaml")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="No such file"):
        starter.write("self_instruct", tmp_path / "no" / "a.yaml")


def test_an_unknown_method_is_answered_with_those_there_are() -> None:
    with pytest.raises(JobError, match="evol_instruct"):
        starter.start("evolve_me")
