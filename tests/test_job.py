"""Every mistake in a job file is one line with the place and the right word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import job as jobs
from engine.core import JobError
from engine.job import Job, JobFile

JOB = """\
version: 1
job: demo
seed: 3
models:
  writer: {use: rehearsal, max_concurrent: 4}
source:
  use: jsonl
  with: {path: tasks.jsonl, language: de}
steps:
  evolve:
    use: evol_instruct
    with: {rounds: 1}
  length: {use: length, from: evolve}
target: {accepted: 3}
sink: {use: parquet}
run: {deadline: 8h}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "job.yaml"


def load(file: Path, text: str = JOB, changes: Sequence[str] = (), **environment: str) -> Job:
    file.write_text(text, encoding="utf-8")
    return jobs.load(file, changes, environment)


def refused(file: Path, text: str = JOB, changes: Sequence[str] = ()) -> str:
    """The one line a job is refused with, without the folder."""
    with pytest.raises(JobError) as caught:
        load(file, text, changes)
    said = str(caught.value)
    assert "\n" not in said
    return said.replace(f"{file.parent}/", "")


SOURCE = "source:\n  use: jsonl\n  with: {path: tasks.jsonl, language: de}\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # unknown keys, at every level
        ("steps:", "stepz:", "9:1: stepz: unknown key 'stepz'; did you mean 'steps'?"),
        ("target:", "Target:", "14:1: Target: unknown key 'Target'; did you mean 'target'?"),
        ("max_concurrent", "concurrent", "5:28: models.writer.concurrent: unknown key"),
        ("max_concurrent", "max_concurent", "did you mean 'max_concurrent'?"),
        ("max_concurrent: 4", "faults: {refusals: 1}", "5:37: models.writer.faults.refusals: "),
        ("  use: jsonl\n", "  uses: jsonl\n", "7:3: source.uses: unknown key 'uses'; did you mean"),
        ("    use: evol", "    rounds: 2\n    use: evol", "stand under `with`"),
        ("from: evolve", "form: evolve", "13:25: steps.length.form: unknown key 'form'; did you"),
        ("accepted", "acepted", "14:10: target.acepted: unknown key 'acepted'; did you mean 'acce"),
        ("sink: {use: parquet}", "sink: [{use: jsonl, wiht: {}}]", "15:21: sink.0.wiht: unknown"),
        ("deadline", "deadlin", "16:7: run.deadlin: unknown key 'deadlin'; did you mean 'deadli"),
        # wrong types and values
        ("version: 1", "version: 2", "1:10: version: this engine reads job files of version 1"),
        ("version: 1", "version: '1'", "1:10: version: want a whole number, found '1'"),
        ("version: 1", "version: true", "1:10: version: want a whole number, found true"),
        ("job: demo", "job: 2024", "2:6: job: want text, found 2024; put it in quotes"),
        ("job: demo", "job: a/b", "2:6: job: the name of a folder: letters, digits"),
        ("job: demo", "job: ..", "found '..'"),
        ("job: demo\n", "", "1:1: job: is missing"),
        ("seed: 3", "seed: 3.5", "3:7: seed: want a whole number, found 3.5"),
        ("seed: 3", "seed: true", "3:7: seed: want a whole number, found true"),
        ("{use: rehearsal, max_concurrent: 4}", "rehearsal", "5:11: models.writer: want a mapping"),
        ("{use: rehearsal, max_concurrent: 4}", "{use: rehersal}", "did you mean 'rehearsal'?"),
        ("max_concurrent: 4", "max_concurrent: 0", "5:44: models.writer.max_concurrent: want 1 or"),
        ("  writer: {use: rehearsal, max_concurrent: 4}\n", "", "4:8: models: want a mapping of"),
        ("writer: {", "'a b': {", "5:3: models.a b: a name is letters, digits, _ and -, found 'a"),
        ("length: {", "'': {", "13:3: steps.: a name is letters, digits, _ and -, found ''"),
        ("{use: length, from: evolve}", "", "13:10: steps.length: want a mapping of `key: value`"),
        ("accepted: 3", "accepted: -3", "14:20: target.accepted: want 0 or more, found -3"),
        ("accepted: 3", "accepted: lots", "14:20: target.accepted: want a whole number, found 'l"),
        ("{accepted: 3}", "3", "14:9: target: want a mapping of `key: value`, found 3"),
        ("deadline: 8h", "deadline: 8 hours", "16:17: run.deadline: want a duration such as 8h"),
        ("deadline: 8h", "deadline: 8", "16:17: run.deadline: want a duration such as 8h, 90m or"),
        ("deadline: 8h", "deadline: 0h", "16:17: run.deadline: want a duration"),
        ("deadline: 8h", "deadline: ''", "16:17: run.deadline: want a duration"),
        ("deadline: 8h", "max_error_rate: 5", "16:23: run.max_error_rate: want 1 or less, found 5"),
        ("deadline: 8h", "grace_s: .inf", "16:16: run.grace_s: want a number, found '.inf'"),
        # one or several
        (SOURCE, "source: tasks.jsonl\n", "6:9: source: want a mapping of `key: value` or a list,"),
        (SOURCE, "source: [jsonl]\n", "6:10: source.0: want a mapping of `key: value`, found 'jso"),
        (SOURCE, "source: []\n", "6:9: source: want at least 1 of them, found an empty list"),
        (SOURCE, "source:\n  - {use: jsonl, wight: 3}\n", "7:18: source.0.wight: unknown key 'wi"),
        (SOURCE, "source:\n  - {name: a}\n", "7:5: source.0.use: is missing"),
        ("  use: jsonl", "  use: jsonl\n  weight: 0", "8:11: source.weight: want more than 0, fou"),
        ("sink: {use: parquet}", "sink: 3", "15:7: sink: want a mapping of `key: value` or a list"),
        ("from: evolve", "from: 3", "13:31: steps.length.from: want text or a list, found 3"),
        ("from: evolve", "from: [evolve, 3]", "13:40: steps.length.from.1: want text, found 3"),
        ("from: evolve", "from: []", "13:31: steps.length.from: want at least 1 of them, found"),
        ("use: rehearsal,", "url: [x, 3],", "5:21: models.writer.url.1: want text, found 3"),
        # names
        ("from: evolve", "from: evolv", "13:31: steps.length.from: no source or step is called 'e"),
        ("from: evolve", "from: sorce", "did you mean 'source'?"),
        ("from: evolve", "from: [evolve, elvove]", "13:40: steps.length.from.1: no source or"),
        ("{rounds: 1}", "{}\n    models: {writer: writr}", "13:22: steps.evolve.models.writer: no"),
        ("{rounds: 1}", "{}\n    models: {writer: writr}", "did you mean 'writer'?"),
        ("source:\n", "source:\n  name: length\n", "14:3: steps.length: a source is called 'lengt"),
        (SOURCE, "source:\n- {use: jsonl}\n- {name: a, use: jsonl}\n", "7:3: source.0: each of se"),
        (SOURCE, "source:\n- &a {name: a, use: jsonl}\n- *a\n", "source.1.name: another source is"),
        ("seed: 3", '"a\\nb": 3', "3:1: 'a\\nb': unknown key 'a\\nb'"),
        ("rounds: 1", '"a\\nb": "${X}"', "12:20: steps.evolve.with.'a\\nb': ${X} is replaced only"),
        # variables
        ("tasks.jsonl", "'${HOME}/x'", "8:16: source.with.path: ${HOME} is replaced only in a mod"),
        ("job: demo", "job: ${X}", "2:6: job: ${X} is replaced only in a model's url and api_key"),
        ("{rounds: 1}", "{'${X}': 1}", "12:12: steps.evolve.with.${X}: ${X} is replaced only in"),
        ("max_concurrent: 4", "model: '${X}'", "5:35: models.writer.model: ${X} is replaced only"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place_and_the_right_word(file, old, new, said):
    assert old in JOB
    assert said in refused(file, JOB.replace(old, new, 1))


def test_the_first_mistake_in_the_file_is_the_one_that_is_told(file):
    text = JOB.replace("seed: 3", "seed: x").replace("accepted: 3", "accepted: x")
    assert refused(file, text).startswith("job.yaml:3:7: seed")


def test_a_step_may_be_called_like_one_of_the_checkers_own_words(file):
    text = JOB.replace("length: {use: length, from: evolve}", "str: {use: length, with: 3}")
    assert refused(file, text).startswith("job.yaml:13:28: steps.str.with: want a mapping")


def test_a_wrong_value_is_shown_short(file):
    said = refused(file, JOB.replace("accepted: 3", "accepted: " + "x" * 5_000))
    assert len(said) < 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("target.acepted=3", "target.acepted: unknown key 'acepted'; did you mean 'accepted'?"),
        ("steps.evolv.with.rounds=2", "there is no 'evolv' in steps; did you mean 'evolve'?"),
        ("models.writr.url=http://x/v1", "there is no 'writr' in models; did you mean 'writer'?"),
        (
            "steps.evolve.wiht.rounds=2",
            "steps.evolve.wiht: unknown key 'wiht'; did you mean 'with'",
        ),
        ("source.0.name=a", "source.0: unknown key '0'"),
        ("job.x=3", "there is nothing to set 'x' in"),
        ("job.x.y=3", "there is no 'x' in job; it is 'demo'"),
        ("seed=", "seed: want a whole number, found nothing"),
        ("seed=drei", "seed: want a whole number, found 'drei'"),
        ("target.accepted=[1", "not YAML: a list in brackets that is not closed"),
        ("target.accepted=3: 4", "not YAML: a colon too many"),
        ("steps.length.from=evolv", "no source or step is called 'evolv'; did you mean 'evolve'?"),
        ("job=${X}", "job: ${X} is replaced only in a model's url and api_key"),
        ("target..accepted=3", "write it as a.b=value"),
        ("=3", "write it as a.b=value"),
        ("seed", "write it as a.b=value"),
    ],
)
def test_a_mistake_in_an_override_names_the_override(file, change, said):
    found = refused(file, JOB, [change])
    assert found.startswith(f"--set {change}: ")
    assert said in found


