"""Every misbehaving program is contained and named, in whatever walls this machine has."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine.sandbox.limits import MODES, Limits, Mode, Program, Ran
from engine.sandbox.pool import LARGEST, NoWalls, Sandbox, SandboxError
from tests.conftest import ROOT
from tests.sandbox.hostile import PROGRAMS, Hostile
from tests.sandbox.walled import at_least, best, gone, needs, processes, sandbox, workers

pytestmark = pytest.mark.slow

SECRET = "nobody may read this"


@dataclass
class Campaign:
    """All programs, run once in one kind of walls."""

    ran: dict[str, Ran]
    secret: Path
    clean: bool
    """Whether nothing was left below the workers when all was over."""


@pytest.fixture(scope="module", params=MODES)
def campaign(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Campaign]:
    mode: Mode = request.param
    needs(mode)
    folder = tmp_path_factory.mktemp("outside")
    secret = folder / "secret.txt"
    secret.write_text(SECRET)
    secret.chmod(0o666)
    for each in (folder, *list(folder.parents)[:2]):
        each.chmod(0o755)  # what keeps programs out is not the mode of a folder
    os.environ["SECRET"] = SECRET
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(folder / "socket"))
        local.listen()
        filled = {
            "SECRET": str(secret),
            "HOME": str(folder),
            "SOCKET": str(folder / "socket"),
            "PORT": str(server.getsockname()[1]),
        }
        yield asyncio.run(_all(mode, filled, secret))
    del os.environ["SECRET"]


async def _all(mode: Mode, filled: dict[str, str], secret: Path) -> Campaign:
    others = workers()
    async with sandbox(mode, workers=4) as box:
        outcomes = await asyncio.gather(
            *(box.run(_program(each, filled), each.limits) for each in PROGRAMS)
        )
        started = workers(others)
        clean = gone([pid for worker in started for pid in processes(worker)])
    assert gone(started)
    return Campaign({p.name: r for p, r in zip(PROGRAMS, outcomes, strict=True)}, secret, clean)


def _program(hostile: Hostile, filled: dict[str, str]) -> Program:
    code = hostile.code
    if hostile.name != "finds_a_clean_environment":
        for word, value in filled.items():
            code = code.replace(word, value)
    return Program(code, hostile.tests)


@pytest.mark.parametrize("hostile", PROGRAMS, ids=str)
def test_it_is_contained_and_named(
    campaign: Campaign, hostile: Hostile, request: pytest.FixtureRequest
) -> None:
    ran = campaign.ran[hostile.name]
    due: tuple[str, tuple[str, ...]] = (hostile.ended, hostile.raised)
    if hostile.weaker and "landlock" in request.node.name:
        due = hostile.weaker
    assert ran.ended == due[0], ran
    assert ran.raised in (due[1] or ("", "SystemExit")), ran
    assert hostile.says in ran.stdout + ran.stderr
    assert SECRET not in ran.stdout + ran.stderr


def test_what_is_outside_is_as_it_was(campaign: Campaign) -> None:
    assert campaign.secret.read_text() == SECRET
    assert campaign.secret.stat().st_mode & 0o777 == 0o666
    assert sorted(p.name for p in campaign.secret.parent.iterdir()) == ["secret.txt", "socket"]


def test_no_process_outlives_its_program(campaign: Campaign) -> None:
    assert campaign.clean


def test_output_ends_at_the_limit(campaign: Campaign) -> None:
    ran = campaign.ran["writes_without_end"]
    assert 0 < len(ran.stdout) <= Limits().output_kib << 10


@pytest.fixture
def mode() -> Mode:
    return best()


async def test_a_program_finds_nothing_of_the_one_before_it(mode: Mode) -> None:
    writes = "import os, builtins\nopen('left', 'w').write('x')\nbuiltins.left = os.left = 1"
    looks = "import os\nassert not os.listdir()\n"
    looks += "assert not hasattr(os, 'left') and 'left' not in dir(__builtins__)"
    async with sandbox(mode, workers=1) as box:
        assert (await box.run(Program(writes, "assert True"))).ended == "passed"
        found = await box.run(Program(looks))
    assert (found.ended, found.assertions) == ("passed", 2), found.stderr


async def test_the_same_program_has_the_same_luck(mode: Mode) -> None:
    draws = "import random\nprint(random.random(), sorted({'a', 'b', 'c', 'd'}, key=hash))"
    async with sandbox(mode) as box:
        said = {(await box.run(Program(draws))).stdout for _ in range(4)}
    assert len(said) == 1 and said != {""}


async def test_a_worker_that_is_killed_is_an_error_and_the_next_program_gets_another(
    mode: Mode,
) -> None:
    others = workers()
    async with sandbox(mode, workers=1) as box:
        (worker,) = workers(others)
        running = asyncio.create_task(box.run(Program("import time; time.sleep(60)")))
        await asyncio.sleep(0)
        below = at_least(3, worker)
        os.kill(worker, signal.SIGKILL)
        if mode == "landlock":  # there it lives until its watcher sees that the engine hung up
            below = []
        ran = await running
        assert ran.ended == "error" and ran.detail
        assert gone(below)
        assert (await box.run(Program("assert True"))).ended == "passed"


async def test_a_watcher_that_is_killed_is_an_error(mode: Mode) -> None:
    if mode == "landlock":
        pytest.skip("without namespaces the warden does not die with its watcher")
    others = workers()
    async with sandbox(mode, workers=1) as box:
        (worker,) = workers(others)
        running = asyncio.create_task(
            box.run(Program("import time; time.sleep(60)", "assert True"))
        )
        await asyncio.sleep(0)
        below = at_least(3, worker)
        os.kill(below[0], signal.SIGKILL)
        assert (await running).ended == "error"
        assert gone(below)


def test_nothing_outlives_an_engine_that_is_killed(mode: Mode) -> None:
    engine = textwrap.dedent(
        f"""
        import asyncio
        from engine.sandbox.limits import Program
        from tests.sandbox.walled import sandbox
        async def main():
            async with sandbox({mode!r}, workers=1) as box:
                print("ready", flush=True)
                await box.run(Program("import time; time.sleep(60)"))
        asyncio.run(main())
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", engine], cwd=ROOT, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"ready\n"
        below = at_least(4, started.pid)
        started.kill()
    assert gone(below)


