"""The scores of a tiny model served by vLLM, against values worked out from the raw numbers.

Twice: from the ``prompt_logprobs`` that the server sends, and from the logits that transformers
computes of the same weights. The server runs in 32-bit floats, so that the two can be compared.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from engine.core import Message, Outcome, Record
from engine.kit import Verifier, as_step
from engine.models.chat import Count, Reply, Request, Scores, Texts, Vector
from engine.models.serve import Served
from engine.prompting import Library
from engine.verifiers import deita, ic_ifd, ifd, perplexity, r_ifd, s_ifd
from tests.server.conftest import Live, Loop, serving

CLOSE = 1e-3
ARGS = {"dtype": "float32", "enable-lora": False}
"""With LoRA on, two texts scored at once kill vLLM 0.32 (its issues 16668 and 29955)."""
ASKED, SAID = "How is bread baked?", "Bread is baked in a hot oven until its crust is brown."
RECORDS = [
    Record("en", "en", (Message("user", ASKED), Message("assistant", SAID))),
    Record("ru", "ru", (Message("user", "Где пекут хлеб?"), Message("assistant", "Хлеб в печи."))),
    Record(
        "zh", "zh-Hans", (Message("user", "面包在哪里烤？"), Message("assistant", "在烤箱里烤。"))
    ),
]
every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.id)


@pytest.fixture(scope="module")
def exact(loop: Loop, tiny: Path, environment: dict[str, str]) -> Iterator[Live]:
    with serving(loop, tiny, environment, **ARGS) as made:
        yield made


@dataclass
class Asked:
    """Runs a verifier against the server and keeps what was asked of it."""

    live: Live
    prompts: Library
    reference: subprocess.Popen[str]
    scored: list[tuple[Request, Scores]] = field(default_factory=list)

    def run(self, kind: Verifier[Any], record: Record, **params: Any) -> dict[str, Any]:
        """The record's scores."""
        self.scored.clear()
        model = _Recorder(self.live.chat, self.scored)
        models = dict.fromkeys(("scorer", "judge"), model)
        step = as_step(kind, "step", kind.params(**params), models, self.prompts, seed=1)
        outcomes: list[Outcome] = list(self.live.loop.run(_settled(step, record)))
        [kept] = outcomes
        assert isinstance(kept, Record)
        name = kind.check.__module__.rpartition(".")[2]
        found: dict[str, Any] = kept.facts[f"scores_{name}"]
        assert found["model"] == "tiny"
        return found

    def by_transformers(self) -> list[list[float]]:
        """Log-probabilities of all that was scored, in the order in which it was."""
        asked = [
            [{"role": m.role, "content": m.content} for m in request.messages]
            for request, _ in self.scored
        ]
        assert self.reference.stdin and self.reference.stdout
        print(json.dumps(asked), file=self.reference.stdin, flush=True)
        found: list[list[float]] = json.loads(self.reference.stdout.readline())
        return found

    def nll(self, raw: list[list[float]], content: str, before: str | None = None) -> float:
        """The loss of a scored text by the raw numbers: after a turn, or bare."""
        for (request, _), numbers in zip(self.scored, raw, strict=True):
            *ahead, last = request.messages
            turn = ahead[-1].content if ahead else None
            if last.content == content and turn == before:
                return -fmean(numbers)
        raise AssertionError(f"{content!r} was not scored after {before!r}")


class _Recorder:
    def __init__(self, chat: Served, scored: list[tuple[Request, Scores]]) -> None:
        self._chat, self._scored = chat, scored

    async def chat(self, request: Request) -> Reply:
        return await self._chat.chat(request)

    async def score(self, request: Request) -> Scores:
        scores = await self._chat.score(request)
        self._scored.append((request, scores))
        return scores

    async def embed(self, request: Texts) -> tuple[Vector, ...]:
        return await self._chat.embed(request)

    async def count(self, request: Request) -> Count:
        return await self._chat.count(request)


async def _settled(step: Any, record: Record) -> Any:
    return await step(record)


