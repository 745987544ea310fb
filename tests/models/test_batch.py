"""Request and result files by themselves, and who answers them."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from engine.core import Deferred, Message, ModelError
from engine.models.batch import BatchChat, Waves
from engine.models.batch_answers import RunBatch, Uploaded, run_batch_words
from engine.models.chat import Reply, Request
from engine.models.command import Serving

KEY = "0123456789abcdef0123456789abcdef"


class NoBook:
    """A journal without a page."""

    def recall(self, key: str) -> None:
        return None


def request(key: str = KEY, max_tokens: int = 16, text: str = "Zein da hiriburua?") -> Request:
    messages = (Message("user", text),)
    return Request(messages, {"max_tokens": max_tokens, "temperature": 0.5}, seed=3, key=key)


def answered(id_: str, text: str = "Gasteiz", finish: str = "stop", tokens: int = 2) -> str:
    choice = {"index": 0, "message": {"content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": 5, "completion_tokens": tokens}
    body = {"model": "m", "choices": [choice], "usage": usage}
    return json.dumps({"custom_id": id_, "response": {"status_code": 200, "body": body}})


def failed(id_: str, status: int) -> str:
    body = {"object": "error", "message": "no room", "code": status}
    return json.dumps({"custom_id": id_, "response": {"status_code": status, "body": body}})


class Start:
    """One start: the files read, one model asked, the wave closed."""

    def __init__(self, folder: Path, **settings: int) -> None:
        self.waves = Waves(folder, **settings)
        self.waves.scan(NoBook())
        self._chat = BatchChat(self.waves, "writer", "m")

    async def ask(self, asked: Request) -> Reply | None:
        """The reply, or None where it has to wait."""
        try:
            return await self._chat.chat(asked)
        except Deferred:
            return None

    def asked(self) -> list[dict[str, Any]]:
        self.waves.finish()
        files = sorted(self.waves.requests.glob("*.jsonl"))
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def results(folder: Path, name: str, *lines: str) -> None:
    (folder / "results" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


async def test_a_request_line_is_what_a_server_would_have_got(tmp_path: Path) -> None:
    start = Start(tmp_path)
    assert await start.ask(request()) is None
    body = {"model": "m", "messages": [{"role": "user", "content": "Zein da hiriburua?"}]}
    body |= {"seed": 3, "max_tokens": 16, "temperature": 0.5}
    (line,) = start.asked()
    assert line == {
        "custom_id": KEY, "method": "POST", "url": "/v1/chat/completions", "body": body
    }  # fmt: skip


async def test_the_reply_comes_with_the_next_start(tmp_path: Path) -> None:
    first = Start(tmp_path)
    assert await first.ask(request()) is None and await first.ask(request()) is None
    assert len(first.asked()) == 1 and first.waves.waiting == 1
    results(tmp_path, "x.jsonl", answered(KEY, "Gasteiz \ud83d\ude00"))
    second = Start(tmp_path)
    assert await second.ask(request()) == Reply("Gasteiz 😀", "m", 5, 2)
    assert second.waves.waiting == 0


async def test_a_refusal_is_final_and_other_failures_are_tried_three_times(tmp_path: Path) -> None:
    for status, tries in ((400, 1), (429, 3), (500, 3)):
        folder = tmp_path / str(status)
        for number in range(1, tries + 1):
            start = Start(folder)
            assert await start.ask(request()) is None
            id_ = KEY if number == 1 else f"{KEY}.{number}"
            assert start.asked()[-1]["custom_id"] == id_
            results(folder, f"{number}.jsonl", failed(id_, status))
        with pytest.raises(ModelError, match=f"{status} no room"):
            await Start(folder).ask(request())


async def test_a_reply_that_was_cut_by_another_limit_is_asked_for_anew(tmp_path: Path) -> None:
    first = Start(tmp_path)
    await first.ask(request(max_tokens=4))
    first.waves.finish()
    results(tmp_path, "1.jsonl", answered(KEY, "Gas", "length", 4))
    second = Start(tmp_path)
    assert await second.ask(request(max_tokens=64)) is None
    assert [line["body"]["max_tokens"] for line in second.asked()] == [4, 64]
    third = Start(tmp_path)
    assert await third.ask(request(max_tokens=64)) is None and third.waves.waiting == 1
    results(tmp_path, "2.jsonl", answered(f"{KEY}.2"))
    reply = await Start(tmp_path).ask(request(max_tokens=64))
    assert reply and reply.text == "Gasteiz" and not reply.truncated


async def test_a_late_answer_to_an_earlier_try_is_as_good(tmp_path: Path) -> None:
    first = Start(tmp_path)
    await first.ask(request())
    (asked,) = first.asked()
    (name,) = (path.name for path in first.waves.requests.iterdir())
    results(tmp_path, name)
    second = Start(tmp_path)
    assert await second.ask(request()) is None
    assert len(second.asked()) == 2
    results(tmp_path, "late.jsonl", answered(asked["custom_id"]))
    assert await Start(tmp_path).ask(request()) == Reply("Gasteiz", "m", 5, 2)


async def test_a_wave_is_full_after_so_many_files(tmp_path: Path) -> None:
    waves = Waves(tmp_path, lines=2, wave_files=1)
    waves.scan(NoBook())
    full = []
    for i in range(2):
        with pytest.raises(Deferred) as later:
            waves.answer("writer", request(f"{i:032x}"), {"model": "m"})
        full.append(later.value.full)
    assert full == [False, True]


async def test_what_an_older_job_asked_is_not_waited_for(tmp_path: Path) -> None:
    old = Start(tmp_path)
    await old.ask(request("f" * 32))
    old.waves.finish()
    new = Start(tmp_path)
    await new.ask(request())
    new.waves.finish()
    assert new.waves.waiting == 1 and len(new.waves.unanswered()) == 1


async def test_files_are_apart_by_model(tmp_path: Path) -> None:
    waves = Waves(tmp_path)
    waves.scan(NoBook())
    for name in ("writer", "richter-2"):
        with pytest.raises(Deferred):
            await BatchChat(waves, name, f"org/{name}").chat(request(name * 4))
    waves.finish()
    assert sorted(name for _, name in waves.unanswered()) == ["richter-2", "writer"]


# -- run-batch ----------------------------------------------------------------------------------


def test_run_batch_is_called_as_the_server_is_with_the_jobs_flags() -> None:
    serving = Serving(serve="org/m", args={"max-model-len": 512})
    more = ["--served-model-name", "org/m", "--max-model-len", "512"]
    words = run_batch_words(["/opt/vllm", "serve"], "/models/m", serving)
    assert words == ["/opt/vllm", "run-batch", "--model", "/models/m", *more]
    module = ["/opt/python", "-m", "vllm.entrypoints.openai.api_server", "--model"]
    words = run_batch_words(module, "org/m", Serving())
    assert words == ["/opt/python", "-m", "vllm.entrypoints.openai.run_batch", "--model", "org/m"]


def script(folder: Path, text: str) -> list[str]:
    path = folder / "run.py"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return [str(path)]


async def test_a_run_batch_that_is_cut_leaves_no_result_and_no_process(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    text = f"import os, time\nout = open({str(tmp_path / 'alive')!r}, 'w')\n"
    text += "print(os.getpid(), file=out, flush=True)\ntime.sleep(600)\n"
    run = RunBatch(script(tmp_path, text), tmp_path / "logs")
    asked, to = tmp_path / "a.jsonl", tmp_path / "r.jsonl"
    asked.touch()
    task = asyncio.ensure_future(run(asked, to))
    reading = await asyncio.to_thread((tmp_path / "alive").open)
    with reading as alive:
        assert int(await asyncio.to_thread(alive.readline))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(alive.read) == "", "its end of the pipe is closed"
    assert not to.exists()


async def test_a_run_batch_that_writes_nothing_is_an_error_with_its_last_words(
    tmp_path: Path,
) -> None:
    run = RunBatch(
        script(tmp_path, "print('RuntimeError: nothing left to say')"), tmp_path / "logs"
    )
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(ModelError, match="ended with 0: RuntimeError: nothing left to say"):
        await run(tmp_path / "a.jsonl", tmp_path / "r.jsonl")


# -- a Batch API --------------------------------------------------------------------------------


class Api:
    """A Batch API: files, batches that are done at the third question, results in two files."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.questions = 0
        self.fails = False
        self.keys: set[str] = set()
        self.asked_after = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._get)
        return app

    async def _upload(self, asked: web.Request) -> web.Response:
        self.keys.add(asked.headers["Authorization"])
        form = await asked.post()
        assert form["purpose"] == "batch"
        id_ = f"file-{len(self.files)}"
        self.files[id_] = form["file"].file.read()  # type: ignore[union-attr]
        about = {"id": id_, "object": "file", "bytes": 1, "created_at": 1, "filename": "a"}
        return web.json_response(about | {"purpose": "batch", "status": "processed"})

    async def _create(self, asked: web.Request) -> web.Response:
        body = await asked.json()
        assert body["endpoint"] == "/v1/chat/completions" and body["completion_window"] == "24h"
        id_ = f"batch-{len(self.batches)}"
        about = {"id": id_, "object": "batch", "created_at": 1, "status": "validating", **body}
        self.batches[id_] = about
        return web.json_response(about)

    async def _list(self, asked: web.Request) -> web.Response:
        page = {"object": "list", "data": list(self.batches.values()), "has_more": False}
        return web.json_response(page)

    async def _get(self, asked: web.Request) -> web.Response:
        batch = self.batches[asked.match_info["id"]]
        self.questions += 1
        self.asked_after.set()
        if self.questions % 3:
            batch["status"] = "in_progress"
        elif self.fails:
            error = {"message": "line 1: no such model", "line": 1}
            batch |= {"status": "failed", "errors": {"object": "list", "data": [error]}}
        else:
            ids = [json.loads(line)["custom_id"] for line in self._lines(batch)]
            self.files["out"] = answered(ids[0]).encode()  # no line break at its end
            self.files["err"] = failed(ids[1], 500).encode() + b"\n"
            counts = {"total": 2, "completed": 1, "failed": 1}
            batch |= {"status": "completed", "output_file_id": "out", "error_file_id": "err"}
            batch |= {"request_counts": counts}
        return web.json_response(batch)

    def _lines(self, batch: dict[str, Any]) -> list[bytes]:
        return self.files[batch["input_file_id"]].splitlines()

    async def _content(self, asked: web.Request) -> web.Response:
        return web.Response(body=self.files[asked.match_info["id"]])


