"""A run answered by batch files: the same dataset as live, whatever happens to the files."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from typer.testing import CliRunner

import engine
from engine.batching import Batch
from engine.cli import app
from engine.core import JobError
from engine.ledger import Ledger
from engine.models.batch import Waves
from engine.rounds import End
from tests.crash.server import Server, answer, mark

pytestmark = pytest.mark.slow

JOB = """
version: 1
job: waves
seed: 5
models: {{sim: {{url: "{url}", model: sim}}}}
source: {{use: jsonl, with: {{path: seeds.jsonl, language: en}}}}
steps:
  first: {{use: own_parts.chain}}
  length: {{use: length, with: {{min_response: 9}}}}
  unique: {{use: near_duplicate, with: {{field: response, threshold: 0.8}}}}
  again: {{use: own_parts.chain}}
  split: {{use: split, with: {{validation: 0.2}}}}
target: {{accepted: 14, candidates: 60, round: 12}}
run: {{in_flight: 4, max_error_rate: 0.5}}
"""
CRASH = Path(__file__).parent / "crash" / "job"
Line = dict[str, Any]


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Two chained calls a chain, two chains, two passes, rounds; every 15th seed is refused."""
    here = tmp_path / "job"
    shutil.copytree(CRASH, here)
    topics = ["tide", "loom", "ferry", "salt", "kiln"]
    rows = [
        {"instruction": f"Explain number {i} about {topics[i % 5]}." + " POISON" * (i % 15 == 7)}
        for i in range(60)
    ]
    (here / "seeds.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    (here / "job.yaml").write_text(JOB.format(url="http://127.0.0.1:9/v1"), encoding="utf-8")
    return here / "job.yaml"


def result(asked: Line) -> Line:
    """What a batch server makes of a request line: what the live server answers."""
    body = asked["body"]
    if "POISON" in body["messages"][-1]["content"]:
        return refusal(asked)
    message = {"role": "assistant", "content": answer(body)}
    usage = {"prompt_tokens": 20, "completion_tokens": 12, "total_tokens": 32}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    said = {"id": "x", "object": "chat.completion", "model": "sim", "choices": [choice]}
    return line(asked, 200, {**said, "usage": usage})


def refusal(asked: Line) -> Line:
    return line(asked, 400, {"error": {"message": "no poison here"}})


def line(asked: Line, status: int, body: Line | None, error: Line | None = None) -> Line:
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": asked["custom_id"], "response": response, "error": error}


def read(path: Path) -> list[Line]:
    return [json.loads(each) for each in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, lines: list[Line]) -> None:
    path.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")


class Answerer:
    """Answers every request file that has no result yet, as a person would; counts questions."""

    def __init__(self, folder: Path, result: Callable[[Line], Line | None] = result) -> None:
        self.folder, self._result = folder, result
        self.asked: Counter[str] = Counter()

    def new(self) -> list[Path]:
        done = {path.name for path in (self.folder / "results").glob("*.jsonl")}
        files = sorted((self.folder / "requests").glob("*.jsonl"))
        return [path for path in files if path.name not in done]

    def __call__(self) -> int:
        new = self.new()
        for path in new:
            lines = read(path)
            self.asked.update(mark(each["body"]) for each in lines)
            found = [made for each in lines if (made := self._result(each))]
            write(self.folder / "results" / path.name, found[::-1])  # order means nothing
        return len(new)


def rounds(job: Path, out: Path, answers: Answerer, lines: int = 10_000, most: int = 200) -> End:
    """Start and answer in turns until the run has ended; how it ended."""
    batch = Batch(answers.folder, lines=lines)
    for _ in range(most):
        ended = engine.run(engine.load(job), out, batch=batch).end
        if ended is not End.WAITING:
            return ended
        assert answers(), "it waits, and nothing new is asked"
    raise AssertionError("it does not end")


def dataset(folder: Path) -> dict[str, bytes]:
    files = (folder / "dataset").rglob("*")
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(files) if p.is_file()}


def outcomes(folder: Path) -> tuple[Any, ...]:
    """All that the ledger knows besides texts: drops with reasons, failed seeds, rounds."""
    ledger = Ledger(folder)
    failed = [(f["round"], f["stage"], f["pos"], f["id"]) for f in ledger.failures()]
    found = ledger.reasons(), failed, ledger.tallies(), len(ledger.rounds())
    ledger.close()
    return found


