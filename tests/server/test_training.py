"""Between two rounds, for real: an adapter is trained on a CPU, loaded into vLLM, and asked."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from engine.connect import Answerer, connect, journals
from engine.core import Drop, Message, Outcome, Record
from engine.generators.cycle_instruct import GENERATOR
from engine.job import load
from engine.kit import Step, as_step
from engine.ledger import Ledger
from engine.models.chat import Reply, Request
from engine.models.journal import Brake
from engine.training.tuning import EXTRA, Tuner
from engine.wiring import Wiring, wire
from tests.server.conftest import Live

MISSING = [name for name in EXTRA if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the extra train lacks {MISSING}")

TAUGHT = "Bread is baked in a hot oven until its crust is brown."
WORDS = set(TAUGHT.rstrip(".").split())
JOB = """
version: 1
job: trained
models:
  base:
    url: {url}
    model: tiny
    api_key: {key}
    sampling: {{temperature: 0, max_tokens: 60, stop: ["."]}}
source:
  use: unpaired
  with: {{path: texts.md, language: en, grow_from: best, examples: 0}}
steps:
  cycle: {{use: cycle_instruct}}
  best: {{use: best_share}}
train:
  from: best
  min_pairs: 4
  rank: 8
  epochs: 16
  learning_rate: 0.01
  batch: 8
  max_tokens: 512
  roles:
    answerer:
      prompt: cycle_instruct/answer
      target: response
      where: {{side: answer}}
      base: {base}
target: {{candidates: 8}}
"""
KEPT = [
    Record(
        f"pair{n}",
        "en",
        (Message("user", f"How is bread number {n} baked?"), Message("assistant", TAUGHT)),
        {"side": "answer"},
    )
    for n in range(8)
]
QUESTIONS = [replace(r, id=f"q{r.id}", facts={"side": "question"}) for r in KEPT]


@pytest.fixture
def wiring(live: Live, tiny: Path, tmp_path: Path) -> Wiring:
    (tmp_path / "texts.md").write_text("Why is the sky blue?\n")
    url = f"{live.server.root}/v1"
    text = JOB.format(url=url, key=live.server.key, base=tiny)
    (tmp_path / "job.yaml").write_text(text)
    return wire(load(tmp_path / "job.yaml"))


@contextlib.asynccontextmanager
async def answering(wiring: Wiring) -> AsyncIterator[dict[str, Answerer]]:
    answerers = await connect(wiring.job, wiring.models_used(), rehearse=False)
    try:
        yield answerers
    finally:
        for answerer in answerers.values():
            await answerer.close()


def step(wiring: Wiring, tuner: Tuner, folder: Path) -> tuple[Step, Ledger]:
    book = Ledger(folder, write=True)
    chats = tuner.above(journals(tuner.below(), book, Brake()))
    models = {"asker": Scripted(), "answerer": chats["base"]}
    made = as_step(GENERATOR, "cycle", GENERATOR.params(), models, wiring.library, seed=1)
    return made, book


class Scripted:
    """An asker that always asks the same; only the answerer is trained here."""

    async def chat(self, request: Request) -> Reply:
        return Reply("How is a loaf of bread baked?", "scripted")


def reconstructed(outcome: Outcome) -> set[str]:
    """The words that the answerer wrote; none where its reply was of no use."""
    if isinstance(outcome, Drop):
        return set()
    return set(str(outcome.facts["cycle"]["reconstruction"]).split())


async def test_a_role_learns_the_human_side_and_the_next_round_speaks_through_its_adapter(
    wiring: Wiring, tmp_path: Path
) -> None:
    def kept(name: str) -> Iterator[Record]:
        assert name == "best"
        return iter([*KEPT, *QUESTIONS])

    segment = {"segment": TAUGHT, "side": "answer", "round": 1}
    async with answering(wiring) as answerers:
        tuner = Tuner(wiring, answerers, tmp_path / "run")
        cycle, book = step(wiring, tuner, tmp_path / "run")
        with contextlib.closing(book):
            await tuner.between(0, kept, lambda: False)
            assert tuner.current == {}, "the first round has nothing to learn from"
            [noise] = await cycle(Record("before", "en", facts=segment))
            assert not reconstructed(noise) & WORDS
            await tuner.between(1, kept, lambda: False)
            name = tuner.current["answerer"]
            adapter = tmp_path / "run" / "adapters" / name
            assert (adapter / "adapter_model.safetensors").is_file()
            [found] = await cycle(Record("seed", "en", facts=segment))
            assert isinstance(found, Record)
            assert len(reconstructed(found) & WORDS) >= 3 and reconstructed(found) <= WORDS
            calls = {call.role: call.model for call in found.lineage[-1].calls}
            assert calls["answerer"] == name, "lineage names the adapter"

        made = adapter.stat().st_mtime_ns
        again = Tuner(wiring, answerers, tmp_path / "run")
        await again.between(1, kept, lambda: False)
        assert again.current == {"answerer": name} and adapter.stat().st_mtime_ns == made