@pytest.fixture(scope="module")
def reference(python: str, tiny: Path) -> Iterator[subprocess.Popen[str]]:
    script = str(Path(__file__).with_name("by_transformers.py"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([python, script, str(tiny)], text=True, **pipes) as started:
        yield started
        assert started.stdin
        started.stdin.close()


@pytest.fixture
def asked(exact: Live, prompts: Library, reference: subprocess.Popen[str]) -> Asked:
    return Asked(exact, prompts, reference)


@every_record
def test_every_log_probability_is_that_of_transformers(asked: Asked, record: Record) -> None:
    asked.run(ifd.VERIFIER, record)
    asked_chat = list(asked.scored)
    asked.run(ic_ifd.VERIFIER, record)
    asked.scored[:0] = asked_chat
    for (request, scores), raw in zip(asked.scored, asked.by_transformers(), strict=True):
        assert scores.logprobs == pytest.approx(raw, abs=CLOSE), request.messages


def test_a_bare_texts_loss_is_the_mean_of_the_servers_own_prompt_logprobs(asked: Asked) -> None:
    found = asked.run(perplexity.VERIFIER, RECORDS[0], after="nothing")
    body = asked.live.post("/v1/completions", prompt=SAID, max_tokens=1, prompt_logprobs=0).json()
    [first, *entries] = body["choices"][0]["prompt_logprobs"]
    assert first is None
    raw = [next(iter(entry.values()))["logprob"] for entry in entries]
    assert found["nll"] == pytest.approx(-fmean(raw), abs=CLOSE)
    assert found["perplexity"] == pytest.approx(math.exp(-fmean(raw)), rel=CLOSE)
    assert found["tokens"] == len(raw)


@every_record
def test_ifd_in_both_forms(asked: Asked, record: Record) -> None:
    found = asked.run(ifd.VERIFIER, record)
    raw, question, said = asked.by_transformers(), *(m.content for m in record.messages)
    given, alone = asked.nll(raw, said, question), asked.nll(raw, said, "")
    assert found["ifd_losses"] == pytest.approx(given / alone, abs=CLOSE)
    assert found["ifd_perplexities"] == pytest.approx(math.exp(given) / math.exp(alone), abs=CLOSE)


@every_record
def test_ifd_in_plain_text_is_superfilterings(asked: Asked, record: Record) -> None:
    found = asked.run(ifd.VERIFIER, record, template="text")
    raw, question, said = asked.by_transformers(), *(m.content for m in record.messages)
    joint = next(
        numbers
        for (request, _), numbers in zip(asked.scored, raw, strict=True)
        if request.messages[-1].content == f"{question}\n{said}"
    )
    given = -fmean(joint[-found["tokens"] :])
    alone = asked.nll(raw, said)
    assert found["ifd_perplexities"] == pytest.approx(math.exp(given - alone), abs=CLOSE)
    assert found["tokens"] == len(asked_ids(asked, said))


@every_record
def test_ic_ifd(asked: Asked, record: Record) -> None:
    found = asked.run(ic_ifd.VERIFIER, record)
    raw, question, said = asked.by_transformers(), *(m.content for m in record.messages)
    size = len(asked_ids(asked, said))
    joint = next(
        numbers
        for (request, _), numbers in zip(asked.scored, raw, strict=True)
        if request.messages[-1].content == f"{question}\n{said}"
    )
    given, of_question = -fmean(joint[-size:]), -fmean(joint[:-size])
    alone = asked.nll(raw, said)
    assert found["ic_ifd"] == pytest.approx(given / (of_question * alone), abs=CLOSE)


@every_record
def test_r_ifd(asked: Asked, record: Record) -> None:
    found = asked.run(r_ifd.VERIFIER, record)
    raw, question = asked.by_transformers(), record.messages[0].content
    shown = next(r.messages[-2].content for r, _ in asked.scored if r.prompt != "score")
    given, alone = asked.nll(raw, question, shown), asked.nll(raw, question, "")
    assert found["r_ifd"] == pytest.approx(math.exp(given) / math.exp(alone), abs=CLOSE)


@every_record
def test_s_ifd_of_clean_log_probabilities(asked: Asked, record: Record) -> None:
    found = asked.run(s_ifd.VERIFIER, record, share=0.5, neighbours=2)
    raw = dict(
        zip((r.messages[0].content for r, _ in asked.scored), asked.by_transformers(), strict=True)
    )
    question = record.messages[0].content
    deltas = [b - a for a, b in zip(raw[question], raw[""], strict=True)]
    telling = [d for d in deltas if abs(d) >= found["threshold"] - 1e-4]
    assert found["s_ifd"] == pytest.approx(math.exp(fmean(telling)), abs=CLOSE)
    assert len(telling) == math.ceil(len(deltas) / 2)
    assert len(raw) == 4 and found["s_ifd_std"] > 0


@every_record
def test_deita_is_the_expectation_over_six_digits(asked: Asked, record: Record) -> None:
    found = asked.run(deita.VERIFIER, record, min_mass=0)
    raw = asked.by_transformers()
    expected = {}
    for name in ("complexity", "quality"):
        weights = {
            int(request.messages[-1].content): math.exp(sum(numbers))
            for (request, _), numbers in zip(asked.scored, raw, strict=True)
            if request.prompt.startswith(f"deita/{name}@")
        }
        assert sorted(weights) == [1, 2, 3, 4, 5, 6]
        expected[name] = sum(k * w for k, w in weights.items()) / sum(weights.values())
        assert found[name] == pytest.approx(expected[name], abs=CLOSE)
    product = expected["complexity"] * expected["quality"]
    assert found["deita"] == pytest.approx(product, abs=10 * CLOSE)


def test_digits_of_which_a_model_makes_nothing_are_no_score(asked: Asked) -> None:
    kind = deita.VERIFIER
    model = _Recorder(asked.live.chat, asked.scored)
    params = kind.params(min_mass=0.9)
    step = as_step(kind, "step", params, {"judge": model}, asked.prompts, seed=1)
    [kept] = asked.live.loop.run(_settled(step, RECORDS[0]))
    assert kept.verdicts[-1].verdict == "skipped" and "scores_deita" not in kept.facts


def asked_ids(asked: Asked, text: str) -> list[int]:
    found: list[int] = asked.live.post("/tokenize", prompt=text, add_special_tokens=False).json()[
        "tokens"
    ]
    return found