def live(job: Path, out: Path) -> tuple[End, Counter[str]]:
    """The same job, answered by a server; how it ended and what was asked."""
    text = job.read_text(encoding="utf-8")
    with Server() as server:
        loaded = engine.load(job, [f"models.sim.url={server.url}"])
        ended = engine.run(loaded, out).end
        asked = Counter(server.asked)
    assert job.read_text(encoding="utf-8") == text
    return ended, asked


def same_rows(one: Path, other: Path) -> None:
    """Byte for byte; the card repeats the job, and so the server's address."""
    mine, theirs = dataset(one), dataset(other)
    assert mine.keys() == theirs.keys() and len(mine) > 2
    for name in mine:
        if not name.endswith("README.md"):
            assert mine[name] == theirs[name], name


def test_the_dataset_is_that_of_a_live_run_and_no_question_is_asked_twice(
    job: Path, tmp_path: Path
) -> None:
    answers = Answerer(tmp_path / "waves")
    ended = rounds(job, tmp_path / "out", answers)
    live_end, asked = live(job, tmp_path / "live")
    assert ended is live_end is End.MET
    same_rows(tmp_path / "out", tmp_path / "live")
    assert outcomes(tmp_path / "out") == outcomes(tmp_path / "live")
    reasons = {reason for _, reason, _, _ in outcomes(tmp_path / "out")[0]}
    assert reasons >= {"unusable", "response_too_short"} and outcomes(tmp_path / "out")[1]
    assert answers.asked.keys() == asked.keys()
    assert set(answers.asked.values()) == {1}


def test_files_of_a_few_lines_give_the_same_and_none_is_longer(job: Path, tmp_path: Path) -> None:
    whole, parts = Answerer(tmp_path / "whole"), Answerer(tmp_path / "parts")
    rounds(job, tmp_path / "a", whole)
    rounds(job, tmp_path / "b", parts, lines=3)
    assert dataset(tmp_path / "a") == dataset(tmp_path / "b")
    assert whole.asked == parts.asked
    assert {len(read(path)) for path in (tmp_path / "parts/requests").iterdir()} <= {1, 2, 3}


def test_a_line_is_named_by_the_key_under_which_the_journal_keeps_its_reply(
    job: Path, tmp_path: Path
) -> None:
    answers = Answerer(tmp_path / "waves")
    rounds(job, tmp_path / "out", answers)
    ids = [
        each["custom_id"] for path in (answers.folder / "requests").iterdir() for each in read(path)
    ]
    ledger = Ledger(tmp_path / "out")
    kept = {said.key for said in ledger.calls()}
    ledger.close()
    refused = {each["custom_id"] for each in read(answers.folder / "failed.jsonl")}
    assert len(ids) == len(set(ids)) and set(ids) == kept | refused and refused