def test_overrides_reach_everything_and_are_part_of_the_jobs_text(file):
    job = load(
        file,
        JOB.replace("from: evolve", "from: [evolve]").replace(
            "target: {accepted: 3}\n", "target:\n"
        ),
        [
            "seed=9",
            "target.accepted=50",
            "steps.length.with.min_response=4",
            "steps.length.from.0=source",
            "steps.new={use: refusal}",
            "models.writer.faults={refusal: 0.5}",
        ],
    )
    assert (job.file.seed, job.file.target.accepted) == (9, 50)
    assert job.file.steps["length"].settings == {"min_response": 4}
    assert job.reads("length") == ["source"]
    assert job.reads("new") == ["length"]
    assert job.file.models["writer"].faults.refusal == 0.5
    assert yaml.safe_load(job.sheet.text)["target"]["accepted"] == 50


def test_a_list_takes_no_override_beyond_its_end(file):
    text = JOB.replace(SOURCE, "source:\n- {name: a, use: jsonl}\n- {name: b, use: jsonl}\n")
    assert "there is no '7' in source; there are 0, 1" in refused(file, text, ["source.7.use=csv"])
    assert load(file, text, ["source.1.use=csv"]).sources[1].use == "csv"


def test_variables_are_replaced_in_url_and_key_only_when_they_are_asked_for(file):
    text = JOB.replace("use: rehearsal", "url: 'http://${HOST}/v1', api_key: '${KEY}', model: m")
    job = load(file, text, HOST="gpu-1", KEY="secret")
    assert job.expand("http://${HOST}/v1", ("models", "writer", "url")) == "http://gpu-1/v1"
    assert "secret" not in repr(job)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://${HOST}/v1", "the environment variable HOST is not set"),
        ("http://${MY-HOST}/v1", "a variable is written ${NAME}"),
        ("http://${HOST", "a variable is written ${NAME}"),
    ],
)
def test_an_unset_or_misspelt_variable_is_told_at_its_place(file, text, said):
    job = load(file, JOB.replace("use: rehearsal", f"url: '{text}', model: m"))
    with pytest.raises(JobError) as caught:
        job.expand(text, ("models", "writer", "url"))
    assert str(caught.value) == f"{file}:5:17: models.writer.url: {said}" + (
        ": letters, digits and _" if "written" in said else ""
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("quickstrat", "quickstrat: no such file or shipped job; did you mean 'quickstart'?"),
        ("jobs/quickstrat.yaml", "no such file; did you mean 'quickstart'?"),
        ("zzz", "no such file or shipped job; there are "),
        ("x" * 5_000, "no such file or shipped job"),
        ("a\0b", "no such file or shipped job"),
        (".", "Is a directory"),
    ],
)
def test_a_job_that_is_not_there_is_named_with_the_nearest_that_is(name, said):
    with pytest.raises(JobError) as caught:
        jobs.load(name)
    assert said in str(caught.value)


