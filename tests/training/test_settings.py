from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from engine.connect import Answerer
from engine.core import JobError, Message, Record, Stopped
from engine.job import ModelPart, load
from engine.models.fake import FakeChat
from engine.prompting import Library
from engine.session import run
from engine.training.lessons import digest, lessons
from engine.training.settings import RolePart, TrainPart, fault
from engine.training.tuning import Tuner
from engine.wiring import fingerprint, wire

FORWARD = {"prompt": "cycle_instruct/answer", "target": "response", "where": {"side": "answer"}}
BACKWARD = {
    "prompt": "cycle_instruct/question",
    "target": "instruction",
    "where": {"side": "question"},
}
JOB = """
version: 1
job: trains
models: {{base: {{use: {use}}}}}
source:
  use: unpaired
  with: {{path: en.md, language: en, min_words: 5, grow_from: best, examples: 0}}
steps:
  cycle: {{use: cycle_instruct}}
  best: {{use: best_share, with: {{share: 1}}}}
train:
  from: best
  min_pairs: 1
  roles:
    answerer: {{prompt: cycle_instruct/answer, target: response, where: {{side: answer}}}}
    asker: {{prompt: cycle_instruct/question, target: instruction, where: {{side: question}}}}
target: {{candidates: 8, round: 2}}
"""


def pair(number: int, side: str, language: str = "en") -> Record:
    turns = (Message("user", f"question {number}"), Message("assistant", f"answer {number}"))
    return Record(f"p{number}", language, turns, {"side": side})


@pytest.fixture
def job(tmp_path: Path) -> Path:
    texts = [f"What is {n}?\n\nIt is the thing number {n} of them all." for n in range(4)]
    (tmp_path / "en.md").write_text("\n\n".join(texts))
    (tmp_path / "job.yaml").write_text(JOB.format(use="rehearsal"))
    return tmp_path / "job.yaml"


def test_a_role_learns_the_side_that_a_human_wrote_and_nothing_else(prompts: Library) -> None:
    kept = [pair(1, "answer"), pair(2, "question", "hi"), pair(3, "answer", "zh-Hans")]
    forward = lessons(kept, RolePart(**FORWARD), prompts)
    backward = lessons(kept, RolePart(**BACKWARD), prompts)
    assert [lesson["completion"][0]["content"] for lesson in forward] == ["answer 1", "answer 3"]
    assert [lesson["completion"][0]["content"] for lesson in backward] == ["question 2"]
    for lesson, hidden in ((forward[0], "answer 1"), (backward[0], "question 2")):
        asked = "".join(turn["content"] for turn in lesson["prompt"])
        assert hidden not in asked and lesson["prompt"][-1]["role"] == "user"
    assert "Hindi" in backward[0]["prompt"][0]["content"]


def test_a_digest_tells_apart_what_is_cut_otherwise() -> None:
    assert digest(b"ab", b"c") != digest(b"a", b"bc") and digest(b"ab") == digest(b"ab")


@pytest.mark.parametrize(
    ("role", "change", "place", "why"),
    [
        ("answerer", {}, "", ""),
        ("judge", {}, "roles", "one model is to play this role"),
        ("answerer", {"target": "instruction"}, "roles", "shows the instruction already"),
        ("answerer", {"prompt": "rubric_judge/judge"}, "roles", "a kept pair has no"),
    ],
)
def test_what_does_not_fit_the_job_is_found_beforehand(
    role: str, change: dict[str, str], place: str, why: str, prompts: Library
) -> None:
    part = TrainPart.model_validate({"from": "best", "roles": {role: {**FORWARD, **change}}})
    found, said = fault(part, ["best"], {"answerer": {"base"}, "asker": {"base"}}, prompts)
    assert "".join(found[:1]) == place and why in said
    wrong = part.model_copy(update={"reads": "worst"})
    assert fault(wrong, ["best"], {}, prompts)[0] == ("from",)


def test_settings_that_cannot_be_meant_are_refused() -> None:
    for change in ({"roles": {}}, {"rank": 0}, {"steps": 3}):
        with pytest.raises(ValidationError):
            TrainPart.model_validate({"from": "a", "roles": {"writer": FORWARD}, **change})


def test_a_job_says_where_its_training_is_wrong(job: Path) -> None:
    with pytest.raises(JobError, match=r"train\.from: no step is called 'worst'"):
        wire(load(job, ["train.from=worst"]))
    with pytest.raises(JobError, match=r"run\.shards: a job that trains runs in one process"):
        run(load(job, ["run.shards=2"]), job.parent / "run")