def test_failed_lines_are_asked_again_and_the_dataset_is_the_same(
    job: Path, tmp_path: Path
) -> None:
    tries: Counter[str] = Counter()

    def shaky(asked: Line) -> Line | None:
        key, _, number = asked["custom_id"].partition(".")
        tries[key] += 1
        assert tries[key] == int(number or 1)
        draw = int(key[:4], 16)
        if draw % 5 < tries[key] or tries[key] > 2:
            return result(asked)
        kinds = [
            line(asked, 500, {"error": {"message": "overloaded"}}),
            {**line(asked, 200, None), "response": None, "error": {"code": "batch_expired"}},
            line(asked, 200, {"object": "chat.completion", "choices": []}),
            None,
        ]
        return kinds[draw // 5 % 4]

    rounds(job, tmp_path / "a", Answerer(tmp_path / "shaky", shaky))
    rounds(job, tmp_path / "b", Answerer(tmp_path / "plain"))
    assert max(tries.values()) == 3
    assert dataset(tmp_path / "a") == dataset(tmp_path / "b")
    assert outcomes(tmp_path / "a") == outcomes(tmp_path / "b")


def test_a_line_that_always_fails_fails_its_seed_with_the_reason_and_can_be_tried_again(
    job: Path, tmp_path: Path
) -> None:
    broken = True

    def one_fails(asked: Line) -> Line:
        if broken and "number 3 " in asked["body"]["messages"][-1]["content"]:
            return line(asked, 503, {"error": {"message": "the shelf is empty"}})
        return result(asked)

    answers = Answerer(tmp_path / "waves", one_fails)
    rounds(job, tmp_path / "out", answers)
    ledger = Ledger(tmp_path / "out", write=True)
    errors = [failed["error"] for failed in ledger.failures()]
    assert (
        sum("gave no reply in 3 tries, at last: 503 the shelf is empty" in e for e in errors) == 1
    )
    assert any("refused: 400 no poison here" in error for error in errors)
    assert max(answers.asked.values()) == 3
    ledger.retry()
    ledger.close()
    broken = False
    rounds(job, tmp_path / "out", answers)
    rounds(job, tmp_path / "plain", Answerer(tmp_path / "other"))
    assert dataset(tmp_path / "out") == dataset(tmp_path / "plain")


def test_results_may_repeat_be_somebody_elses_be_garbled_or_be_cut(
    job: Path, tmp_path: Path
) -> None:
    waves, told = tmp_path / "waves", list[str]()
    batch = Batch(waves, tell=told.append)
    assert engine.run(engine.load(job), tmp_path / "out", batch=batch).end is End.WAITING
    (asked,) = (waves / "requests").iterdir()
    found = [json.dumps(result(each)) for each in read(asked)]
    foreign = json.dumps(result({**read(asked)[0], "custom_id": "of another job"}))
    text = "\n".join([*found[:3], *found[:3], foreign, "{oops", found[4]]) + "\n" + found[5][:40]
    (waves / "results" / "batch_67af_output.jsonl").write_text(text, encoding="utf-8")
    assert engine.run(engine.load(job), tmp_path / "out", batch=batch).end is End.WAITING
    assert any(said.startswith("1 lines of results are for calls that this run") for said in told)
    assert any(said.startswith("1 lines of results are no JSON") for said in told)
    assert any("batch_67af_output.jsonl ends in the middle" in said for said in told)
    again = {each["custom_id"] for path in Answerer(waves).new() for each in read(path)}
    first = [each["custom_id"] for each in read(asked)]
    # two calls a seed are chained: the four that were answered have led to a next one
    assert again & set(first) == set(first), "the cut file's other lines are waited for"
    assert len(again) == len(first) + 4
    assert rounds(job, tmp_path / "out", Answerer(waves)) is End.MET
    rounds(job, tmp_path / "plain", Answerer(tmp_path / "other"))
    assert dataset(tmp_path / "out") == dataset(tmp_path / "plain")


def test_a_start_without_results_writes_nothing_and_still_waits(job: Path, tmp_path: Path) -> None:
    batch = Batch(tmp_path / "waves")
    for _ in range(3):
        assert engine.run(engine.load(job), tmp_path / "out", batch=batch).end is End.WAITING
        assert len(list((tmp_path / "waves" / "requests").iterdir())) == 1


def test_a_kill_between_the_files_of_a_wave_loses_and_doubles_nothing(
    job: Path, tmp_path: Path
) -> None:
    batch, requests = Batch(tmp_path / "waves", lines=4), tmp_path / "waves" / "requests"
    assert engine.run(engine.load(job), tmp_path / "out", batch=batch).end is End.WAITING
    files = sorted(requests.iterdir())
    before = [each for path in files for each in read(path)]
    assert len(files) == 3
    torn = requests / "00001-sim.tmp"  # what a kill leaves: the first file, and half the second
    torn.write_bytes(files[1].read_bytes()[:100])
    for path in files[1:]:
        path.unlink()
    shutil.copytree(tmp_path / "waves", tmp_path / "killed")
    assert engine.run(engine.load(job), tmp_path / "out", batch=batch).end is End.WAITING
    after = [each for path in sorted(requests.iterdir()) for each in read(path)]
    assert not torn.exists()
    assert sorted(after, key=str) == sorted(before, key=str)


def test_a_live_run_goes_on_with_files_and_files_with_a_live_run(job: Path, tmp_path: Path) -> None:
    waves = tmp_path / "waves"
    batch = Batch(waves)
    for _ in range(3):
        engine.run(engine.load(job), tmp_path / "out", batch=batch)
        Answerer(waves)()
    end, asked = live(job, tmp_path / "out")
    whole_end, whole = live(job, tmp_path / "whole")
    assert end is whole_end and sum(asked.values()) < sum(whole.values())
    same_rows(tmp_path / "out", tmp_path / "whole")


def test_the_folder_of_another_run_is_refused_and_so_is_a_second_folder(
    job: Path, tmp_path: Path
) -> None:
    batch = Batch(tmp_path / "waves")
    engine.run(engine.load(job), tmp_path / "out", batch=batch)
    with pytest.raises(JobError, match="holds the batch files of the run in"):
        engine.run(engine.load(job), tmp_path / "other", batch=batch)
    with pytest.raises(JobError, match="waits for 12 calls in"):
        engine.run(engine.load(job), tmp_path / "out", batch=Batch(tmp_path / "elsewhere"))


def test_a_request_file_that_was_edited_is_an_error(job: Path, tmp_path: Path) -> None:
    batch = Batch(tmp_path / "waves")
    engine.run(engine.load(job), tmp_path / "out", batch=batch)
    (asked,) = (tmp_path / "waves" / "requests").iterdir()
    asked.write_text(asked.read_text(encoding="utf-8").replace("number 1", "number 9"))
    with pytest.raises(JobError, match="is not as it was written"):
        engine.run(engine.load(job), tmp_path / "out", batch=batch)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("models.sim={use: rehearsal}", "no files for 'rehearsal'"),
        ("models.sim={use: auto}", "no files for 'auto'"),
        ("models.sim={url: 'http://127.0.0.1:9/v1'}", "`model` is missing: with --batch"),
    ],
)
def test_models_that_no_server_answers_for_are_refused(
    change: str, why: str, job: Path, tmp_path: Path
) -> None:
    with pytest.raises(JobError, match=why):
        engine.run(engine.load(job, [change]), tmp_path / "out", batch=Batch(tmp_path / "waves"))
    with pytest.raises(JobError, match="the rehearsal answers at once"):
        engine.run(engine.load(job), tmp_path / "out", rehearse=True, batch=Batch(tmp_path / "w"))


