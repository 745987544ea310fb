"""Workers as Ray actors on a local cluster; skipped where Ray is not installed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.core import JobError
from engine.on_ray import Cluster, Remote
from engine.session import arun, load
from engine.shard_worker import Orders
from engine.wiring import wire
from tests.crash.server import Server
from tests.shards.beside import grown
from tests.shards.test_shards import FEW, content

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray.init(
        address="local",  # not one that happens to be there
        num_cpus=3,
        _node_ip_address="127.0.0.1",
        include_dashboard=False,
        logging_level="warning",
        log_to_driver=False,
        object_store_memory=100 << 20,
    )
    yield
    ray.shutdown()


class Watched(Cluster):
    """Remembers its actors."""

    def __init__(self, job: Path, *changes: str) -> None:
        super().__init__(wire(load(job, changes, {"SIM_URL": "http://127.0.0.1:1/v1"})))
        self.links: list[Remote] = []

    async def hire(self, number: int, orders: Orders) -> Remote:
        link = await super().hire(number, orders)
        assert isinstance(link, Remote)
        self.links.append(link)
        return link


async def kill_one(agency: Watched, server: Server) -> None:
    """Kill a worker's process as soon as the run is under way."""
    while len(agency.links) < 2 or server.asked.total() < 60:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    os.kill(await agency.links[0].actor.pid.remote(), signal.SIGKILL)


async def test_a_killed_actor_changes_nothing_in_the_result(
    job: Path, server: Server, tmp_path: Path
) -> None:
    await grown(job, tmp_path / "alone", None, server.url, *FEW)
    server.asked.clear()
    agency = Watched(job, "run.shards=2")
    killing = asyncio.create_task(kill_one(agency, server))
    await grown(job, tmp_path / "two", agency, server.url, "run.shards=2", *FEW)
    await killing
    assert len(agency.links) == 3, "two workers, and one in the place of the dead"
    assert content(tmp_path / "two") == content(tmp_path / "alone")


async def test_the_jobs_own_parts_and_prompts_travel_and_its_seeds_stay(
    job: Path, server: Server, tmp_path: Path
) -> None:
    own = tmp_path / "elsewhere"  # where no worker finds the parts but by what it is sent
    shutil.copytree(job.parent, own)
    (own / "own_parts").rename(own / "parts_of_my_own")
    text = (own / "job.yaml").read_text().replace("own_parts.", "parts_of_my_own.")
    (own / "job.yaml").write_text(text)
    try:
        read = load(own / "job.yaml", ["run.shards=2", *FEW], {"SIM_URL": server.url})
        agency = Cluster(wire(read))
        assert "seeds.jsonl" not in agency._files
        assert {"prompts/chain/answer.j2", "parts_of_my_own/chain.py"} <= agency._files.keys()
        result = await arun(read, tmp_path / "run", on="ray")
    finally:
        sys.path.remove(str(own.resolve()))
    assert result.accepted == 30


def test_more_shards_than_the_cluster_has_places_are_refused_at_once(job: Path) -> None:
    with pytest.raises(JobError, match=r"run\.shards is 9, but the Ray cluster has 3 CPUs"):
        Watched(job, "run.shards=9")