def test_a_rehearsal_trains_nothing_and_needs_no_extra(job: Path) -> None:
    heavy = {"torch", "trl"}
    before = heavy & sys.modules.keys()
    result = run(load(job), job.parent / "run", rehearse=True)
    assert result.accepted > 0 and not (job.parent / "run" / "adapters").exists()
    assert heavy & sys.modules.keys() == before


def test_a_job_without_training_has_the_mark_that_it_always_had(job: Path) -> None:
    marks = fingerprint(wire(load(job)), {"base": "x"})
    assert any(name.startswith("train.") for name in marks)
    before, _, behind = job.read_text().partition("\ntrain:\n")
    job.write_text(f"{before}\ntarget:{behind.partition(chr(10) + 'target:')[2]}")
    assert not any(name.startswith("train") for name in fingerprint(wire(load(job)), {}))


FAKE = """
import json, pathlib, sys, time
spec = json.loads(pathlib.Path(sys.argv[1]).read_text())
taught = pathlib.Path(spec["lessons"]).read_text().splitlines()
if spec["rank"] == 1:
    sys.exit("torch.OutOfMemoryError: CUDA out of memory")
if spec["rank"] == 2:
    time.sleep(60)
pathlib.Path(spec["out"]).mkdir()
(pathlib.Path(spec["out"]) / "adapter_config.json").write_text(json.dumps([spec["base"], taught]))
"""
"""Trains nothing, but takes what the real one takes and leaves a folder as it does."""


def tuner(job: Path, *changes: str, part: ModelPart | None = None, **more: Any) -> Tuner:
    (job.parent / "trainer.py").write_text(FAKE)
    wiring = wire(load(job, [*changes, "train.roles.answerer.base=m", "train.roles.asker.base=m"]))
    there = part or ModelPart()
    reached = more.pop("elsewhere", there)
    answerer = Answerer(FakeChat({}), "a model", "a fake", there, elsewhere=reached)
    words = (sys.executable, str(job.parent / "trainer.py"))
    known: Any = {"trainer": words, "find": lambda name: name, **more}
    return Tuner(wiring, {"base": answerer}, job.parent / "run", **known)


def kept(step: str) -> Iterator[Record]:
    assert step == "best"
    return iter([pair(1, "answer"), pair(2, "question"), pair(3, "answer")])


def going() -> bool:
    return False


async def test_after_the_first_round_each_role_has_an_adapter_of_its_own(job: Path) -> None:
    made = tuner(job)
    await made.between(0, kept, going)
    assert made.current == {}
    await made.between(1, kept, going)
    assert set(made.current) == {"answerer", "asker"}
    for role, count in (("answerer", 2), ("asker", 1)):
        folder = job.parent / "run" / "adapters" / made.current[role]
        base, taught = orjson.loads((folder / "adapter_config.json").read_bytes())
        assert base == "m" and len(taught) == count


async def test_the_same_pairs_give_the_same_adapter_and_are_not_trained_twice(job: Path) -> None:
    first, second = tuner(job), tuner(job, trainer=("no-such-command",))
    await first.between(1, kept, going)
    await second.between(1, kept, going)
    assert first.current == second.current
    more = [*kept("best"), pair(4, "answer")]
    await first.between(2, lambda step: iter(more), going)
    assert first.current["answerer"] != second.current["answerer"]
    assert first.current["asker"] == second.current["asker"]


async def test_with_too_few_pairs_a_role_goes_on_as_it_is(job: Path) -> None:
    made = tuner(job, "train.min_pairs=2")
    await made.between(1, kept, going)
    assert set(made.current) == {"answerer"}


async def test_a_training_that_fails_is_quoted_and_leaves_no_adapter(job: Path) -> None:
    made = tuner(job, "train.rank=1")
    with pytest.raises(JobError, match=r"answerer: the training failed .*CUDA out of memory"):
        await made.between(1, kept, going)
    assert not list((job.parent / "run" / "adapters").glob("*/adapter_config.json"))


async def test_a_run_that_winds_down_does_not_wait_for_a_training(job: Path) -> None:
    made = tuner(job, "train.rank=2")
    with pytest.raises(Stopped):
        await made.between(1, kept, lambda: True)


def test_a_model_that_is_asked_by_files_cannot_be_trained(job: Path) -> None:
    with pytest.raises(JobError, match="no server of base can be given an adapter"):
        tuner(job, elsewhere=None)


@pytest.mark.parametrize(
    ("part", "find", "why"),
    [
        (ModelPart(), lambda name: None, r"pip install 'synth-engine\[train\]'"),
        (ModelPart(serve="m"), str, r"enable-lora: true, max-lora-rank: 16"),
    ],
)
def test_a_run_that_could_not_train_says_so_before_its_first_call(
    part: ModelPart, find: Any, why: str, job: Path
) -> None:
    with pytest.raises(JobError, match=why):
        tuner(job, part=part, find=find)