def test_no_url_is_needed_to_ask_by_files(job: Path, tmp_path: Path) -> None:
    loaded = engine.load(job, ["models.sim={model: sim}"])
    batch = Batch(tmp_path / "waves")
    assert engine.run(loaded, tmp_path / "out", batch=batch).end is End.WAITING


def test_a_full_wave_ends_the_sweep_and_the_dataset_is_the_same(job: Path, tmp_path: Path) -> None:
    class Small(Batch):
        def waves(self, *, rehearse: bool) -> Waves:
            return Waves(self.folder, lines=2, wave_files=2)

    answers, wave = Answerer(tmp_path / "small"), 0
    while (
        engine.run(engine.load(job), tmp_path / "a", batch=Small(answers.folder)).end is End.WAITING
    ):
        new = answers.new()
        # four at most in closed files, and those of seeds that were under way
        assert sum(len(read(path)) for path in new) <= 4 + 4 and answers()
        wave += 1
    assert wave > 10
    rounds(job, tmp_path / "b", Answerer(tmp_path / "whole"))
    assert dataset(tmp_path / "a") == dataset(tmp_path / "b")


def test_branches_of_one_seed_ask_in_the_same_wave(job: Path, tmp_path: Path) -> None:
    chain = "{use: own_parts.chain, from: source}"
    steps = f"steps={{left: {chain}, right: {chain}}}"
    loaded = engine.load(job, [steps, "target={candidates: 5}"])
    answers = Answerer(tmp_path / "waves")
    batch = Batch(answers.folder)
    assert engine.run(loaded, tmp_path / "out", batch=batch).end is End.WAITING
    assert sum(len(read(path)) for path in answers.new()) == 10
    waves = 0
    while engine.run(loaded, tmp_path / "out", batch=batch).end is End.WAITING:
        answers()
        waves += 1
    assert waves <= 4 + 2, "two answers, two judges, and what had to be asked again"


# -- the command line, and run-batch as a process ----------------------------------------------

SCRIPT = '''#!{python}
"""Answers as vllm run-batch does: whole files, the model as a flag."""
import json, sys
sys.path.insert(0, {root!r})
from tests.test_batching import result
assert sys.argv[1] == "run-batch", sys.argv
flags = dict(zip(sys.argv[2::2], sys.argv[3::2]))
assert flags["--model"] == "sim" and "--port" not in flags
lines = [json.loads(line) for line in open(flags["-i"])]
print(len(lines), "lines", flush=True)
if {broken}:
    sys.exit("ValueError: the model does not fit")
with open(flags["-o"], "w") as out:
    for line in lines:
        out.write(json.dumps(result(line)) + "\\n")
'''


def run_batch(folder: Path, *, broken: bool = False) -> Path:
    script = folder / "vllm"
    root = str(Path(__file__).parent.parent)
    script.write_text(SCRIPT.format(python=sys.executable, root=root, broken=broken))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def few(job: Path) -> list[str]:
    return [str(job), "--set", "target={accepted: 2, candidates: 12, round: 6}"]


