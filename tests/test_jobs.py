"""Every job that travels with the engine is a whole job, wherever it is started from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from engine import shipped
from engine.core import Drop
from engine.job import load
from engine.jobfile import read
from engine.session import load as load_for_preview
from engine.wiring import fingerprint, wire

FILES = sorted(shipped.JOBS.glob("*.yaml"))
PROGRAMS = {"self_code_align": "no_response_holds", "auto_if": "too_few_functions"}
"""Jobs whose records need programs that run, which the rehearsal does not write; why all drop."""
every_job = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def test_there_are_jobs_and_one_is_the_quickstart() -> None:
    assert "quickstart" in {file.stem for file in FILES}


@every_job
def test_it_is_wired_by_its_name_from_any_folder(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job = load(file.stem, environment={})
    assert job.name == file.stem, "a shipped job is called what its file is called"
    wiring = wire(job)
    assert wiring.models_used() or not wiring.prompts(), "a question and nobody to ask"
    assert [name for stage in wiring.stages for name in stage], "no stage"


@every_job
def test_every_model_in_it_is_asked_by_some_step(file: Path) -> None:
    wiring = wire(load(file, environment={}))
    assert wiring.models_used() == list(wiring.job.file.models)


@every_job
def test_it_names_no_server_and_needs_no_environment(file: Path) -> None:
    for name, model in load(file, environment={}).file.models.items():
        assert (model.use, model.url, model.api_key) == ("auto", "", ""), name
    value = yaml.safe_dump(read(file).value)
    assert "${" not in value and "://" not in value


@every_job
def test_its_comments_say_what_it_does_and_how_many_calls_it_costs(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    opening = text.partition("\n\nversion:")[0].splitlines()
    assert all(line.startswith("#") for line in opening), "opens with comments, then version:"
    said = " ".join(line.lstrip("# ") for line in opening)
    calls = re.search(r"Calls: (.*)", said)
    assert calls and re.search(r"\d", calls[1]), "a paragraph 'Calls: ...' with figures"
    assert len(said.partition("Calls:")[0].split()) >= 15, "what the job does, before that"


@every_job
def test_it_ends_with_as_many_records_as_it_was_asked_for(file: Path) -> None:
    target = load(file, environment={}).file.target
    assert target.accepted > 0


@every_job
def test_everything_it_reads_is_below_the_jobs_folder(file: Path) -> None:
    wiring = wire(load(file, environment={}))
    for bound in (*wiring.sources.values(), *wiring.steps.values()):
        for name, value in bound.params:
            if isinstance(value, Path) and value.parent != shipped.folder("taxonomies"):
                assert value.is_relative_to(shipped.JOBS.resolve()), f"{name}: {value}"


@every_job
def test_its_fingerprint_is_the_same_at_every_start(file: Path) -> None:
    marks = [fingerprint(wire(load(file, environment={})), {"writer": "x"}) for _ in range(2)]
    assert marks[0] == marks[1]


@pytest.mark.slow
@every_job
def test_a_rehearsal_of_a_few_seeds_comes_to_records(file: Path) -> None:
    seen = load_for_preview(file, environment={}).preview(2, rehearse=True)
    assert not seen.failures
    asks = bool(wire(load(file, environment={})).models_used())
    assert bool(seen.calls) == asks, "a model was asked, or none, against the job"
    if file.stem in PROGRAMS:
        assert PROGRAMS[file.stem] in {drop.reason for _, drop in seen.drops}
        return
    assert seen.records, [(step, drop.reason, drop.detail) for step, drop in seen.drops]
    made = [record for record in seen.records if record.facts.get("origin") != "seed"]
    assert all(record.rehearsed == asks for record in made)  # a seed pair is people's, and stays
    assert all(isinstance(drop, Drop) for _, drop in seen.drops)
