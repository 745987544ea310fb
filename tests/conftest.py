"""Fixtures every test may use; no test reaches beyond this machine."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.core import Message, Outcome, Record
from engine.kit import EMBEDDER, Desk, Filter, Generator, Pass, Source, Step, Well, as_step
from engine.models.fake import FakeChat
from engine.prompting import Library

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
LOCAL = {"127.0.0.1", "::1", "localhost"}

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not here")


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not look at it after every test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOCAL:
            raise RuntimeError(f"a test tried to reach {address}; give it a FakeChat")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def prompts() -> Library:
    return Library(ROOT / "prompts")


Bind = Callable[..., tuple[Step, FakeChat]]


@pytest.fixture
def bind(prompts: Library) -> Bind:
    """A generator, filter or verifier as a step, all its roles played by one scripted model."""

    def bind(
        kind: Generator[Any] | Filter[Any], script: Mapping[str, Any] | None = None, **params: Any
    ) -> tuple[Step, FakeChat]:
        chat = FakeChat(script or {})
        roles = {prompts.load(p.name).header.role for p in kind.prompts}
        roles |= set(kind.roles) - {EMBEDDER}  # which the built-in n-grams play
        models = dict.fromkeys(roles, chat)
        return as_step(kind, "step", kind.params(**params), models, prompts, seed=1), chat

    return bind


def seed(text: str = "", language: str = "de", response: str = "", **facts: Any) -> Record:
    """A record with an instruction, and a response where one is given."""
    turns = [Message("user", text)] if text else []
    if response:
        turns.append(Message("assistant", response))
    return Record("seed", language, tuple(turns), facts)


def settle(
    kind: Pass[Any], fresh: Iterable[Record], kept: Iterable[Record] = (), **params: Any
) -> list[Outcome]:
    """Every outcome of a pass."""
    return list(kind.settle(fresh, kept, Desk(kind.params(**params), "pass", "1")))


def read(
    kind: Source[Any],
    base: Path,
    *,
    round: int = 0,
    kept: Callable[[str], Iterator[Record]] = lambda step: iter(()),
    **params: Any,
) -> Iterator[Record]:
    """The seeds of a source; paths in ``params`` are relative to ``base``."""
    checked = kind.params.model_validate(params, context={"base": base})
    return kind.read(Well(checked, "source", round, "1", kept))