def test_engine_runs_run_batch_itself_until_the_run_is_done(job: Path, tmp_path: Path) -> None:
    environment = {"ENGINE_VLLM": str(run_batch(tmp_path))}
    words = [*few(job), "-o", str(tmp_path / "out"), "--batch", str(tmp_path / "waves")]
    ran = CliRunner().invoke(app, ["run", *words, "--with", "vllm", "--json"], env=environment)
    assert ran.exit_code == 0, ran.output
    told = orjson.loads(ran.stdout)
    assert told["accepted"] == 2 and told["batch"] is None
    assert list((tmp_path / "waves" / "logs").iterdir())


def test_when_run_batch_fails_its_own_words_are_told_and_the_next_start_goes_on(
    job: Path, tmp_path: Path
) -> None:
    words = [*few(job), "-o", str(tmp_path / "out"), "--batch", str(tmp_path / "waves")]
    broken = {"ENGINE_VLLM": str(run_batch(tmp_path, broken=True))}
    ran = CliRunner().invoke(app, ["run", *words, "--with", "vllm"], env=broken)
    assert ran.exit_code == 2
    assert "ended with 1: ValueError: the model does not fit" in ran.stderr
    mended = {"ENGINE_VLLM": str(run_batch(tmp_path))}
    ran = CliRunner().invoke(app, ["run", *words, "--with", "vllm"], env=mended)
    assert ran.exit_code == 0, ran.output


def test_a_run_that_waits_says_for_what_and_how_to_go_on(job: Path, tmp_path: Path) -> None:
    waves = tmp_path / "waves"
    words = [*few(job), "-o", str(tmp_path / "out"), "--batch", str(waves), "--batch-lines", "4"]
    ran = CliRunner().invoke(app, ["run", *words])
    assert ran.exit_code == 6
    flat = " ".join(ran.stdout.split())
    assert "waits for 6 calls in 2 files" in flat
    assert f"--batch {waves} --batch-lines 4" in flat.replace("\n", " ")
    status = CliRunner().invoke(app, ["status", str(tmp_path / "out"), "--json"])
    assert orjson.loads(status.stdout)["batch"]["calls"] == 6


def test_saying_how_without_where_is_a_mistake(job: Path) -> None:
    ran = CliRunner().invoke(app, ["run", str(job), "--with", "vllm"])
    assert ran.exit_code == 2 and "add --batch DIR" in ran.stderr


class Api(Server):
    """A Batch API in a thread whose batches are done as soon as they are made."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[bytes] = []
        self.batches: list[Line] = []

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)

    async def _upload(self, asked: web.Request) -> web.Response:
        form = await asked.post()
        self.files.append(form["file"].file.read())  # type: ignore[union-attr]
        about = {"id": str(len(self.files) - 1), "object": "file", "bytes": 1, "created_at": 1}
        return web.json_response({**about, "filename": "a", "purpose": "batch", "status": "ok"})

    async def _create(self, asked: web.Request) -> web.Response:
        body = await asked.json()
        lines = [json.loads(each) for each in self.files[int(body["input_file_id"])].splitlines()]
        self.asked.update(mark(each["body"]) for each in lines)
        self.files.append("".join(json.dumps(result(each)) + "\n" for each in lines).encode())
        batch = {"id": str(len(self.batches)), "object": "batch", "created_at": 1, **body}
        batch |= {"status": "completed", "output_file_id": str(len(self.files) - 1)}
        self.batches.append(batch)
        return web.json_response(batch)

    async def _list(self, asked: web.Request) -> web.Response:
        page = {"object": "list", "data": self.batches, "has_more": False}
        return web.json_response(page)

    async def _content(self, asked: web.Request) -> web.Response:
        return web.Response(body=self.files[int(asked.match_info["id"])])


def test_a_batch_api_answers_until_the_run_is_done_with_the_dataset_of_a_live_run(
    job: Path, tmp_path: Path
) -> None:
    with Api() as api:
        words = [str(job), "--set", f"models.sim.url={api.url}", "-o", str(tmp_path / "out")]
        waves = tmp_path / "waves"
        ran = CliRunner().invoke(app, ["run", *words, "--batch", str(waves), "--with", "api"])
    assert ran.exit_code == 0, ran.output
    assert "completed" in ran.stderr and f"uploading to {api.url}" in ran.stderr
    asked_live = live(job, tmp_path / "live")[1]
    same_rows(tmp_path / "out", tmp_path / "live")
    assert api.asked == asked_live, "each question once"
    assert len(api.batches) == len(list((waves / "requests").iterdir()))
