"""Whatever a server does, every seed ends once, with a reason, and the target is met."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import outputs
from engine.ledger import Ledger
from engine.models.admission import Throttle
from engine.models.journal import Brake, Journal
from engine.models.metrics import MetricsPage
from engine.models.openai_chat import OpenAIChat
from engine.models.pool import Pool
from engine.result import Result
from engine.rounds import End
from engine.runner import Runner
from engine.session import load
from engine.wiring import Wiring, plan, wire
from tests.benchmarks import work
from tests.benchmarks.simserver import Manner, Server, running

pytestmark = pytest.mark.slow

CHAIN = Path(__file__).parents[1] / "benchmarks" / "chain"
QUICK = Manner(slots=48, prefill_s=0.0, token_s=0.00002)
"""A server whose longest replies take 40 ms."""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the chain on a server: all that a run is made of, with short waits between tries."""

    def run(server: Server, rows: int, *changes: str, timeout_s: float = 30) -> Result:
        place = tmp_path / "job"
        if not place.exists():
            shutil.copytree(CHAIN, place, ignore=shutil.ignore_patterns("__pycache__"))
            seeds = "".join(json.dumps(seed) + "\n" for seed in work.seeds(rows))
            (place / "in.jsonl").write_text(seeds)
        wiring = wire(load(place / "job.yaml", changes, {"SIM_URL": server.url}))
        return asyncio.run(assembled(wiring, server.url, tmp_path / "run", timeout_s))

    return run


async def assembled(wiring: Wiring, url: str, folder: Path, timeout_s: float) -> Result:
    """A run of this job on one server, as the session puts it together."""
    throttle = Throttle(512, time.monotonic)
    patient = OpenAIChat(
        url, "sim", timeout_s=timeout_s, retries=12, wait_s=(0.02, 0.3), feedback=throttle
    )
    pool = Pool([patient], 512, throttles=[throttle], meters=[MetricsPage(url)])
    brake = Brake()
    with contextlib.closing(Ledger(folder, write=True)) as ledger:
        chats = {"sim": Journal(pool, "sim", ledger, brake)}
        end = await Runner(plan(wiring, chats), ledger, brake).go()
        await patient.close()
        await asyncio.to_thread(outputs.write, wiring, ledger, folder)
        wanted = wiring.job.file.target.accepted
        accepted = ledger.waiting("")
        return Result(folder, end, min(accepted, wanted) if wanted else accepted, wanted)


def found(result: Result) -> work.Found:
    made = (
        {
            "row": record.facts["row"],
            "instruction": record.last("user"),
            "response": record.last("assistant"),
            "judge": record.facts["verdict"],
        }
        for record in result.records()
    )
    return work.check(made, result.accepted)


def fates(result: Result) -> Counter[int]:
    """How often each row has ended, kept, dropped or failed."""
    ends = Counter(int(record.facts["row"]) for record in result.records())
    ends.update(int(drop.record.facts["row"]) for drop in result.drops())
    ends.update(int(failure["pos"]) for failure in result.failures())
    return ends


def test_under_every_fault_at_once_each_seed_ends_once_with_its_reason(run: Run) -> None:
    manner = Manner(
        slots=48, prefill_s=0, token_s=0.00002, error_500=0.05, refuse_429=0.05, reset=0.01,
        cut_json=0.02, hang=0.01, empty=0.01, cut_text=0.01, retry_after_s=0.05,
    )  # fmt: skip
    rows = 200
    with running(manner) as server:
        result = run(server, rows, timeout_s=1)
    met = server.counts.happened
    assert met.keys() >= {name for name, _ in manner.faults}, "the run has met every fault"
    assert fates(result) == Counter(range(rows)), "none lost, none twice"
    assert all(drop.reason and drop.detail for drop in result.drops())
    assert all(failure["error"] for failure in result.failures())
    assert result.end is End.MET
    assert result.accepted >= 0.95 * rows


def test_a_target_is_met_exactly_under_faults(run: Run) -> None:
    manner = Manner(
        slots=48, prefill_s=0, token_s=0, error_500=0.05, refuse_429=0.05, reset=0.01,
        cut_json=0.02, retry_after_s=0.05,
    )  # fmt: skip
    with running(manner) as server:
        result = run(server, 120, "target.accepted=60", "target.round=20")
    assert (result.end, result.accepted) == (End.MET, 60)
    assert len({record.facts["row"] for record in result.records()}) == 60


def test_a_server_that_dies_in_mid_run_and_returns_loses_nothing(run: Run) -> None:
    manner = Manner(slots=48, prefill_s=0, token_s=0.00002, dies_after=150, returns_after_s=0.3)
    with running(manner) as server:
        result = run(server, 120)
    assert server.counts.happened["died"] == 1
    assert (found(result).lost, found(result).doubled, found(result).wrong) == (0, 0, 0)
    assert result.accepted == 120
    assert max(server.counts.answered.values()) == 1, "nothing that was answered is asked again"


def test_a_server_that_is_still_loading_is_waited_for(run: Run) -> None:
    with running(Manner(prefill_s=0, token_s=0, starts_after=8)) as server:
        result = run(server, 20)
    assert server.counts.happened["starting"] == 8
    assert result.accepted == 20


def test_a_wrong_model_name_ends_the_run_at_once_and_says_so(run: Run) -> None:
    with running(Manner(model="another")) as server:
        result = run(server, 400, "run.in_flight=64")
    assert result.end is End.ERRORS
    assert server.counts.happened["wrong_model"] < 200, "it is not asked for every seed"
    error = result.failures()[0]["error"]
    assert "The model `sim` does not exist" in error and "404" in error
    assert server.url in error


def test_the_same_replies_give_the_same_dataset_with_faults_and_without(
    run: Run, tmp_path: Path
) -> None:
    with running(QUICK) as server:
        run(server, 60)
    calm = (tmp_path / "run" / "dataset").rename(tmp_path / "calm")
    shutil.rmtree(tmp_path / "run")
    stormy = Manner(prefill_s=0, token_s=0, error_500=0.07, reset=0.07, cut_json=0.07)
    with running(stormy) as server:
        run(server, 60)
    for path in calm.glob("*.jsonl"):
        assert (tmp_path / "run" / "dataset" / path.name).read_bytes() == path.read_bytes()


def test_faults_are_in_the_ledger_as_what_they_were(run: Run, tmp_path: Path) -> None:
    with running(Manner(prefill_s=0, token_s=0, empty=1.0)) as server:
        result = run(server, 12)
    assert {drop.reason for drop in result.drops()} == {"empty"}
    ledger = Ledger(tmp_path / "run")
    assert ledger.tallies()["tale"] == (12, 0, 12)
    ledger.close()
