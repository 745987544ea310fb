"""Records that an earlier run kept are seeds, whole, and known for what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine
from engine.core import JobError
from engine.sources.earlier_run import SOURCE
from tests.conftest import read

JOB = """
version: 1
job: first
seed: 4
models: {writer: {use: rehearsal}}
source: {use: documents, with: {path: texts, language_from: stem, licence: CC0-1.0}}
steps:
  reverse: {use: reverse_instructions, with: {min_words: 3}}
  new: {use: exact_duplicate}
  length: {use: length, with: {min_response: 9}}
  halves: {use: split, with: {validation: 0.5}}
"""
TEXTS = {
    "de": "Ein guter Sauerteig braucht Mehl, Wasser, Wärme und vor allem mehrere Tage Geduld.",
    "zh": "清明前后，茶农天不亮就上山。嫩芽只采一芽一叶，当天炒完，隔夜就失了香气。",
    "sw": "Nyuki wa kijiji chetu hutoa asali.",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("earlier")
    (base / "texts").mkdir()
    for tag, text in TEXTS.items():
        (base / "texts" / f"{tag}.txt").write_text(text, encoding="utf-8")
    (base / "job.yaml").write_text(JOB, encoding="utf-8")
    engine.run(engine.load(base / "job.yaml"), base / "run")
    return base


def test_what_a_pass_kept_comes_whole_with_new_ids_and_its_lineage(base: Path) -> None:
    found = list(read(SOURCE, base, path="run", step="new"))
    assert {each.language: each.last("assistant") for each in found} == TEXTS
    for each in found:
        assert each.last("user") and each.rehearsed, "a rehearsal stays one"
        assert (each.facts["source"], each.facts["licence"]) == ("source", "CC0-1.0")
        assert [hop.step for hop in each.lineage] == ["reverse", "new", "source"]
        assert each.lineage[-1].parent != each.id
    again = read(SOURCE, base, path="run", step="new")
    assert [each.id for each in found] == [each.id for each in again]


def test_without_a_step_it_is_what_was_accepted_and_splits_are_drawn_anew(base: Path) -> None:
    found = list(read(SOURCE, base, path="run", licence="CC-BY-4.0"))
    assert {each.language for each in found} == {"de", "zh"}, "the third is too short"
    assert all("split" not in each.facts for each in found)
    assert {each.facts["licence"] for each in found} == {"CC-BY-4.0"}


@pytest.mark.parametrize(
    ("path", "step", "said"),
    [
        ("run", "lenght", "this run has no step 'lenght': did you mean 'length'"),
        ("texts", "", "no run in .*; want the folder of a run"),
    ],
)
def test_a_mistake_says_what_there_is(base: Path, path: str, step: str, said: str) -> None:
    with pytest.raises(JobError, match=said):
        list(read(SOURCE, base, path=path, step=step))


def test_what_a_step_handed_to_a_pass_is_there_too(base: Path) -> None:
    assert len(list(read(SOURCE, base, path="run", step="reverse"))) == 3


def test_a_step_within_a_stream_keeps_nothing_and_the_error_names_those_that_do(
    base: Path, tmp_path: Path
) -> None:
    text = JOB.replace("  new: {use: exact_duplicate}\n", "").replace(
        "path: texts", f"path: {base}/texts"
    )
    (tmp_path / "job.yaml").write_text(text, encoding="utf-8")
    engine.run(engine.load(tmp_path / "job.yaml"), tmp_path / "run")
    with pytest.raises(
        JobError, match=r"nothing of step 'reverse' is kept there; .* length, halves"
    ):
        list(read(SOURCE, tmp_path, path="run", step="reverse"))
