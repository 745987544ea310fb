"""``languages:`` of a job: quotas that are met in accepted records."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
import yaml
from rich.console import Console

import engine
from engine import showing
from engine.core import JobError
from engine.inspecting import status
from engine.job import JobFile, load
from engine.outputs import export
from engine.rounds import End
from tests.test_session import TEXTS

JOB = """
version: 1
job: tongues
seed: 4
models: {writer: {use: rehearsal}}
source: {use: documents, with: {path: texts, language_from: folder, licence: CC0-1.0}}
steps:
  reverse: {use: reverse_instructions, with: {min_words: 5}}
  length: {use: length}
"""


def job(folder: Path, ending: str, each: int = 8, steps: str = "") -> Path:
    for language, text in TEXTS.items():
        place = folder / "texts" / language
        place.mkdir(parents=True, exist_ok=True)
        for i in range(each):
            (place / f"{i}.txt").write_text(f"{text} ({i})\n", encoding="utf-8")
    (folder / "job.yaml").write_text(JOB + steps + ending, encoding="utf-8")
    return folder / "job.yaml"


def languages(result: engine.Result) -> dict[str, int]:
    return dict(Counter(result.dataset()["language"]))


@pytest.mark.parametrize(
    "said, counts",
    [
        ("{eu: 0.5, en: 0.3, de: 0.2}", {"eu": 5, "en": 3, "de": 2}),
        ("{languages: [eu, de]}", {"eu": 5, "de": 5}),
        ("{temperature: 1, sizes: {eu: 60, en: 30, de: 10}}", {"eu": 6, "en": 3, "de": 1}),
        ("{unimax: true, sizes: {eu: 60, en: 30, de: 1}}", {"eu": 5, "en": 4, "de": 1}),
    ],
)
def test_quotas_are_met_in_accepted_records_over_as_many_rounds_as_it_takes(
    tmp_path: Path, said: str, counts: dict[str, int]
) -> None:
    target = "target: {accepted: 10, round: 6}\n"
    result = engine.run(engine.load(job(tmp_path, f"{target}languages: {said}\n")), tmp_path / "o")
    assert result.end is End.MET and languages(result) == counts
    card = (tmp_path / "o" / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "Plan of languages: languages" in card
    again = engine.run(engine.load(tmp_path / "job.yaml"), tmp_path / "o")
    assert languages(again) == counts, "the same command again changes nothing"
    export(tmp_path / "o", "sharegpt", "parquet", tmp_path / "other")
    told = (tmp_path / "other" / "README.md").read_text(encoding="utf-8")
    assert "Plan of languages: languages" in told


@pytest.mark.parametrize(
    "said, counts",
    [
        ("{temperature: 1}", {"de": 4, "en": 2, "eu": 2}),
        ("{temperature: 1000000}", {"de": 3, "en": 3, "eu": 2}),
        ("{unimax: true}", {"de": 3, "en": 2, "eu": 3}),
    ],
)
def test_without_sizes_it_goes_by_what_the_sources_hold(
    tmp_path: Path, said: str, counts: dict[str, int]
) -> None:
    path = job(tmp_path, f"target: {{accepted: 8, round: 6}}\nlanguages: {said}\n", each=5)
    for i in range(5, 10):
        (tmp_path / "texts" / "de" / f"{i}.txt").write_text(f"{TEXTS['de']} ({i})\n")
    result = engine.run(engine.load(path), tmp_path / "o")
    assert languages(result) == counts


def test_sources_that_hold_too_little_or_never_end_are_told(tmp_path: Path) -> None:
    ending = "target: {accepted: 90}\nlanguages: {unimax: true}\n"
    with pytest.raises(JobError, match=r"(?s)24 records, target.accepted is 90; .* 8 of "):
        engine.run(engine.load(job(tmp_path, ending)), tmp_path / "o")
    path = tmp_path / "job.yaml"
    blank = path.read_text(encoding="utf-8").replace("use: documents", "use: blank")
    path.write_text(
        blank.replace("{path: texts, language_from: folder, licence: CC0-1.0}", "{languages: [eu]}")
    )
    with pytest.raises(JobError, match="never ends: say sizes"):
        engine.run(engine.load(path), tmp_path / "o")


def seeds(result: engine.Result) -> Counter[str]:
    """Seeds that were grown, by language: each makes one record here, kept or not."""
    dropped = Counter(drop.record.language for drop in result.drops())
    return dropped + Counter(record.language for record in result.records())


def test_seeds_are_taken_by_language_and_none_of_one_that_is_full(tmp_path: Path) -> None:
    """By path come German, English, Basque; nobody wants English."""
    ending = "target: {accepted: 16, round: 10}\nlanguages: {eu: 0.75, de: 0.25}\n"
    result = engine.run(engine.load(job(tmp_path, ending, each=16)), tmp_path / "o")
    assert languages(result) == {"eu": 12, "de": 4}
    assert seeds(result)["en"] == 4, "a third of the first round, to see what comes of it"
    assert seeds(result)["de"] <= 7 and seeds(result)["eu"] <= 15


def test_what_a_round_left_out_is_there_for_a_later_one(tmp_path: Path) -> None:
    """All eight of each language are needed, and rounds are small."""
    ending = "target: {accepted: 24, round: 3}\nlanguages: [de, en, eu]\n"
    path = job(tmp_path, ending.replace("[de, en, eu]", "{languages: [de, en, eu]}"))
    result = engine.run(engine.load(path), tmp_path / "o")
    assert languages(result) == {"de": 8, "en": 8, "eu": 8} == seeds(result)


def test_a_language_that_runs_out_leaves_its_place_empty(tmp_path: Path) -> None:
    ending = "target: {accepted: 20}\nlanguages: {eu: 0.9, de: 0.1}\n"
    result = engine.run(engine.load(job(tmp_path, ending)), tmp_path / "o")
    assert result.end is not End.MET and languages(result) == {"eu": 8, "de": 2}


def test_all_branches_that_nothing_reads_end_in_the_plan(tmp_path: Path) -> None:
    more = "  other: {use: length, from: reverse}\n"
    ending = "target: {accepted: 10}\nlanguages: {eu: 0.5, de: 0.5}\n"
    loaded = load(job(tmp_path, ending, steps=more), environment={})
    assert loaded.reads("languages") == ["length", "other"]
    assert loaded.reads("reverse") == ["source"] and loaded.reads("length") == ["reverse"]
    assert list(loaded.file.steps)[-1] == "languages"


def test_shares_can_be_changed_on_the_command_line(tmp_path: Path) -> None:
    ending = "target: {accepted: 10}\nlanguages: {eu: 0.5, de: 0.5}\n"
    found = load(job(tmp_path, ending), ["languages.eu=0.2", "languages.de=0.8"], {})
    assert found.file.steps["languages"].settings["shares"] == {"eu": 0.2, "de": 0.8}


@pytest.mark.parametrize(
    "ending, why",
    [
        ("languages: {eu: 1}\n", "shares of target.accepted"),
        ("target: {accepted: 9}\nlanguages: {eu: 0.5, de: 0.4}\n", "sum to 0.9, not to 1"),
        ("target: {accepted: 9}\nlanguages: {eu: 0.5, german!: 0.5}\n", "BCP-47"),
        ("target: {accepted: 9}\nlanguages: {unimax: true, sizes: {eu: 3}}\n", "allow 3 records"),
        ("target: {accepted: 9}\nlanguages: {temperature: 3, shares: {eu: 1}}\n", "say one of"),
    ],
)
def test_a_plan_that_cannot_be_is_a_mistake_in_the_job(
    tmp_path: Path, ending: str, why: str
) -> None:
    with pytest.raises(JobError, match=why):
        load(job(tmp_path, ending), environment={})


def test_the_schema_takes_both_ways_to_say_it(tmp_path: Path) -> None:
    schema = JobFile.model_json_schema(by_alias=True)
    said = yaml.safe_load(job(tmp_path, "").read_text(encoding="utf-8"))
    for languages in ({"eu": 0.5, "de": 0.5}, {"languages": ["eu", "de"]}):
        jsonschema.validate({**said, "languages": languages}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**said, "languages": ["eu"]}, schema)


def test_a_step_of_that_name_is_taken(tmp_path: Path) -> None:
    steps, ending = "  languages: {use: length}\n", "target: {accepted: 9}\nlanguages: {eu: 1}\n"
    with pytest.raises(JobError, match="a step is called 'languages'"):
        load(job(tmp_path, ending, steps=steps), environment={})


@pytest.mark.parametrize(
    "said, why",
    [
        ("{no: 0.5, nb: 0.5}", "no and nb are one language, nb"),
        ("{unimax: true, sizes: {zh-CN: 100, zh-Hans: 50, eu: 9}}", "zh-CN and zh-Hans are one"),
        ("{und: 0.5, eu: 0.5}", "und names no language"),
    ],
)
def test_a_language_is_named_once_and_is_one(tmp_path: Path, said: str, why: str) -> None:
    with pytest.raises(JobError, match=rf"job\.yaml:\d+:\d+: languages.*{why}"):
        load(job(tmp_path, f"target: {{accepted: 9}}\nlanguages: {said}\n"), environment={})


def test_whoever_asks_is_told_which_language_lacks_records(tmp_path: Path) -> None:
    ending = "target: {accepted: 20}\nlanguages: {eu: 0.9, de: 0.1}\n"
    result = engine.run(engine.load(job(tmp_path, ending)), tmp_path / "o")
    value = status(result.folder)
    assert value["lacks"] == {"eu": 10}
    console = Console(width=100, record=True, file=io.StringIO())
    showing.ending(console, value, "again")
    assert "10 of 20, lacking eu 10" in console.export_text()
