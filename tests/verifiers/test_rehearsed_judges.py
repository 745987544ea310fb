"""Every judge and score answers to the embedded model, so that a job with it can be rehearsed."""

from __future__ import annotations

from typing import Any

import pytest

from engine import shipped
from engine.core import Message, Record
from engine.kit import as_step
from engine.models.rehearsal import Rehearsal
from engine.prompting import Library
from engine.verifiers import (
    cycle,
    deita,
    ic_ifd,
    ifd,
    instruction_rubric,
    judge_ensemble,
    pairwise_judge,
    perplexity,
    r_ifd,
    s_ifd,
)
from tests.verifiers.toy import PAIRS

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "cycle": (cycle.VERIFIER, {"r_ifd": True, "n": 2}),
    "deita": (deita.VERIFIER, {"min_mass": 0}),
    "ic_ifd": (ic_ifd.VERIFIER, {}),
    "ifd": (ifd.VERIFIER, {"template": "text"}),
    "instruction_rubric": (instruction_rubric.VERIFIER, {}),
    "judge_ensemble": (judge_ensemble.VERIFIER, {}),
    "judge_ensemble by digits": (judge_ensemble.VERIFIER, {"by": "digits"}),
    "pairwise_judge": (pairwise_judge.VERIFIER, {"ties": "keep"}),
    "perplexity": (perplexity.VERIFIER, {}),
    "r_ifd": (r_ifd.VERIFIER, {}),
    "s_ifd": (s_ifd.VERIFIER, {}),
}
ROLES = ("writer", "judge", "judge_2", "judge_3", "scorer")


@pytest.fixture(scope="module")
def model() -> Rehearsal:
    return Rehearsal(shipped.folder("taxonomies") / "rehearsal")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("language", PAIRS)
async def test_it_comes_to_a_verdict(
    prompts: Library, model: Rehearsal, name: str, language: str
) -> None:
    asked, said = PAIRS[language]
    turns = (Message("user", asked), Message("assistant", said))
    record = Record("r", language, turns, {"rejected": asked})
    kind, params = KINDS[name]
    models = dict.fromkeys(ROLES, model)
    step = as_step(kind, name, kind.params(**params), models, prompts, seed=1)
    [outcome] = await step(record)
    [again] = await step(record)
    assert outcome == again
    found = outcome if isinstance(outcome, Record) else outcome.record
    assert found.verdicts[-1].verdict in ("pass", "fail", "skipped"), found.verdicts[-1]
    assert found.rehearsed