@pytest.fixture
async def api() -> AsyncIterator[tuple[Api, str]]:
    served = Api()
    runner = web.AppRunner(served.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield served, f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


async def test_a_file_is_uploaded_waited_for_and_its_two_results_are_one_file(
    api: tuple[Api, str], tmp_path: Path
) -> None:
    served, url = api
    start = Start(tmp_path)
    await start.ask(request())
    await start.ask(request("e" * 32))
    start.waves.finish()
    ((asked, _),) = start.waves.unanswered()
    told: list[str] = []
    upload = Uploaded(url, "sk-own", tmp_path / "notes", told.append, (0.001, 0.002))
    await upload(asked, tmp_path / "results" / asked.name)
    assert len(served.batches) == 1 and served.keys == {"Bearer sk-own"}
    assert any("completed, 1 of 2 done, 1 failed" in said for said in told)
    second = Start(tmp_path)
    assert await second.ask(request()) == Reply("Gasteiz", "m", 5, 2)
    assert await second.ask(request("e" * 32)) is None
    assert [line["custom_id"] for line in second.asked()][-1] == "e" * 32 + ".2"


async def test_a_batch_whose_start_was_killed_is_found_again_and_not_paid_for_twice(
    api: tuple[Api, str], tmp_path: Path
) -> None:
    served, url = api
    asked, to = tmp_path / "00001-writer-1-abcdef01.jsonl", tmp_path / "r.jsonl"
    asked.write_text(json.dumps({"custom_id": "a"}) + "\n" + json.dumps({"custom_id": "b"}) + "\n")
    upload = Uploaded(url, "k", tmp_path / "notes", poll_s=(0.0, 0.0))
    cut = asyncio.ensure_future(upload(asked, to))
    await served.asked_after.wait()  # so it has been noted
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    (tmp_path / "notes" / "00001-writer-1-abcdef01.id").unlink()  # killed before it was noted
    for _ in range(2):  # found by its metadata; then by the note
        await Uploaded(url, "k", tmp_path / "notes", poll_s=(0.001, 0.002))(asked, to)
        assert len(served.batches) == 1 and len(to.read_text().splitlines()) == 2
        to.unlink()


async def test_a_batch_that_fails_as_a_whole_is_told_and_a_later_start_uploads_anew(
    api: tuple[Api, str], tmp_path: Path
) -> None:
    served, url = api
    served.fails = True
    asked, to = tmp_path / "a.jsonl", tmp_path / "r.jsonl"
    asked.write_text(json.dumps({"custom_id": "a"}) + "\n" + json.dumps({"custom_id": "b"}) + "\n")
    upload = Uploaded(url, "k", tmp_path / "notes", poll_s=(0.001, 0.002))
    with pytest.raises(ModelError, match="line 1: no such model"):
        await upload(asked, to)
    assert not to.exists()
    served.fails = False
    await upload(asked, to)
    assert len(served.batches) == 2 and to.exists()


async def test_a_server_without_a_batch_api_is_told_in_its_own_words(
    api: tuple[Api, str], tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n")
    upload = Uploaded(api[1] + "/other", "k", tmp_path / "notes")
    with pytest.raises(ModelError, match=r"refused the batch a\.jsonl: 404"):
        await upload(tmp_path / "a.jsonl", tmp_path / "r.jsonl")
