"""A real vLLM on a CPU with a model of 300 thousand parameters that is built here.

vLLM is taken from ENGINE_VLLM or from ``.vllm`` (``.ci/vllm`` installs it there); without one
these tests are skipped. They take minutes, so only ``pytest -m server`` runs them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from engine.core import JobError, Message
from engine.models import command
from engine.models.chat import Request
from engine.models.command import Serving
from engine.models.serve import Fleet, Served
from engine.models.server import Server, Spec
from tests.conftest import ROOT

T = TypeVar("T")

ARGS: dict[str, Any] = {
    "max-model-len": 2048,
    "enforce-eager": True,  # nothing is won by compiling a model that is loaded for a minute
    "enable-lora": True,
    "max-lora-rank": 8,
    # a random model would fill a reply with white space until it is cut
    "structured-outputs-config": {"backend": "guidance", "disable_any_whitespace": True},
}
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
    "HF_HUB_OFFLINE": "1",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.server)


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """With ENGINE_VLLM, wherever that comes from."""
    beside = ROOT / ".vllm" / "bin" / "python"
    given = {**os.environ, **ENVIRONMENT}
    given.setdefault(command.COMMAND, str(beside) if beside.exists() else "")
    try:
        command.find(given)
    except JobError as error:
        pytest.skip(f"no vLLM: {error}")
    return given


@pytest.fixture(scope="session")
def python(environment: dict[str, str]) -> str:
    """The interpreter that has vLLM."""
    return str(Path(command.find(environment)[0]).parent / "python")


@pytest.fixture(scope="session")
def tiny(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model; its LoRA adapter is beside it."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    texts = [ROOT / "README.md", *sorted((ROOT / "engine/jobs/documents").glob("*"))]
    builder = [python, str(Path(__file__).with_name("build_tiny.py")), str(folder)]
    subprocess.run([*builder, *map(str, texts)], check=True, capture_output=True)
    return folder


class Loop:
    """An event loop in a thread of its own, which outlives the loops of single tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(600)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def spec(tiny: Path, environment: dict[str, str], **changes: Any) -> Spec:
    args = {**ARGS, "served-model-name": "tiny", **changes.pop("args", {})}
    serving = Serving(serve=changes.pop("serve", str(tiny)), args=args)
    return Spec(
        "writer-0", serving, serving.serve, "tiny", 0, command.find(environment), environment,
        tiny.parent, tiny.parent / "logs" / "writer-0.log", JobError,
    )  # fmt: skip


@dataclass
class Live:
    """A server that is up."""

    loop: Loop
    fleet: Fleet
    server: Server
    chat: Served

    def post(self, path: str, **body: Any) -> httpx.Response:
        return httpx.post(
            self.server.root + path,
            json={"model": "tiny", **body},
            headers={"Authorization": f"Bearer {self.server.key}"},
            timeout=120,
            trust_env=False,
        )

    def ask(self, text: str = "Tell me about bread.", **fields: Any) -> Any:
        messages = [{"role": "user", "content": text}]
        fields = {"max_tokens": 24, "seed": 1, "messages": messages, **fields}
        response = self.post("/v1/chat/completions", **fields)
        assert response.status_code == 200, response.text
        return response.json()


@contextlib.contextmanager
def serving(loop: Loop, tiny: Path, environment: dict[str, str], **args: Any) -> Iterator[Live]:
    """A server with these arguments, up and asked once; ended afterwards."""

    async def start() -> Live:
        fleet = Fleet()
        server = fleet.add(spec(tiny, environment, args=args))
        chat = Served(fleet, server, [server])
        await chat.chat(Request((Message("user", "hello"),), {"max_tokens": 4}))
        return Live(loop, fleet, server, chat)

    made = loop.run(start())
    yield made
    loop.run(made.fleet.close())


@pytest.fixture(scope="session")
def live(loop: Loop, tiny: Path, environment: dict[str, str]) -> Iterator[Live]:
    """One server for all tests that leave it as it was."""
    with serving(loop, tiny, environment) as made:
        yield made