async def test_a_program_that_is_not_awaited_any_more_ends_at_its_limit(mode: Mode) -> None:
    async with sandbox(mode, workers=1) as box:
        limits = Limits(wall_s=0.3)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(box.run(Program("while True: pass"), limits), 0.01)
        assert (await box.run(Program("assert True"))).ended == "passed"


async def test_a_source_beyond_reason_is_no_program(mode: Mode) -> None:
    async with sandbox(mode, workers=1) as box:
        assert (await box.run(Program("#" * (LARGEST + 1)))).ended == "unparsable"
        long = await box.run(Program("x = 0\n" + "x += 1\n" * 20_000, "assert x == 20_000"))
        assert long.ended == "passed"


async def test_walls_say_what_is_weaker() -> None:
    for mode in MODES:
        needs(mode)
        async with sandbox(mode, workers=1) as box:
            walls = await box.walls()
        assert walls.mode == mode
        assert bool(walls.weaker) == (mode == "landlock")


async def test_a_machine_without_walls_runs_nothing() -> None:
    box = Sandbox(modes=())
    with pytest.raises(NoWalls, match="needs Linux"):
        await box.run(Program("assert True"))
    box.close()


async def test_an_interpreter_that_does_not_start_is_no_sandbox() -> None:
    box = Sandbox(python="/bin/false")
    with pytest.raises(SandboxError, match="does not start"):
        await box.walls()
    box.close()


async def test_limits_of_one_run_are_its_own(mode: Mode) -> None:
    small = replace(Limits(), memory_mib=128)
    async with sandbox(mode, workers=1) as box:
        takes = Program("x = bytearray(200 << 20)\nassert x")
        assert (await box.run(takes, small)).ended == "memory"
        assert (await box.run(takes)).ended == "passed"
