"""Foresight: what a job will take, what an unfinished run still needs, and how sure that is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import engine
from engine import estimate, forecast, outlook
from engine.core import Drop, JobError, Outcome, Record
from engine.ledger import Ledger
from engine.models.chat import Reply, Request
from engine.models.journal import Brake, Journal
from engine.plan import Limits
from engine.rounds import End
from engine.runner import Runner
from engine.session import Job
from tests.test_runner import number, plan
from tests.virtual import book, spend

JOB = """
version: 1
job: tales
seed: 4
models:
  writer: {use: rehearsal, faults: {refusal: 0.2, empty: 0.1}}
  grader: {use: rehearsal}
source: {use: documents, with: {path: texts, language: en, licence: CC0-1.0}}
steps:
  reverse: {use: reverse_instructions, with: {min_words: 5}}
  refusal: {use: refusal}
  judge: {use: rubric_judge, models: {judge: grader}, with: {min_score: 2}}
  split: {use: split, with: {validation: 0.3}}
"""
TEXT = "A tide is the slow rise and fall of the sea, drawn by the moon and less by the sun: "


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    for i in range(60):
        (tmp_path / "texts" / f"{i}.txt").write_text(f"{TEXT}{i} of them.\n", encoding="utf-8")
    (tmp_path / "job.yaml").write_text(JOB, encoding="utf-8")
    return lambda *changes: engine.load(tmp_path / "job.yaml", changes)


def test_a_rehearsed_sample_tells_what_a_rehearsed_run_then_takes(load: Any) -> None:
    value = forecast.of(load(), 40)
    result = engine.run(load(), "out")
    with contextlib.closing(Ledger(Path("out"))) as ledger:
        calls = list(ledger.calls())
        size = ledger.path.stat().st_size
    assert value["seeds"].value == 60
    assert value["calls"].low <= len(calls) <= value["calls"].high
    assert value["accepted"].low <= result.accepted <= value["accepted"].high
    tokens = sum(each["tokens_in"].value for each in value["asked"])
    assert tokens == pytest.approx(sum(said.tokens_in for said in calls), rel=0.15)
    assert value["disk_bytes"].value == pytest.approx(size, rel=0.5)


def test_calls_are_told_by_model_and_prompt(load: Any) -> None:
    asked = forecast.of(load(), 20)["asked"]
    by = {(each["model"], each["prompt"].split("/")[0]) for each in asked}
    assert by == {("writer", "reverse_instructions"), ("grader", "rubric_judge")}
    total = sum(each["calls"].value for each in asked)
    assert total == pytest.approx(forecast.of(load(), 20)["calls"].value)


def test_every_figure_says_what_it_rests_on_and_a_rehearsal_is_called_rough(load: Any) -> None:
    value = forecast.of(load("target.accepted=10"), 20, ["100"])
    found = [each for each in value.values() if isinstance(each, estimate.Figure)]
    found += [each[n] for each in value["asked"] for n in ("calls", "tokens_in", "tokens_out")]
    found += value["hours"].values()
    assert len(found) > 10
    for figure in found:
        assert figure.basis and figure.sure in estimate.SURE
        assert figure.low <= figure.value
        assert figure.high is None or figure.value <= figure.high
    for each in value["asked"]:
        assert "rough" in each["tokens_out"].basis and "max_tokens" in each["tokens_out"].basis
        assert each["tokens_out"].sure == "low"
        assert each["tokens_out"].high > each["tokens_out"].value


def test_more_seeds_make_a_narrower_interval(load: Any) -> None:
    few, many = (forecast.of(load(), n)["calls_per_seed"] for n in (8, 50))
    assert many.high - many.low < few.high - few.low


def test_hours_are_told_at_a_given_speed_for_each_model_and_not_without(load: Any) -> None:
    assert forecast.of(load(), 8)["hours"] == {}
    value = forecast.of(load(), 8, ["writer=500", "grader=2000"])
    for model, speed in (("writer", 500), ("grader", 2000)):
        outs = [a["tokens_out"].value for a in value["asked"] if a["model"] == model]
        assert value["hours"][model].value == pytest.approx(sum(outs) / speed / 3600)
    assert forecast.of(load(), 8, ["500"])["hours"].keys() == {"writer", "grader"}


@pytest.mark.parametrize(
    ("speed", "why"),
    [
        ("fast", "want N, MODEL=N or measured"),
        ("0", "want N"),
        ("-3", "want N"),
        ("nan", "want N"),
        ("inf", "want N"),
        ("riter=3", "no model is called 'riter'"),
        ("measured", "nothing has been measured"),
    ],
)
def test_a_speed_that_is_none_is_one_line(load: Any, speed: str, why: str) -> None:
    with pytest.raises(JobError, match=why):
        forecast.of(load(), 4, [speed])


def test_nothing_is_left_behind_and_the_budgets_of_the_job_do_not_cut_the_sample(
    load: Any, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    value = forecast.of(load("run.max_tokens=1", "run.deadline=2020-01-01T00:00"), 10)
    assert value["sample"]["seeds"] == 10
    assert sorted(tmp_path.rglob("*")) == before


def test_a_target_beyond_the_seeds_is_said_not_to_be_reached(load: Any, capsys: Any) -> None:
    value = forecast.of(load("target.accepted=5000"), 20)
    assert value["seeds"].value == 60
    forecast.show(value)
    assert "the target of 5,000 is not reached" in capsys.readouterr().out


def test_a_sample_that_brings_nothing_still_has_a_bound(load: Any) -> None:
    value = forecast.of(load("steps.judge.with.min_score=5"), 20)
    rate = value["accepted_per_seed"]
    assert rate.value == 0 and rate.high == pytest.approx(3 / 20)


def test_rounds_are_those_of_a_run(load: Any) -> None:
    supply = estimate.Supply(engine.wiring.wire(load("target.accepted=10", "target.round=16")))
    assert supply.seeds(1.0) == 16
    assert supply.seeds(0.5) == 32
    assert supply.seeds(0.01) == 60, "all there are"


def made_by_a_model(ledger: Ledger) -> None:
    """Make a rehearsed run look like one of a real model."""

    def op(c: Any) -> None:
        c.execute("UPDATE outcomes SET body = replace(body, '\"rehearsal\"', '\"real\"')")
        c.execute("UPDATE calls SET tokens_out = 700, model = 'real'")

    ledger._now(op)


def test_an_earlier_run_with_a_real_model_tells_its_own_means(load: Any) -> None:
    engine.run(load(), None)
    assert forecast.of(load(), 8)["sample"]["of"] == "rehearsal", "a rehearsed run tells nothing"
    with contextlib.closing(Ledger(Path("outputs/tales"), write=True)) as ledger:
        made_by_a_model(ledger)
        ledger.note(grown_s="70")
        n = len(list(ledger.calls()))
    value = forecast.of(load("target.accepted=5"), 8, ["measured"])
    assert value["sample"] == {"of": "run", "seeds": 60, "failed": 0}
    for each in value["asked"]:
        assert each["tokens_out"].value == pytest.approx(700 * each["calls"].value)
    speeds = [speed["tokens_out_per_s"] for speed in value["speeds"].values()]
    assert sum(speeds) == pytest.approx(700 * n / 70)
    changed = load("steps.reverse.with.min_words=6")
    assert forecast.of(changed, 8)["sample"]["of"] == "rehearsal", "that was another job"


def test_the_json_and_the_text_tell_the_same(load: Any, capsysbinary: Any) -> None:
    from typer.testing import CliRunner

    from engine.cli import app

    load()
    words = ["estimate", "job.yaml", "--seeds", "10", "--speed", "100"]
    value = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    text = CliRunner().invoke(app, words).stdout
    assert f"{value['calls']['value']:,.0f}" in text
    assert value["calls"]["basis"] in text
    assert "time of grader" in text


# -- what an unfinished run still needs -----------------------------------------------------


def asking(
    ledger: Ledger, limits: Limits, settle: Any = None, stops_at: int = -1, **target: int
) -> Runner:
    """Each seed asks once and half of them are accepted; stopped by hand at a seed."""
    brake = Brake()

    class Quick:
        async def chat(self, request: Request) -> Reply:
            return Reply("so", "m", 30, 70)

    journal = Journal(Quick(), "m", ledger, brake)

    async def step(record: Record) -> Sequence[Outcome]:
        await journal.chat(Request(record.messages))
        if number(record) == stops_at:
            runner.stop()
        return [record if number(record) % 2 else Drop(record, "even")]

    made = plan(step, 10_000, settle, **target)
    runner = Runner(replace(made, limits=limits), ledger, brake)
    return runner


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    made = book(tmp_path / "run")
    yield made
    made.close()


def test_a_run_that_a_budget_stopped_says_what_its_target_still_needs(ledger: Ledger) -> None:
    ledger.note(target="500")
    runner = asking(ledger, Limits(4, max_tokens=40_000), accepted=500, round=100)
    assert spend(runner.go()) is End.BUDGET
    needed = outlook.needs(ledger)
    assert needed
    accepted = ledger.waiting("")
    assert needed["records"] == 500 - accepted
    assert needed["seeds"] == pytest.approx(1000 - 2 * accepted, abs=10)
    assert needed["calls"] == pytest.approx(needed["seeds"], rel=0.02)
    assert needed["tokens_in"] == pytest.approx(30 * needed["seeds"], rel=0.02)
    assert needed["accepted_per_seed"] == pytest.approx(0.5, abs=0.02)
    said = outlook.sentence(needed)
    assert f"{needed['records']} records: about {needed['seeds']} seeds" in said
    assert "0.5 accepted a seed" in said


def iter_fresh(fresh: Iterable[Record], kept: Iterable[Record]) -> Iterator[Record]:
    return iter(fresh)


def test_seeds_that_wait_at_a_pass_count_by_the_yield_of_the_rounds_before(ledger: Ledger) -> None:
    ledger.note(target="500")
    runner = asking(ledger, Limits(4), iter_fresh, stops_at=150, accepted=500, round=100)
    assert spend(runner.go()) is End.INTERRUPTED
    needed = outlook.needs(ledger)
    assert ledger.waiting("") == 50
    assert needed and needed["records"] == 450
    assert needed["seeds"] == pytest.approx(1000 - sum(ledger.seeds()), abs=4)


def test_calls_that_were_paid_for_in_an_unfinished_round_are_not_needed_again(
    ledger: Ledger,
) -> None:
    ledger.note(target="500")
    runner = asking(ledger, Limits(4), iter_fresh, stops_at=150, accepted=500, round=100)
    assert spend(runner.go()) is End.INTERRUPTED
    needed = outlook.needs(ledger)
    assert needed
    assert needed["calls"] + len(list(ledger.calls())) == pytest.approx(1000, abs=8)


def test_what_a_first_round_let_through_in_part_is_no_yield(ledger: Ledger) -> None:
    ledger.note(target="500", paid="[0,0,0]")
    ledger.settle(0, 1, [], {})
    assert outlook.needs(ledger) == {"records": 500}


def test_before_anything_is_accepted_only_the_records_can_be_said(ledger: Ledger) -> None:
    ledger.note(target="7")
    assert outlook.needs(ledger) == {"records": 7}
    assert "cannot be said" in outlook.sentence({"records": 7})


def test_a_target_that_is_met_needs_nothing(ledger: Ledger) -> None:
    ledger.note(target="7")
    spend(asking(ledger, Limits(4), accepted=7, round=20).go())
    assert outlook.needs(ledger) is None


def test_the_end_of_a_stopped_run_tells_it(load: Any) -> None:
    from typer.testing import CliRunner

    from engine.cli import app

    load()
    words = ["run", "job.yaml", "--set", "target.accepted=30", "--set", "target.round=8"]
    words += ["--set", "run.in_flight=1", "--set", "run.max_tokens=24000"]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 4, said.output
    assert "stopped by a budget (run.max_tokens)" in said.stdout
    assert "  missing   " in said.stdout and "accepted a seed" in said.stdout
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 4 and "counts over all starts" in again.stdout
