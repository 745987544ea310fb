"""Jobs with ``serve:``: what the plan says of them, and that taking turns changes no record."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import engine
from engine import serving
from engine.core import JobError
from engine.ledger import Ledger
from engine.models import devices
from engine.models.command import COMMAND, Serving
from engine.wiring import wire
from tests.conftest import ROOT
from tests.crash.test_crash import JOB, dataset

pytestmark = pytest.mark.slow

FAKE = ROOT / "tests" / "models" / "fake_vllm.py"


def job(folder: Path, args: dict[str, Any], **behaviour: Any) -> engine.Job:
    """A job whose two models are played by two processes; ``args`` of both."""
    shutil.copytree(JOB, folder / "job")
    text = (folder / "job" / "job.yaml").read_text()
    text = text.replace(
        'sim: {url: "${SIM_URL}", model: sim}',
        f"writer: {{serve: org/writer, args: {json.dumps(args)}}}\n"
        f"  judge: {{serve: org/judge, args: {json.dumps(args)}}}",
    )
    text = text.replace("  again: {use: own_parts.chain}\n", "")
    (folder / "job" / "job.yaml").write_text(text)
    with (folder / "job" / "seeds.jsonl").open("w") as lines:
        for i in range(24):
            lines.write(json.dumps({"instruction": f"Explain tide number {i}."}) + "\n")
    environment = {
        **os.environ,
        COMMAND: f"{sys.executable} {FAKE}",
        "FAKE_VLLM": json.dumps({"speaks": True, "device": True, **behaviour}),
        "FAKE_HOME": str(folder),
    }
    changes = ["target={accepted: 0, candidates: 24, round: 24}", "run.in_flight=12"]
    return engine.load(folder / "job" / "job.yaml", changes, environment)


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The dataset of models that are up at the same time."""
    folder = tmp_path_factory.mktemp("together")
    both = job(folder, {"gpu-memory-utilization": 0.4}, device=False)
    engine.run(both, folder / "run")
    assert lines(folder / "starts") == 2
    return rows(folder / "run")


def rows(folder: Path) -> dict[str, bytes]:
    """The dataset's files, but for its card, which quotes the job."""
    return {name: data for name, data in dataset(folder).items() if name.endswith(".parquet")}


@pytest.mark.parametrize("naps", [True, False], ids=["sleep mode", "stop and start"])
def test_models_that_take_turns_make_the_same_dataset(
    naps: bool, tmp_path: Path, together: dict[str, bytes]
) -> None:
    result = engine.run(job(tmp_path, {}, naps=naps), tmp_path / "run")
    assert result.failures() == [] and len(result.dataset()) >= 10
    assert rows(tmp_path / "run") == together != {}
    starts, tries = lines(tmp_path / "starts"), 2  # one of each model asks for sleep mode
    if naps:
        assert starts == 2 and lines(tmp_path / "naps") >= 2
        turns = 2 + lines(tmp_path / "wakings")
    else:
        turns = starts - tries
    asked = sum(row[2] for row in Ledger(tmp_path / "run").called())
    assert 4 <= turns <= 6 < asked, "two batches for each model, and not a turn for each call"


def plans(text: str, tmp_path: Path) -> list[dict[str, Any]]:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "en.txt").write_text("A tide is the slow rise and fall of the sea.")
    (tmp_path / "job.yaml").write_text(text)
    wiring = wire(engine.load(tmp_path / "job.yaml", environment={COMMAND: sys.executable}))
    asked = [{n: list(wiring.roles[n].values()) for n in names} for names in wiring.stages]
    return serving.turns(wiring.job, wiring.models_used(), asked)


PLAN = """
version: 1
job: plan
models: {{writer: {{serve: org/writer{writer}}}, judge: {{serve: org/judge{judge}}}}}
source: {{use: documents, with: {{path: texts, language_from: stem, licence: CC0-1.0}}}}
steps:
  reverse: {{use: reverse_instructions}}
  unique: {{use: near_duplicate}}
  good: {{use: rubric_judge}}
run: {{in_flight: 40}}
"""


def test_the_plan_says_who_takes_turns_why_and_in_which_stage(tmp_path: Path) -> None:
    (plan,) = plans(PLAN.format(writer=", devices: [0]", judge=", devices: [0]"), tmp_path)
    assert plan["models"] == ["writer", "judge"]
    assert "writer takes 0.92 of device 0; judge takes 0.92 of device 0" in plan["why"]
    hows = {stage["stage"]: stage["how"] for stage in plan["stages"]}
    assert hows == {1: "writer alone", 3: "judge alone"}


@pytest.mark.parametrize(
    ("writer", "judge"),
    [
        (", devices: [0]", ", devices: [1]"),
        (", args: {gpu-memory-utilization: 0.6}", ", args: [--gpu-memory-utilization=0.4]"),
        (", devices: [0, 1], args: {gpu_memory_utilization: 0.5}",
         ", devices: [1], args: [--gpu-memory-utilization, 0.5]"),
    ],
)  # fmt: skip
def test_models_that_fit_have_no_turns(writer: str, judge: str, tmp_path: Path) -> None:
    assert plans(PLAN.format(writer=writer, judge=judge), tmp_path) == []


@pytest.mark.parametrize("share", ["2", "much", "0", "-1", "1e-1x", "."])
def test_a_share_that_is_none_is_refused(share: str, tmp_path: Path) -> None:
    part = {"serve": "m", "args": {"gpu-memory-utilization": share}}
    from engine.models import command

    with pytest.raises(JobError, match=r"a share of a device's memory"):
        command.check(Serving.model_validate(part))


def claim(**keys: Any) -> devices.Claim:
    return devices.claim(Serving.model_validate({"serve": "m", **keys}))


def test_only_those_that_share_a_device_take_turns() -> None:
    claims = {
        "a": claim(devices=[0]),
        "b": claim(devices=[1]),
        "wide": claim(devices=[0, 1]),
        "far": claim(devices=[2]),
        "small": claim(devices=[2], args={"gpu-memory-utilization": 0.08}),
    }
    assert devices.taking_turns(claims) == [["a", "b", "wide"]]
    assert devices.fit([claims["a"], claims["b"]])
    assert not devices.fit([claims["a"], claims["wide"]])


def test_one_that_names_no_device_may_be_on_anybodys() -> None:
    claims = {"a": claim(devices=[3]), "b": claim()}
    assert devices.taking_turns(claims) == [["a", "b"]]


def test_replicas_on_one_device_count_each() -> None:
    two = claim(devices=[0, 0], replicas=2, args={"gpu-memory-utilization": 0.3})
    assert two.shares == {"0": 0.6}
    assert not devices.fit([two, claim(devices=[0], args={"gpu-memory-utilization": 0.5})])
