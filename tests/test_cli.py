from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from engine import shipped
from engine.cli import EXIT, app
from engine.ledger import Ledger
from engine.quiet import OFF, hush
from engine.rounds import End
from engine.storage import lock
from tests.conftest import ROOT

Cli = Callable[..., Result]

JOB = """\
version: 1
job: tides
models:
  writer: {use: rehearsal}
source:
  use: documents
  with: {path: DOCUMENTS, language_from: stem, licence: Apache-2.0}
steps:
  reverse:
    use: reverse_instructions
  filter:
    use: FILTER
target: {accepted: 5}
sink: {use: jsonl}
"""
PART = """\
import os, signal
from engine.kit import Filter, NoParams

seen = []

def check(record, kit):
    seen.append(record.id)
    BODY
    return record

FILTER = Filter(check, NoParams)
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)

    def cli(*words: object, code: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return cli


def job(name: str = "tides.yaml", filter: str = "length", body: str = "") -> str:
    """A job file in the current folder, perhaps with a filter of its own beside it."""
    text = JOB.replace("DOCUMENTS", str(shipped.JOBS / "documents")).replace("FILTER", filter)
    Path(name).write_text(text, encoding="utf-8")
    if body:
        package, _, module = filter.partition(".")
        Path(package).mkdir()
        Path(package, f"{module}.py").write_text(PART.replace("BODY", body), encoding="utf-8")
    return name


def told(result: Result) -> Any:
    """The one JSON document on standard output."""
    return json.loads(result.stdout)


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, check=False)


def test_help_names_every_command_and_every_exit_code(cli: Cli) -> None:
    shown = cli("--help").stdout
    for name in ("init", "list", "check", "graph", "preview", "run", "status", "show"):
        assert f"\n  {name} " in shown
    for name in ("failures", "drops", "export", "schema"):
        assert f"\n  {name} " in shown
    for code in (0, 1, *set(EXIT.values()), 2):
        assert f"\n{code:>7}  " in shown


def test_every_end_of_a_run_has_an_exit_code() -> None:
    assert EXIT.keys() == End.__members__.keys()


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"]])
def test_help_waits_for_no_library_but_typer(words: list[str]) -> None:
    heavy = {"yaml", "jinja2", "langgraph", "datasets", "openai", "networkx", "numpy", "asyncio"}
    code = (
        "import sys; from engine import cli\n"
        "try: cli.main()\n"
        f"finally: print(sorted({heavy!r} & sys.modules.keys()), file=sys.stderr)"
    )
    done = python("-c", code, *words)
    assert done.stderr.decode().strip() == "[]"
    assert b"Usage" in done.stdout


def test_nothing_is_sent_to_anybody_whatever_the_environment_says() -> None:
    environment = {"LANGSMITH_TRACING": "true", "HOME": "/home/me"}
    hush(environment)
    assert environment == {**OFF, "HOME": "/home/me"}


# -- before a run -----------------------------------------------------------------------------


def test_list_shows_parts_with_the_first_line_of_what_they_say(cli: Cli) -> None:
    found = told(cli("list", "--json"))
    assert found["passes"]["split"].startswith("Assign each record to train")
    assert "quickstart" in found["jobs"]
    assert list(told(cli("list", "sinks", "--json"))) == ["sinks"]
    assert "rouge_novelty" in cli("list", "passes").stdout


def test_list_of_a_name_shows_its_settings_prompts_and_roles(cli: Cli) -> None:
    (about,) = told(cli("list", "reverse_instructions", "--json"))[:1]
    assert about["roles"] == ["writer"]
    assert "reverse_instructions/chat" in about["prompts"]
    assert {"name", "type", "required", "default", "text"} == about["settings"][0].keys()
    assert "Shorter documents drop" in cli("list", "reverse_instructions").stdout


def test_a_name_that_nothing_has_is_answered_with_a_near_one(cli: Cli) -> None:
    assert "did you mean 'rouge_novelty'?" in cli("list", "rouge_novely", code=2).stderr


def test_check_tells_the_plan(cli: Cli) -> None:
    plan = told(cli("check", job(), "--json"))
    assert [step["name"] for stage in plan["stages"] for step in stage] == ["reverse", "filter"]
    assert "rehearsal" in plan["models"]["writer"]
    assert plan["sources"][0]["first"]["language"] == "ar"
    assert plan["calls_per_seed"] is None
    assert "generator reverse_instructions from source" in cli("check", "tides.yaml").stdout


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("target.acepted=3", "did you mean 'accepted'"),
        ("steps.filter.use=lenght", "did you mean 'length'"),
        ("source.with.path=nowhere", "there is no nowhere"),
        ("source.with.glob=[x]", "no file matches x"),
        ("nonsense", "a.b=value"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(cli: Cli, change: str, what: str) -> None:
    said = cli("check", job(), "--set", change, code=2)
    assert said.stdout == ""
    assert said.stderr.startswith("error: ")
    assert what in said.stderr
    assert said.stderr.count("\n") == 1


def test_graph_draws_the_job_and_its_generators(cli: Cli) -> None:
    drawn = told(cli("graph", job(), "--json"))
    assert drawn["job"].startswith("flowchart TD")
    assert drawn["generators"].keys() == {"reverse"}
    assert "__start__" in drawn["generators"]["reverse"]
    assert cli("graph", "tides.yaml").stdout.count("```mermaid") == 2


def test_preview_shows_records_and_every_call_and_leaves_nothing_behind(cli: Cli) -> None:
    value = told(cli("preview", job(), "-n", "2", "--show-prompts", "--json"))
    assert value["seeds"] == 2
    assert len(value["records"]) + len(value["drops"]) == 2
    assert len(value["asked"]) == value["calls"] >= 2
    assert value["asked"][0]["messages"][-1]["role"] == "user"
    shown = cli("preview", "tides.yaml", "-n", "1", "--show-prompts").stdout
    assert "DOCUMENT_BEGIN" in shown
    assert "1 seeds: " in shown
    assert not Path("outputs").exists()


def test_the_schema_knows_the_keys_of_a_job(cli: Cli) -> None:
    schema = told(cli("schema"))
    assert {"job", "models", "source", "steps"} <= schema["properties"].keys()
    assert "from" in schema["$defs"]["StepPart"]["properties"]


# -- a run and what it leaves -----------------------------------------------------------------


def test_records_that_no_model_touched_do_not_hide_a_rehearsal(cli: Cli) -> None:
    said = cli("run", "kun", "--rehearse", "--set", "target.accepted=4").stdout
    assert "REHEARSAL" in said


def test_a_run_meets_its_target_and_every_verb_can_read_it(cli: Cli) -> None:
    ran = cli("run", job(), "--json")
    value = told(ran)
    assert (value["exit"], value["accepted"], value["rehearsal"]) == (0, 5, True)
    assert "writer: the embedded rehearsal model" in ran.stderr
    assert Path(value["dataset"], "train.jsonl").is_file()
    assert Path(value["report"]).is_file()

    assert told(cli("status", "tides", "--json"))["accepted"] == 5
    assert told(cli("status", "tides.yaml", "--json"))["end"] == "target met"
    assert [each["job"] for each in told(cli("status", "--json"))] == ["tides"]
    assert "5 of 5 REHEARSAL" in cli("status", "outputs/tides").stdout
    assert told(cli("failures", "tides", "--json")) == []
    assert told(cli("failures", "tides", "--retry", "--json"))["retried"] == 0
    assert told(cli("drops", "tides", "--json"))["counts"] == []
    assert told(cli("check", "tides.yaml", "--json"))["calls_per_seed"] >= 1


def test_status_tells_a_run_that_another_process_holds(cli: Cli) -> None:
    cli("run", job())
    with lock(Path("outputs/tides")):
        assert told(cli("status", "tides", "--json"))["running"]
        assert "in use by another engine" in cli("failures", "tides", "--retry", code=1).stderr
    assert not told(cli("status", "tides", "--json"))["running"]


def test_a_finished_run_says_where_everything_is(cli: Cli) -> None:
    shown = cli("run", job(), "-o", "here").stdout
    for part in ("REHEARSAL", "target met", "5 of 5", "here/dataset", "here/report.html"):
        assert part in shown


def test_show_follows_a_record_back_to_its_questions_and_replies(cli: Cli) -> None:
    cli("run", job())
    row = json.loads(Path("outputs/tides/dataset/train.jsonl").read_text("utf-8").split("\n")[0])
    value = told(cli("show", "tides", row["id"][:10], "--json"))
    assert value["record"]["id"] == row["id"]
    assert value["accepted"]
    reverse, length = value["lineage"]
    assert (reverse["step"], length["step"]) == ("reverse", "filter")
    assert (reverse["parent"] != row["id"], length["parent"]) == (True, row["id"])
    assert reverse["calls"][0]["reply"] == row["messages"][0]["content"].split("\n")[0]
    shown = cli("show", "tides", row["id"]).stdout
    assert f"step reverse: from {reverse['parent']}" in shown
    assert "DOCUMENT_BEGIN" in shown
    assert "begins with 'zz'" in cli("show", "tides", "zz", code=2).stderr
    assert "records have ids that begin so" in cli("show", "tides", "", code=2).stderr


def test_drops_are_counted_and_shown_with_their_reasons(cli: Cli) -> None:
    cli("run", job(), "--set", "steps.filter.with={min_response: 900}", code=3)
    value = told(cli("drops", "tides", "-n", "2", "--json"))
    assert value["counts"] == [{"step": "filter", "reason": "response_too_short", "count": 24}]
    assert len(value["drops"]) == 2
    assert told(cli("drops", "tides", "--reason", "other", "--json"))["counts"] == []
    assert "at least 900" in cli("drops", "tides", "--step", "filter", "-n", "1").stdout
    dropped = value["drops"][0]["record"]["id"]
    assert "dropped, response_too_short" in cli("show", "tides", dropped).stdout


def test_export_writes_the_same_records_in_another_format(cli: Cli) -> None:
    cli("run", job())
    cli("export", "tides", "--format", "alpaca", "--sink", "jsonl", "-o", "alpaca")
    rows = [json.loads(line) for line in Path("alpaca/train.jsonl").read_text("utf-8").splitlines()]
    kept = Path("outputs/tides/dataset/train.jsonl").read_text("utf-8").splitlines()
    assert [row["id"] for row in rows] == [json.loads(line)["id"] for line in kept]
    assert rows[0]["output"] == json.loads(kept[0])["messages"][1]["content"]
    card = Path("alpaca/README.md").read_text("utf-8")
    assert "license: apache-2.0" in card
    assert "REHEARSAL" in card
    assert cli("export", "tides", "--format", "preference", code=2).stderr.count("\n") == 1


# -- how a run can end ------------------------------------------------------------------------


def test_a_target_that_is_not_met_is_exit_code_3(cli: Cli) -> None:
    said = cli("run", job(), "--set", "target.accepted=500", code=3)
    assert "the candidates are spent" in said.stdout
    assert "go on" not in said.stdout


def test_a_spent_budget_is_exit_code_4(cli: Cli) -> None:
    words = ("--set", "run.max_tokens=1", "--set", "run.in_flight=1")
    said = cli("run", job(), *words, code=4)
    assert "engine run tides.yaml --set run.max_tokens=1" in said.stdout


def test_too_many_errors_are_exit_code_5_and_can_be_retried(cli: Cli) -> None:
    said = cli("run", job(filter="cli_errors.broken", body="1 / 0"), code=5)
    assert "last error" in said.stdout and "ZeroDivisionError" in said.stdout
    assert told(cli("status", "tides", "--json"))["end"] == "too many errors"
    assert "engine failures outputs/tides [--retry]" in said.stdout
    failed = told(cli("failures", "tides", "--json"))
    assert "ZeroDivisionError" in failed[0]["error"]
    assert "ZeroDivisionError: division by zero" in cli("failures", "tides").stdout
    assert f"{len(failed)} seeds are back in line" in cli("failures", "tides", "--retry").stdout
    assert told(cli("failures", "tides", "--json")) == []


def test_an_interrupted_run_is_exit_code_130_and_goes_on(cli: Cli) -> None:
    body = "len(seen) == 3 and os.kill(os.getpid(), signal.SIGINT)"
    words = ("run", job(filter="cli_interrupted.once", body=body), "--set", "run.in_flight=1")
    said = cli(*words, code=130)
    assert "go on     engine run tides.yaml --set run.in_flight=1" in said.stdout
    assert "5 of 5" in cli(*words).stdout


def test_a_folder_that_cannot_be_used_is_exit_code_1(cli: Cli) -> None:
    Path("taken").mkdir()
    Path("taken/run.sqlite").write_bytes(b"this is no database, and long enough to be read" * 50)
    said = cli("run", job(), "-o", "taken", code=1)
    assert said.stderr.startswith("error: ")
    assert "damaged" in said.stderr


def test_a_folder_without_a_run_is_exit_code_2(cli: Cli) -> None:
    for verb in (("status", "no"), ("show", "no", "1"), ("drops", "no"), ("failures", "no")):
        assert "no run in no" in cli(*verb, code=2).stderr
    assert "has not been run yet" in cli("status", job(), code=2).stderr


def test_a_bug_keeps_its_traceback(cli: Cli) -> None:
    job(filter="cli_bug.broken", body="pass")
    with Path("cli_bug/broken.py").open("a", encoding="utf-8") as part:
        part.write("1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        cli("check", "tides.yaml")
    assert app.pretty_exceptions_enable is False  # typer's own would print locals, keys included


# -- where the output goes --------------------------------------------------------------------


def test_output_that_nobody_reads_on_is_no_error() -> None:
    line = f"{sys.executable} -m engine.cli list jobs | true; echo ${{PIPESTATUS[0]}}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", line], env=env, capture_output=True, check=False)
    assert done.stderr == b""
    assert done.stdout in (b"0\n", b"1\n")


def test_a_terminal_without_unicode_breaks_neither_text_nor_json() -> None:
    ascii = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    text = python("-m", "engine.cli", "list", "jobs", **ascii)
    assert text.returncode == 0
    assert b"K?ksal" in text.stdout
    as_json = python("-m", "engine.cli", "list", "jobs", "--json", **ascii)
    assert "Köksal" in json.loads(as_json.stdout.decode("utf-8"))["jobs"]["reverse_instructions"]


def test_status_of_a_run_that_was_killed_names_no_end(cli: Cli) -> None:
    cli("run", job())
    ledger = Ledger(Path("outputs/tides"), write=True)
    ledger.note(end="")  # what a start writes down before it begins
    ledger.close()
    assert told(cli("status", "tides", "--json"))["end"] is None