def test_a_shipped_job_is_found_by_its_name():
    assert jobs.load("quickstart").name == "quickstart"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("8h", 28_800), ("90m", 5_400), ("1h30m", 5_400), ("1h 0.5m 3s", 3_633), ("null", 0)],
)
def test_a_deadline_is_a_number_of_seconds(file, written, seconds):
    job = load(file, JOB.replace("deadline: 8h", f"deadline: {written}"))
    assert job.file.run.deadline_s == seconds


def test_a_step_reads_from_the_one_above_and_the_first_from_all_sources(file):
    two = "source:\n- {name: a, use: jsonl}\n- {name: b, use: jsonl}\n"
    job = load(file, JOB.replace(SOURCE, two).replace(", from: evolve", ""))
    assert job.reads("evolve") == ["a", "b"]
    assert job.reads("length") == ["evolve"]


def test_names_are_words_of_any_script(file):
    text = JOB.replace("length: {use: length", "länge-是: {use: length")
    assert list(load(file, text).file.steps) == ["evolve", "länge-是"]


def test_the_published_schema_says_what_the_file_may_hold():
    schema = JobFile.model_json_schema(by_alias=True)
    assert set(schema["required"]) == {"job", "source", "steps"}
    policy = {"on_fail", "on_error", "repairs", "timeout_s"}
    step = {"use", "with", "from", "models"} | policy
    assert set(schema["$defs"]["StepPart"]["properties"]) == step
    assert schema["additionalProperties"] is False


