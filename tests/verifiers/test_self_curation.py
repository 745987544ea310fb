from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.core import Drop, Record
from engine.verifiers.self_curation import VERIFIER, tiers_of
from tests.conftest import Bind, seed
from tests.generators.reversing import replies, written

POINTS = ("relevant", "complete", "self_contained", "assistant_like", "expert")
PAIR = seed("Warum geht der Teig auf?", response="Weil die Hefe Gas bildet.", origin="augmented")


def points(score: int) -> str:
    return json.dumps({"reason": "x", **{name: n < score for n, name in enumerate(POINTS)}})


def script(reply: object) -> dict[str, object]:
    return {"self_curation/points": reply}


def told(outcome: Record | Drop) -> str:
    if isinstance(outcome, Drop) and outcome.reason == "bad_reply":
        return "bad_reply"
    record = outcome.record if isinstance(outcome, Drop) else outcome
    said = record.facts["curation"]
    reason = outcome.reason if isinstance(outcome, Drop) else "keep"
    return f"{reason} | {said['score']:g} | {' '.join(said['tiers'])}".strip()


@pytest.mark.parametrize("path", replies("self_curation"), ids=lambda path: path.stem)
async def test_verdicts_as_models_write_them_are_read_or_refused(path: Path, bind: Bind):
    said = written(path)
    step, chat = bind(VERIFIER, script(said["reply"]), min_score=4)
    [outcome] = await step(PAIR)
    assert told(outcome) == said["outcome"].strip()
    assert len(chat.asked) == (3 if said["outcome"].strip() == "bad_reply" else 1)


@pytest.mark.parametrize("score", range(6))
@pytest.mark.parametrize("least", [0, 4, 4.5, 5])
async def test_a_pair_is_kept_from_the_threshold_on(bind: Bind, score: int, least: float):
    step, _ = bind(VERIFIER, script(points(score)), min_score=least)
    [outcome] = await step(PAIR)
    assert isinstance(outcome, Record) == (score >= least)
    if isinstance(outcome, Drop):
        assert outcome.reason == "low_score" and outcome.record.facts["curation"]["score"] == score


def test_tiers_are_nested_at_every_border():
    tiers = {"A4": 4.0, "A5": 4.5, "A3": 3}
    found = {score: tiers_of(score, tiers) for score in (0, 2.99, 3, 3.99, 4, 4.25, 4.49, 4.5, 5)}
    assert found[2.99] == [] and found[3] == ["A3"] and found[3.99] == ["A3"]
    assert found[4] == found[4.49] == ["A4", "A3"] and found[4.5] == ["A5", "A4", "A3"]
    sets = {name: {s for s, names in found.items() if name in names} for name in tiers}
    assert sets["A5"] < sets["A4"] < sets["A3"]


async def test_several_judgements_are_averaged_so_that_four_and_a_half_can_be_reached(bind: Bind):
    step, _ = bind(VERIFIER, script([points(5), points(4)]), samples=2)
    [outcome] = await step(PAIR)
    assert outcome.facts["curation"]["score"] == 4.5
    assert outcome.facts["curation"]["tiers"] == ["A5", "A4"]


async def test_both_scores_and_who_gave_them_are_kept(bind: Bind):
    first, _ = bind(VERIFIER, script(points(3)), min_score=0)
    second, _ = bind(VERIFIER, script(points(5)), min_score=4.5)
    [once] = await first(PAIR)
    [twice] = await second(once)
    assert twice.facts["curation"]["scores"] == [3, 5]
    assert twice.facts["curation"]["models"] == ["fake", "fake"]
    assert twice.facts["curation"]["score"] == 5


async def test_seed_pairs_are_not_judged(bind: Bind):
    step, chat = bind(VERIFIER, script(points(0)))
    [outcome] = await step(PAIR.with_facts(origin="seed"))
    assert isinstance(outcome, Record) and not chat.asked
    assert outcome.verdicts[-1].verdict == "skipped"


async def test_the_judge_sees_the_examples_which_are_then_used_up(bind: Bind):
    step, chat = bind(VERIFIER, script(points(5)))
    shown = [{"instruction": "Wer bin ich?", "response": "Ein Beispiel."}]
    [outcome] = await step(PAIR.with_facts(examples=shown))
    assert "Ein Beispiel." in chat.asked[0].messages[-1].content
    assert "examples" not in outcome.facts


@pytest.mark.parametrize("turns", [PAIR.messages[:1], PAIR.messages[1:], ()])
async def test_half_a_pair_is_nothing_to_judge(bind: Bind, turns):
    step, chat = bind(VERIFIER, script(points(5)))
    [outcome] = await step(replace(PAIR, messages=turns))
    assert isinstance(outcome, Drop) and outcome.reason == "nothing_to_judge" and not chat.asked


@pytest.mark.parametrize(
    "params", [{"tiers": {"A6": 6}}, {"tiers": {"A": -1}}, {"min_score": 5.1}, {"samples": 0}]
)
def test_a_threshold_that_no_score_can_reach_is_a_mistake_in_the_job(params):
    with pytest.raises(ValidationError):
        VERIFIER.params.model_validate(params)
