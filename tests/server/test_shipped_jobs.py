"""Every job that travels with the engine, eight seeds of it, asked of a real vLLM.

The model is random, so what it writes is noise. What is shown is the machinery: prompts fit their
templates, servers take the schemas that replies are held to, and every seed ends as records or
with the reason why not.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
from engine import shipped
from engine.job import load
from engine.ledger import Ledger
from engine.wiring import wire
from tests.server.conftest import Live, Loop, serving

ARGS = {
    "max-model-len": 16384,
    "enable-lora": False,
    # vLLM 0.32 on a CPU dies of a request with a seed whose prompt it reads in pieces
    "max-num-batched-tokens": 65536,
}
SEEDS = 8
JOBS = [file for file in sorted(shipped.JOBS.glob("*.yaml")) if "models" in shipped.read(file)]


@pytest.fixture(scope="module")
def roomy(loop: Loop, tiny: Path, environment: dict[str, str]) -> Iterator[Live]:
    """A server that takes the longest of the shipped prompts."""
    with serving(loop, tiny, environment, **ARGS) as made:
        yield made


@pytest.mark.parametrize("file", JOBS, ids=lambda file: file.stem)
def test_eight_seeds_end_as_records_or_with_a_reason(
    file: Path, roomy: Live, tmp_path: Path
) -> None:
    model = {"url": f"{roomy.server.root}/v1", "model": "tiny", "api_key": roomy.server.key}
    model |= {"sampling": {"max_tokens": 160}}
    names = load(file, environment={}).file.models
    changes = [f"models.{name}={json.dumps(model)}" for name in names]
    changes += [f"target={json.dumps({'candidates': SEEDS})}", f"run.in_flight={SEEDS}"]
    job = load(file, changes, {})
    result = engine.run(job, tmp_path / "run")
    assert [failure["error"] for failure in result.failures()] == []
    drops = list(result.drops())
    assert result.accepted or drops
    assert all(drop.reason for drop in drops)
    with contextlib.closing(Ledger(tmp_path / "run")) as ledger:
        asked = {call.prompt.partition("@")[0] for call in ledger.calls()}
    assert asked, "a job with models asks them"
    assert (tmp_path / "run" / "report.html").exists()
    assert asked <= set(wire(job).prompts()) | {"count", "embed", "score"}
