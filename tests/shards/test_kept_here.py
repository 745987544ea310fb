"""Models that cannot be divided among workers: the run's process asks them for all."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from engine.core import ModelError
from engine.models.chat import Request, Scores, Texts, Vector
from engine.models.fake import FakeChat
from engine.shard_worker import Afar, Clerk, Outbox
from tests.crash.server import Server
from tests.models.test_serve import FAKE
from tests.shards.beside import Agency, grown
from tests.shards.test_shards import FEW, content

pytestmark = pytest.mark.slow

SMALL = ("target.accepted=10", "target.candidates=50")


def served(home: Path, *, dies_at: int) -> dict[str, str]:
    """An environment in which `serve` starts the fake vLLM; it dies once, in mid-run."""
    return {
        **os.environ,
        "ENGINE_VLLM": shlex.join([sys.executable, str(FAKE)]),
        "FAKE_VLLM": json.dumps({"speaks": True, "dies_at": [dies_at]}),
        "FAKE_HOME": str(home),
    }


async def test_workers_share_a_server_that_the_run_started_and_outlive_its_death(
    job: Path, tmp_path: Path
) -> None:
    changes = ("models.sim={serve: some/model}", "run.shards=2", *SMALL)
    for name, agency in (("alone", None), ("two", Agency())):
        home = tmp_path / f"home-{name}"
        home.mkdir()
        environment = served(home, dies_at=30)
        await grown(job, tmp_path / name, agency, "", *changes, environment=environment)
        assert len((home / "starts").read_text().split()) == 2, "one server, started once more"
    assert content(tmp_path / "two") == content(tmp_path / "alone")


async def test_limits_by_the_minute_are_those_of_all_workers_together(
    job: Path, server: Server, tmp_path: Path
) -> None:
    limited = ("models.sim.requests_per_minute=600000", *FEW)
    await grown(job, tmp_path / "alone", None, server.url, *limited)
    agency = Agency()
    await grown(job, tmp_path / "three", agency, server.url, "run.shards=3", *limited)
    assert [set(orders.afar) for orders in agency.orders] == [{"sim"}] * 3
    assert content(tmp_path / "three") == content(tmp_path / "alone")


async def test_calls_at_a_time_are_divided_and_fewer_than_workers_stay_together(
    job: Path, server: Server, tmp_path: Path
) -> None:
    for most, share in ((10, 5), (1, None)):
        agency, few = Agency(), f"models.sim.max_concurrent={most}"
        await grown(job, tmp_path / str(most), agency, server.url, few, "run.shards=2", *SMALL)
        for orders in agency.orders:
            assert (None if orders.afar else orders.job.file.models["sim"].max_concurrent) == share


async def test_a_model_far_away_scores_and_embeds_and_its_errors_are_its_own() -> None:
    scores = Scores(("a",), (-0.5,), "fake")
    there = FakeChat({"rate": scores}, {"dog": (1.0, 0.0)})
    outbox = Outbox()
    clerk = Clerk(outbox, blank=True)
    far = Afar(clerk, "sim")

    async def answer(found: object, trouble: tuple[str, str, str] | None = None) -> None:
        ((_, number, name, *_),) = await outbox.take()
        assert name == "sim"
        clerk.answered(number, found, trouble)

    asked = Texts(("dog",))
    vectors, _ = await asyncio.gather(far.embed(asked), answer(await there.embed(asked)))
    assert isinstance(vectors[0], Vector)
    request = Request((), prompt="rate")
    found, _ = await asyncio.gather(far.score(request), answer(await there.score(request)))
    assert found == scores
    trouble = ("ModelError", "no server", "ModelError: no server")
    with pytest.raises(ModelError, match="no server"):
        await asyncio.gather(far.chat(request), answer(None, trouble))