WORDS = ["version", "job", "models", "source", "steps", "target", "sink", "run", "use", "with"]
WORDS += [
    "from",
    "writer",
    "url",
    "api_key",
    "rehearsal",
    "jsonl",
    "length",
    "a",
    "",
    "${X}",
    "[key]",
]
LEAF = st.one_of(
    st.sampled_from([*WORDS, "1h", "str", "list[str]"]),
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
)
TREE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries({}, optional={word: TREE for word in WORDS[:8]}), st.booleans())
def test_any_structure_is_a_job_or_one_line(tmp_path_factory, tree, rest):
    file = tmp_path_factory.getbasetemp() / "tree.yaml"
    whole = yaml.safe_load(JOB) | tree if rest else tree
    file.write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
    try:
        assert jobs.load(file, (), {}).name
    except JobError as error:
        assert "\n" not in str(error)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([*WORDS, "0", "-1", "²", "demo", "x"]), min_size=1, max_size=4),
    st.text(max_size=6) | st.sampled_from(["{a: 1}", "[1]", "*a", "null", "1e999"]),
)
def test_any_override_is_a_job_or_one_line(tmp_path_factory, path, text):
    file = tmp_path_factory.getbasetemp() / "overridden.yaml"
    file.write_text(JOB, encoding="utf-8")
    try:
        assert jobs.load(file, [f"{'.'.join(path)}={text}"], {}).name
    except JobError as error:
        assert "\n" not in str(error).replace(text, "")
